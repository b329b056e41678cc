/*
 * What of HTML would be shown, character by character: tags, comments, styles and scripts are left out, references to
 * characters are resolved.  No tree is built and nothing nests: a state of fixed size.  Private to this room.
 */
#ifndef MIME_PREVIEW_HTML_H
#define MIME_PREVIEW_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREVIEW_NAME_MAX 12

struct preview_html {
	void (*on_character)(uint32_t c, void *context);
	void *context;
	enum {
		HTML_TEXT,
		HTML_TAG_NAME,		/* behind "<" */
		HTML_TAG,		/* up to ">" */
		HTML_QUOTED,		/* an attribute's value in it */
		HTML_COMMENT,
		HTML_REFERENCE		/* behind "&" */
	} state;
	uint32_t quote;			/* the mark that ends HTML_QUOTED */
	char name[PREVIEW_NAME_MAX + 1];	/* of the tag or reference, in lower case; cut */
	size_t name_length;
	unsigned dashes;		/* that a comment may end with */
	char hidden[PREVIEW_NAME_MAX + 1];	/* the element that is not shown, such as "style"; empty: none */
};

/* Zeroed but for the callback, then one call for each character. */
void preview_html_add(struct preview_html *html, uint32_t c);

#endif
