/*
 * Header text made UTF-8: encoded words (RFC 2047), extended parameter values (RFC 2231), raw octets
 * above 127.  Never fails; linear.  Any thread.
 */
#ifndef MIME_ENCODED_WORD_H
#define MIME_ENCODED_WORD_H

#include "base/buffer.h"

/*
 * Append a field value as valid UTF-8: unfolded (CR and LF dropped), its encoded words decoded, white
 * space between adjacent ones dropped, raw octets as UTF-8 or else windows-1252.  A word that breaks
 * RFC 2047's rules on length or place is decoded all the same; one that cannot be read stays as it is.
 */
void mime_header_decode(struct span value, struct buffer *out);

/*
 * Take an extended value apart: charset'language'text (RFC 2231 section 4).  False when there are not
 * two apostrophes; the text is then the whole value and the others are empty.
 */
bool mime_extended_split(struct span value, struct span *charset_out, struct span *language_out,
    struct span *text_out);

/* Append octets with each %XX decoded; a damaged one stays as it is. */
void mime_percent_decode(struct span text, struct buffer *out);

/*
 * Append an extended value (name*=...) as valid UTF-8.  For continuations (name*0*=, name*1*=): split
 * the first, percent-decode the text of each, join the octets, and mime_charset_convert() them.
 */
void mime_extended_decode(struct span value, struct buffer *out);

#endif
