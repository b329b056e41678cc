/*
 * The keywords of one open mailbox: names, and the sets that its messages have (store/keyword.h), as
 * imap_flags_write() takes them.  Entries are only added and stay where they are, so a worker may read what `all` was
 * at some time while more is learnt, if somebody holds the table for it.  Loop thread, but for that.
 */
#ifndef MAILBOX_KEYWORDS_H
#define MAILBOX_KEYWORDS_H

#include "imap/flags.h"
#include "store/message.h"

struct map;

struct keywords {
	unsigned holders;
	struct imap_keywords all;
	struct arena *arena;		/* holds all of it */
	struct span *names;
	struct imap_keyword_set *sets;
	size_t name_capacity, set_capacity;
	struct map *numbers;		/* number + 1 by name in small letters */
};

/* Give an empty table. */
struct keywords *keywords_new(void);

struct keywords *keywords_hold(struct keywords *keywords);
/* Accepts NULL, leaves NULL behind. */
void keywords_release(struct keywords **keywords);

/* Learn names that follow those it has, and sets.  May put another table in the place of this one. */
void keywords_learn(struct keywords **keywords, const struct store_keywords *news);

/* Put a table with only the sets that these messages have in the place of one that has many more. */
void keywords_shed(struct keywords **keywords, const struct store_message *messages, size_t count);

/* Whether the mailbox has a keyword of this name, in any case. */
bool keywords_find(const struct keywords *keywords, struct span name, size_t *number_out);

size_t keywords_octets(const struct keywords *keywords);

#endif
