/*
 * Base64 and hexadecimal, strictly: RFC 4648 sections 4 and 8, no white space, canonical padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

/* Append the padded encoding. */
void base64_encode(struct span octets, struct buffer *out);

/*
 * Append what the text stands for.  False, with nothing appended, on any character outside the
 * alphabet, missing or surplus padding, or stray bits in the last character (RFC 4648 section 3.5).
 */
bool base64_decode(struct span text, struct buffer *out);

/*
 * The same for base64url without padding (RFC 4648 section 5, RFC 7515 section 2): strictly, too.
 */
bool base64url_decode(struct span text, struct buffer *out);

void hex_encode(struct span octets, struct buffer *out);
bool hex_decode(struct span text, struct buffer *out);

#endif
