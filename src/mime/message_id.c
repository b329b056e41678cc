/*
 * Message identifiers: whatever stands between angle brackets without space inside.  Any thread.
 */
#include "mime/message_id.h"

/* The identifier that begins at the bracket at offset, or an empty span. */
static struct span
id_at(struct span value, size_t offset)
{
	for (size_t i = offset + 1; i < value.length; i++) {
		uint8_t octet = value.at[i];

		if (octet == '>')
			return i > offset + 1 ? span_slice(value, offset, i + 1 - offset) : (struct span){ NULL, 0 };
		if (octet == '<' || octet <= ' ' || octet == 127)
			break;
	}
	return (struct span){ NULL, 0 };
}

bool
mime_message_id_next(struct span value, size_t *offset, struct span *id_out)
{
	size_t at = *offset;

	while (at < value.length) {
		struct span id;

		at += span_find(span_from(value, at), '<');
		if (at >= value.length)
			break;
		id = id_at(value, at);
		if (id.length > 0) {
			*offset = at + id.length;
			*id_out = id;
			return true;
		}
		at++;
	}
	*offset = value.length;
	return false;
}

struct span
mime_message_id_first(struct span value)
{
	struct span id = { NULL, 0 };
	size_t offset = 0;

	mime_message_id_next(value, &offset, &id);
	return id;
}

struct span
mime_message_id_last(struct span value)
{
	struct span id = { NULL, 0 };
	size_t offset = 0;

	while (mime_message_id_next(value, &offset, &id))
		;
	return id;
}
