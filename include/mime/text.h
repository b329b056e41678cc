/*
 * The text of one body part as SEARCH BODY and TEXT see it: transfer encoding undone, UTF-8, case
 * folded; octets in pieces.  Any thread, one at a time.
 *
 *	mime_text_init(&text, encoding, charset);
 *	while (there is a piece, at most 64 KiB of the raw body) {
 *		mime_text_feed(&text, piece, &folded);
 *		found = mime_search(buffer_span(&folded), key);
 *		mime_text_keep(&folded, key.length - 1);
 *	}
 *	mime_text_finish(&text, &folded);	(and search once more)
 *	mime_text_fini(&text);
 */
#ifndef MIME_TEXT_H
#define MIME_TEXT_H

#include "mime/charset.h"
#include "mime/decode.h"

struct mime_text {
	struct mime_decoder decoder;
	struct mime_converter converter;
	struct buffer decoded, converted;
};

/* Begin with a part; the charset as in mime_converter_init(), borrowed until return. */
void mime_text_init(struct mime_text *text, enum mime_encoding encoding, struct span charset);

/* Append the folded text of a piece of the raw body.  How it is cut makes no difference. */
void mime_text_feed(struct mime_text *text, struct span octets, struct buffer *folded_out);

/* Append what still waited. */
void mime_text_finish(struct mime_text *text, struct buffer *folded_out);

/* Free what the text owns; harmless twice. */
void mime_text_fini(struct mime_text *text);

/* Drop all but the last octets, so that a key is found across pieces: keep key.length - 1. */
void mime_text_keep(struct buffer *folded, size_t octets);

#endif
