/*
 * Digests of passwords as RFC 2307 and Dovecot keep them: "{SSHA512}" and base64 of the digest and its salt, or of the
 * digest alone.  They cost nothing to try, so that none is made here; imported users have them.  Any thread.
 */
#ifndef SALTED_H
#define SALTED_H

#include "base/buffer.h"

/* Whether a scheme, without its braces and in any case, is one of these. */
bool salted_is_scheme(struct span scheme);

/* How the octets are written; SALTED_USUAL: as the scheme has it, or whichever the length tells. */
enum salted_encoding { SALTED_USUAL, SALTED_HEX, SALTED_BASE64 };

/* Append the credential for such a scheme's value.  False, with nothing appended: it is damaged. */
bool salted_read(struct span scheme, struct span value, enum salted_encoding encoding, struct buffer *credential_out);

/* Whether the text is what salted_read() has written. */
bool salted_is_credential(struct span text);

/* Whether a password fits a credential for which salted_is_credential() holds; compared in constant time. */
bool salted_fits(struct span password, struct span credential);

#endif
