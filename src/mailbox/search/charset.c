/*
 * Keys of SEARCH as UTF-8.  Worker.
 */
#include "charset.h"

#include "mime/charset.h"

enum reply
search_charset_convert(struct imap_search *search, struct arena *arena)
{
	struct buffer text = { 0 };
	enum reply reply = mime_convert_strict(search->charset, SPAN(""), &text) ? REPLY_DONE : REPLY_BAD_CHARSET;

	for (size_t i = 0; i < search->node_count && reply == REPLY_DONE; i++) {
		struct imap_search_node *node = &search->nodes[i];

		if (!imap_search_has_text(node->key))
			continue;
		buffer_clear(&text);
		if (mime_convert_strict(search->charset, node->text, &text))
			node->text = arena_copy(arena, buffer_span(&text));
		else
			reply = REPLY_BAD_ARGUMENT;
	}
	buffer_free(&text);
	return reply;
}
