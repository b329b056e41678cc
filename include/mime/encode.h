/*
 * Making text of what cannot be sent as it is.  Any thread (a compute worker); pure.
 */
#ifndef MIME_ENCODE_H
#define MIME_ENCODE_H

#include "base/buffer.h"

/*
 * Append a message in which each part that says it is binary, and holds NUL, is in base64 and says so: RFC 3516 section
 * 4.4, RFC 9051 section 4.3.1.  All else stays as it is: such an encoding undoes the signature of whoever signed it.
 *
 * False, with nothing appended: there is no such part.
 */
bool mime_encode_binary(struct span message, struct buffer *out);

#endif
