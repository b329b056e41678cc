/*
 * Text of any charset made UTF-8, octets in pieces.  Never fails: malformed octets become U+FFFD, an
 * unknown or missing charset counts as UTF-8 until an octet disproves it and as windows-1252 from
 * there on.  Any thread, one at a time.
 */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include "base/buffer.h"

enum mime_charset {
	MIME_CHARSET_GUESS,		/* US-ASCII, unknown or absent */
	MIME_CHARSET_UTF_8,
	MIME_CHARSET_WINDOWS_1252,	/* and ISO-8859-1, whose C1 controls nobody means */
	MIME_CHARSET_ICONV
};

#define MIME_CONVERTER_HELD_MAX 16

struct mime_converter {
	enum mime_charset charset;
	void *iconv;		/* owned; NULL unless MIME_CHARSET_ICONV */
	unsigned unit_octets;	/* skipped at a malformed place */
	size_t held_length;
	uint8_t held[MIME_CONVERTER_HELD_MAX];	/* a character cut by the end of a piece */
};

/*
 * Begin with text of this charset; the label as in a charset parameter, in any case, quotes and a
 * language suffix (RFC 2231 section 5) allowed.  Follow with mime_converter_fini().
 */
void mime_converter_init(struct mime_converter *converter, struct span label);

/*
 * Append whole characters as valid UTF-8.  How the octets are cut into pieces makes no difference.
 * Appends at most 4 octets for each that came in, and 64.
 */
void mime_converter_feed(struct mime_converter *converter, struct span octets, struct buffer *out);

/* Append what still waited; the converter then stands at the beginning of another text. */
void mime_converter_finish(struct mime_converter *converter, struct buffer *out);

/* Free what the converter owns; harmless twice. */
void mime_converter_fini(struct mime_converter *converter);

/* Append a whole text as valid UTF-8. */
void mime_charset_convert(struct span label, struct span octets, struct buffer *out);

/* Whether a label names a charset this room can convert: SEARCH CHARSET answers BADCHARSET otherwise. */
bool mime_charset_is_known(struct span label);

/* Whether all of it is UTF-8 (RFC 3629): no surrogates, nothing overlong, nothing cut. */
bool mime_is_utf8(struct span octets);

/*
 * Length in octets of the UTF-8 character that begins here, 1 to 4; 0 if it is malformed.  Writes the
 * code point if there is one.  A character cut by the end gives 0 and sets *is_cut_out.
 */
size_t mime_utf8_next(struct span octets, uint32_t *code_point_out, bool *is_cut_out);

#endif
