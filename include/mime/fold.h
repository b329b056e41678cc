/*
 * Strings made comparable octet by octet: i;unicode-casemap (RFC 5051), each character in title case
 * and decomposed.  ASCII letters come out as capitals.  Any thread.
 */
#ifndef MIME_FOLD_H
#define MIME_FOLD_H

#include "base/buffer.h"

/*
 * Append the folded form of whole UTF-8 characters; at most 11 times as long.  Text that is not UTF-8
 * is appended unchanged as a whole, as RFC 5051 section 2 says.  Folding the pieces of a text one by
 * one gives the same as folding it whole.
 */
void mime_fold(struct span utf8, struct buffer *out);

/* Append a search key in folded form: its charset as in SEARCH CHARSET, empty for UTF-8. */
void mime_fold_key(struct span charset, struct span key, struct buffer *out);

/* Append a raw field value in folded form: unfolded, encoded words decoded, case folded. */
void mime_fold_header(struct span value, struct buffer *out);

/* Whether the needle is somewhere in the haystack; both folded.  An empty needle always is. */
bool mime_search(struct span haystack, struct span needle);

#endif
