/*
 * Text of any charset as UTF-8, piece by piece, by iconv(3).  Only charsets of a fixed list are asked for.
 * What cannot be converted becomes U+FFFD.  Any thread, one at a time for each converter; pure.
 */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include "base/buffer.h"

struct mime_converter;

/* Is the label known?  For BADCHARSET: RFC 9051 section 6.4.4. */
bool mime_charset_is_known(struct span label);

/* Is it UTF-8, or ASCII, which is a part of it? */
bool mime_charset_is_utf8(struct span label);

/*
 * Give a converter to UTF-8.  An unknown or empty label converts what is valid UTF-8 as UTF-8, and other
 * octets above 127 as windows-1252.
 */
struct mime_converter *mime_converter_new(struct span label);
void mime_converter_free(struct mime_converter **converter);

/* Append the next piece as valid UTF-8, whole characters, at most four times its length plus 64.
 * is_last: nothing follows, and the converter is as new. */
void mime_convert(struct mime_converter *converter, struct span piece, bool is_last, struct buffer *out);

/*
 * Append a whole text as UTF-8.  False, with nothing appended: the charset is unknown, or the text is
 * not valid in it.  For search keys.
 */
bool mime_convert_strict(struct span label, struct span text, struct buffer *out);

#endif
