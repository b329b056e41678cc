/*
 * Many keys looked for in a text at once, in time that hangs on the text alone: with few keys one after the other, with
 * many by the automaton of Aho and Corasick (Efficient String Matching, CACM 18(6), 1975).  Keys and text are folded
 * (mime/fold.h), and compared octet by octet.  Any thread, one at a time; pure.
 */
#ifndef MIME_KEYS_H
#define MIME_KEYS_H

#include "base/span.h"

struct mime_keys;

/* Make ready; the octets of the keys are borrowed for life.  Takes some 20 octets of memory for each of theirs. */
struct mime_keys *mime_keys_new(const struct span *keys, size_t count);

/* Accepts NULL, leaves NULL behind. */
void mime_keys_free(struct mime_keys **keys);

/* How many octets of the piece before a piece must begin with: a key may be cut by its end. */
size_t mime_keys_overlap(const struct mime_keys *keys);

/* Forget what was found: another text begins. */
void mime_keys_restart(struct mime_keys *keys);

/*
 * Look through the next piece of the text.
 *
 *	is_apart	no key goes over from the piece before into this one, which has no overlap
 *
 * True: all keys are found.  An empty key is in any piece.
 */
bool mime_keys_feed(struct mime_keys *keys, struct span piece, bool is_apart);

/* Whether a key, by its place in the list, was found since the restart. */
bool mime_keys_found(const struct mime_keys *keys, size_t place);

#endif
