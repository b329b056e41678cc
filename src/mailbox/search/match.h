/*
 * The keys of SEARCH that need the message itself: dates of the Date field, headers, bodies.  Cheap ones are
 * asked first, and no more is read of a message than decides it.  Worker, one at a time.
 */
#ifndef MAILBOX_SEARCH_MATCH_H
#define MAILBOX_SEARCH_MATCH_H

#include "groups.h"
#include "reading.h"

struct search_matcher {
	const struct search_program *program;
	uint8_t *scratch;		/* of imap_search_evaluate() */
	uint8_t *known;			/* what each leaf has said of this message; IMAP_UNKNOWN: not asked */
	struct search_groups groups;	/* made in the first call */

	/* The message under test. */
	struct store *store;
	struct search_message *message;	/* NULL: none */
	uint64_t until_us;
	bool has_asked, is_time_up;	/* in this call */
	enum imap_search_cost cost_max;
	enum store_status status;
	bool has_content, has_kept, has_made, has_header, has_save_date;	/* was asked for */
	bool has_row;			/* texts are kept, as we would make them */
	bool has_sent_date;
	int32_t sent_day;
	int64_t saved_day;
	struct mime_searchable kept;	/* or made from the header, but for the Message-ID */
	struct buffer header;
	struct search_fields fields;	/* of it, as far as they were looked at */
	struct search_reading reading;	/* of its text, for */
	const struct search_group *group;
};

/* The program is borrowed until search_matcher_fini(). */
void search_matcher_init(struct search_matcher *matcher, const struct search_program *program);
void search_matcher_fini(struct search_matcher *matcher);

/*
 * Decide one message, and note in it what is found out of its content.  STORE_NOT_FOUND: it is gone and matches nothing.
 *
 *	until_us	clock_monotonic_us() from which no other piece of a message is looked at; one is in each call
 *	is_decided_out	false: time was up; the same message is to come again, before any other
 */
enum store_status search_match(struct search_matcher *matcher, struct store *store,
    struct search_message *message, uint64_t until_us, bool *is_match_out, bool *is_decided_out);

#endif
