/*
 * Octets in which there is much base64 (RFC 4648 section 4) as a form that has the bits of it: three octets for four
 * letters.  Exactly the same octets come back, whatever they were: lines of one length that end with CRLF are
 * understood, and all else stays as it is.  Pure; any thread.
 *
 * The form: for each run of base64 the octets that stand before it, how many letters it has, of how many letters its
 * first line is, and of how many the others, as numbers (base128.h); and again, until octets are left that belong to no
 * run: a run of 0 letters.  Then all these octets, and then the bits of each run, six for a letter, the highest first, and
 * zeros up to a whole octet.
 */
#ifndef BASE64_H
#define BASE64_H

#include "base/buffer.h"

/* Append the form, where that saves a fifth; false: it does not, and nothing was appended.  0.2 ns an octet. */
bool base64_shorten(struct span octets, struct buffer *out);

/* Append the octets of a form, length of them, neither more nor less.  False for damage, with out as before. */
bool base64_lengthen(struct span form, size_t length, struct buffer *out);

#endif
