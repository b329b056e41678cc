/*
 * Text without regard to case, as i;unicode-casemap has it (RFC 5051): each character in title case,
 * then decomposed.  Key and text are folded alike, then compared as octets.  Any thread; pure.
 */
#ifndef MIME_FOLD_H
#define MIME_FOLD_H

#include "base/buffer.h"

/*
 * Append the folded form of UTF-8 text; each octet that is not UTF-8 becomes U+FFFD.  Text may be folded in
 * pieces that end between characters.  ASCII runs at memory speed.
 */
void mime_fold(struct span text, struct buffer *out);

/* Is the key in the text?  Both folded.  An empty key is in every text.  Linear time. */
bool mime_fold_contains(struct span text, struct span key);

#endif
