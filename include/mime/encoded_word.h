/*
 * Text in headers beyond ASCII: encoded words (RFC 2047) and parameters with a charset (RFC 2231).  Any thread; pure.
 */
#ifndef MIME_ENCODED_WORD_H
#define MIME_ENCODED_WORD_H

#include "mime/part.h"

/*
 * Append a header value as UTF-8 on one line: unfolded, tabs made spaces, encoded words decoded, space between
 * two of them dropped, octets above 127 outside of them taken as UTF-8 or windows-1252.
 */
void mime_header_decode(struct span value, struct buffer *out);

/*
 * Append the value of a parameter as UTF-8: that of name* if there is one, else of name.  False if there is
 * none.
 */
bool mime_parameter_decode(struct mime_parameters parameters, struct span name, struct buffer *out);

#endif
