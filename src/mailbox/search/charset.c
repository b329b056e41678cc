/*
 * Keys of SEARCH as UTF-8.  Worker.
 */
#include "charset.h"

#include "mime/charset.h"

enum reply
search_charset_convert(struct imap_search *search, struct arena *arena)
{
	struct buffer text = { 0 };
	enum reply reply = REPLY_DONE;

	if (search->charset.length == 0)
		return search->has_unknown_charset ? REPLY_BAD_CHARSET : REPLY_DONE;
	if (!mime_convert_strict(search->charset, SPAN(""), &text))
		reply = REPLY_BAD_CHARSET;
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
	if (reply == REPLY_DONE)
		search->charset = (struct span){ NULL, 0 };
	buffer_free(&text);
	return reply;
}
