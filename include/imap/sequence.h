/*
 * Sets of message numbers or UIDs: "1:3,7,9:*" and "$".  RFC 9051 section 9 ("sequence-set"), RFC 5182.
 * Pure.
 */
#ifndef IMAP_SEQUENCE_H
#define IMAP_SEQUENCE_H

#include "base/arena.h"
#include "base/buffer.h"

struct imap_range {
	uint32_t first, last;	/* first <= last */
};

/*
 * Ranges rise, do not overlap and do not touch.  "*" is kept apart until imap_sequence_resolve() is told
 * what it means: has_star says that it occurs, star_from is the least partner ("7:*" is 7), UINT32_MAX
 * for a lone "*".
 */
struct imap_sequence {
	struct imap_range *ranges;	/* with room for one more when has_star */
	size_t count;
	uint32_t star_from;
	bool has_star;
	bool is_saved;		/* "$": no ranges; the caller puts in what SEARCH RETURN (SAVE) left */
};

/*
 * Read a whole set; n octets cost n log n.  False on number zero, a number above 2^32-1, and any other
 * octet.  The ranges live in the arena.
 */
bool imap_sequence_parse(struct arena *arena, struct span text, struct imap_sequence *sequence_out);

/*
 * Put the largest number in use in the place of "*": afterwards has_star is false.  With largest = 0 (an
 * empty mailbox) "*" stands for nothing.  "9:*" with largest = 5 holds 5 (RFC 9051 section 9, "seq-range").
 */
void imap_sequence_resolve(struct imap_sequence *sequence, uint32_t largest);

/* The questions below are for resolved sequences; each costs log(count). */
bool imap_sequence_contains(const struct imap_sequence *sequence, uint32_t number);

/* Index of the first range that ends at or behind number; count if there is none. */
size_t imap_sequence_find(const struct imap_sequence *sequence, uint32_t number);

/* The greatest number, 0 when empty: message numbers above the mailbox's are the client's error. */
uint32_t imap_sequence_highest(const struct imap_sequence *sequence);

/*
 * Walk all numbers in order: start with *number = 0; false at the end.  Costs log(count) a step: loops
 * over messages rather walk the ranges.
 */
bool imap_sequence_next(const struct imap_sequence *sequence, uint32_t *number);

/* The number at a place in the order, from 0 on; 0 behind the end.  Costs the ranges before it. */
uint32_t imap_sequence_at(const struct imap_sequence *sequence, uint64_t place);

/* How many numbers. */
uint64_t imap_sequence_size(const struct imap_sequence *sequence);

/*
 * Sets of sets, in the arena.
 *
 *	ranges	in any order; may overlap; sorted and merged in place
 */
struct imap_sequence imap_sequence_of(struct imap_range *ranges, size_t count);
struct imap_sequence imap_sequence_common(struct arena *arena, const struct imap_sequence *a,
    const struct imap_sequence *b);
struct imap_sequence imap_sequence_without(struct arena *arena, const struct imap_sequence *sequence,
    const struct imap_sequence *taken);

/* Whether the text of a set names numbers in rising order, none twice, and no "*" or "$". */
bool imap_sequence_is_rising(struct span text);

/* Append the shortest text; nothing when empty. */
void imap_sequence_write(struct buffer *out, const struct imap_sequence *sequence);

/*
 * Write numbers as a set while they come, with no memory: COPYUID, ESEARCH ALL, VANISHED.
 * Zero the struct, set out, add numbers in the order wanted (only n, n+1 are joined), then end.
 */
struct imap_set_writer {
	struct buffer *out;
	uint32_t first, last;	/* the run not written yet; 0 when none */
	bool is_started;
};

void imap_set_writer_add(struct imap_set_writer *writer, uint32_t number);
void imap_set_writer_end(struct imap_set_writer *writer);

#endif
