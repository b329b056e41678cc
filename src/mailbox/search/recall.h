/*
 * What is known already of the keys of a SEARCH that look at contents: no message is opened for it.  Loop thread.
 */
#ifndef MAILBOX_SEARCH_RECALL_H
#define MAILBOX_SEARCH_RECALL_H

#include "../shared/insight.h"
#include "program.h"

struct search_recall {
	const struct search_program *program;
	struct insight *insights[SEARCH_SLOTS_MAX];	/* one for each of program->slots; held */
	struct insight *sent;		/* likewise, or NULL: no key asks for it */
};

/* The program is borrowed until search_recall_fini(). */
void search_recall_init(struct search_recall *recall, const struct search_program *program, struct insights *insights,
    struct list *of_account);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void search_recall_fini(struct search_recall *recall);

/* Decide a leaf by what is known, and by the state; else IMAP_UNKNOWN. */
enum imap_truth search_recall_test(struct search_recall *recall, const struct imap_search_node *leaf,
    const struct search_message *message);

/* Give a message on its way to a worker what is known of its content; it has room for truths. */
void search_recall_tell(struct search_recall *recall, struct search_message *message);

/* It has come back: note what is known now. */
void search_recall_note(struct search_recall *recall, const struct search_message *message);

#endif
