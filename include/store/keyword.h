/*
 * Keywords of a mailbox, and how a message has them.  Each mailbox numbers its own, from 0; a number, once given,
 * stays with its name, since messages and the states of sessions hold numbers only.
 *
 * A message's flags are one word.  Bits 0 to 4 are the system flags.  While bit 63 is not set, bits 5 to 62 are the
 * keywords 0 to 57; else they are the id of a set (keyword_set in the file), which has all its keywords.  A message
 * has a set only if it has a keyword above 57, and equal sets of a mailbox have one id: so two words are equal when
 * the flags are, and nothing is wider than it was for the many mailboxes with few keywords.
 *
 * Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_KEYWORD_H
#define STORE_KEYWORD_H

#include "base/arena.h"
#include "store/store.h"

#define STORE_KEYWORD_BIT_MIN	  5
#define STORE_KEYWORD_BITS	  58			/* keywords that have a bit */
#define STORE_KEYWORDS_MAX	  4096			/* in one mailbox */
#define STORE_KEYWORDS_OCTETS_MAX ((size_t)128 * 1024)	/* all their names: they are told in one line */
#define STORE_FLAGS_HAS_SET	  (UINT64_C(1) << 63)
#define STORE_KEYWORDS_UNTOLD	  SIZE_MAX		/* for store_keyword_news(): nobody is to be told */

/* Numbers of keywords, rising. */
struct store_numbers {
	const uint16_t *at;
	size_t count;
};

struct store_keyword_set {
	uint64_t id;
	struct store_numbers members;
};

/* The keywords of a mailbox, or those that somebody does not know. */
struct store_keywords {
	size_t first;			/* the number of names[0] */
	const char **names;		/* as first spelled; NULL where a number is free */
	size_t count;
	struct store_keyword_set *sets;	/* by rising ids */
	size_t set_count;
};

/* Give all keywords and sets of a mailbox, from the arena. */
enum store_status store_keyword_list(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_keywords *keywords_out);

/*
 * Give, from the arena, what one who is told of flags must know besides.
 *
 *	known	the names of so many keywords are known, or STORE_KEYWORDS_UNTOLD
 *	flags	count words of the mailbox, in no order: the sets that they have are given, known or not
 */
enum store_status store_keyword_news(struct store *store, uint64_t mailbox_id, size_t known, const uint64_t *flags,
    size_t count, struct arena *arena, struct store_keywords *news_out);

/*
 * Give the numbers of keywords, compared without regard to ASCII case, from the arena.
 *
 *	may_create	 give new names a number, in a transaction; else they are left out
 *
 * STORE_LIMIT: the mailbox has STORE_KEYWORDS_MAX, or a name is too long.
 */
enum store_status store_keyword_numbers(struct store *store, uint64_t mailbox_id, const struct span *names,
    size_t count, bool may_create, struct arena *arena, struct store_numbers *numbers_out);

/*
 * Give the word of a message that has these keywords and no system flag; in a transaction, for it may be the first
 * one that has them all.
 */
enum store_status store_keyword_word(struct store *store, uint64_t mailbox_id, struct store_numbers numbers,
    uint64_t *word_out);

/* store_keyword_numbers() with may_create, and store_keyword_word(). */
enum store_status store_keyword_flags(struct store *store, uint64_t mailbox_id, const struct span *names,
    size_t count, uint64_t *flags_out);

#endif
