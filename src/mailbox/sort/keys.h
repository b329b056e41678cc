/*
 * What SORT and THREAD compare of contents, beside the state of a mailbox: what was read from the store once.  It never
 * changes, so what comes in is all that is read next time.  Each content has a slot.  A worker adds, one at a time: the
 * account's jobs come one after the other.  All else is the loop's.
 */
#ifndef MAILBOX_SORT_KEYS_H
#define MAILBOX_SORT_KEYS_H

#include "../session/view.h"
#include "store/ordering.h"
#include "texts.h"

#define KEYS_NO_SLOT UINT32_MAX

/* Places of texts; the bit of each is in enum store_ordering_fields. */
enum keys_text {
	KEYS_SUBJECT, KEYS_FROM, KEYS_TO, KEYS_CC, KEYS_FROM_NAME, KEYS_TO_NAME,
	KEYS_TEXT_COUNT
};

struct keys {
	struct state_extra extra;
	struct state_cache *cache;
	struct state_place place;	/* in it, while nobody uses them */
	unsigned users;
	size_t noted;			/* octets with which they count among what the user's sessions hold */

	uint64_t *contents;		/* ids, by slot */
	int64_t *sent_s;
	bool *has_sent_date, *is_reply;
	uint8_t *known;			/* bits of enum store_ordering_fields: what was read */
	uint32_t *numbers[KEYS_TEXT_COUNT];	/* in texts; NULL: never read */
	uint32_t *links_at;		/* in links; NULL: never read */
	uint32_t count, capacity;	/* of slots */
	uint32_t *table;		/* from a content id to a slot + 1: open addressing, 0 is empty */
	unsigned table_bits;

	struct texts texts[KEYS_TEXT_COUNT];
	struct texts link_texts;	/* message identifiers, IMAP_LINK_OCTETS each; no identifier is TEXTS_EMPTY */
	struct buffer links;		/* uint32_t: how many, then their numbers as in struct store_ordering */
};

/* The keys beside a state, made when there are none, for one more user. */
struct keys *keys_use(struct account *account, struct state *state);

/* One user less; they may go then.  Accepts NULL, leaves NULL behind. */
void keys_release(struct keys **keys);

/* Worker.  Keys beside nothing: for a unit test. */
struct keys *keys_new(void);
void keys_free(struct keys *keys);

/* The slot of a content if these fields of it are known, else KEYS_NO_SLOT.  A guess that is right saves time. */
uint32_t keys_find(const struct keys *keys, uint64_t content_id, unsigned fields, uint32_t guess);

/* Add these fields of a content; copies. */
void keys_add(struct keys *keys, uint64_t content_id, unsigned fields, const struct store_ordering *ordering);

/* What the message refers to: its own identifier, then the others; numbers in link_texts. */
const uint32_t *keys_links(const struct keys *keys, uint32_t slot, size_t *count_out);

/* How many octets they hold. */
size_t keys_octets(const struct keys *keys);

/* Count them with so many octets among what the user's sessions hold, while they are used.  Accepts NULL. */
void keys_note(struct keys *keys, size_t octets);

#endif
