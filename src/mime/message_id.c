/*
 * Message identifiers: whatever stands between angle brackets without space inside; the plain form also takes what the
 * obsolete syntax allows there.  Any thread.
 */
#include "mime/message_id.h"

#define PLAIN_OCTETS_MAX 998	/* of an identifier with all that stands in it: a line of RFC 5322 */

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

/* ---- the plain form ------------------------------------------------------------------------------------- */

/* The offset behind a comment that begins here; the end of the value, if it never ends. */
static size_t
skip_comment(struct span value, size_t at)
{
	unsigned depth = 0;

	for (; at < value.length; at++) {
		if (value.at[at] == '\\')
			at++;
		else if (value.at[at] == '(')
			depth++;
		else if (value.at[at] == ')' && --depth == 0)
			return at + 1;
	}
	return value.length;
}

/* Take what stands between quotes or brackets, from behind the first to behind the last; 0: it never ends. */
static size_t
take_until(struct span value, size_t at, uint8_t end, struct buffer *id)
{
	for (; at < value.length && value.at[at] != end; at++) {
		if (value.at[at] == '\\' && at + 1 < value.length)
			at++;
		if (value.at[at] != '\r' && value.at[at] != '\n')
			buffer_add_octet(id, value.at[at]);
	}
	return at < value.length ? at + 1 : 0;
}

static bool
is_between_words(const struct buffer *id, uint8_t next)
{
	uint8_t last = id->length > 0 ? id->at[id->length - 1] : '.';

	return last == '.' || last == '@' || next == '.' || next == '@' || next == '>';
}

/*
 * Read one from behind its "<" on.  Gives the offset behind its ">", or 0 if it is none.  Space may stand at its
 * ends and around "." and "@" (RFC 5322 section 4.5.4, obs-id-left), not within a word.
 */
static size_t
read_plain(struct span value, size_t at, struct buffer *id)
{
	size_t at_sign = SIZE_MAX;
	bool is_parted = false;

	value = span_slice(value, 0, at + PLAIN_OCTETS_MAX);
	buffer_clear(id);
	while (at > 0 && at < value.length && value.at[at] != '<') {
		uint8_t octet = value.at[at++];

		if (octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n' || octet == '(') {
			at = octet == '(' ? skip_comment(value, at - 1) : at;
			is_parted = true;
			continue;
		}
		if (octet < ' ' || octet == 127 || (is_parted && !is_between_words(id, octet)))
			return 0;
		is_parted = false;
		if (octet == '>')
			return at_sign != SIZE_MAX && at_sign > 0 && at_sign + 1 < id->length ? at : 0;
		if (octet == '@')
			at_sign = id->length;
		if (octet == '"' || octet == '[')
			at = take_until(value, at, octet == '"' ? '"' : ']', id);
		else
			buffer_add_octet(id, octet);
	}
	return 0;
}

bool
mime_message_id_next_plain(struct span value, size_t *offset, struct buffer *id)
{
	size_t at = *offset, behind;

	while ((at += span_find(span_from(value, at), '<')) < value.length) {
		if ((behind = read_plain(value, at + 1, id)) > 0) {
			*offset = behind;
			return true;
		}
		at++;
	}
	*offset = value.length;
	return false;
}
