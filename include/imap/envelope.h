/*
 * ENVELOPE as a reply holds it: RFC 9051 section 7.5.2.  Always valid by the grammar, whatever the header
 * holds.  Any thread; pure.
 */
#ifndef IMAP_ENVELOPE_H
#define IMAP_ENVELOPE_H

#include "base/buffer.h"

/* Append the envelope, with its parentheses, of a header block.  Values are unfolded, not decoded. */
void imap_envelope_write(struct span header, struct buffer *out);

#endif
