/*
 * Arguments of ID, LOGIN, AUTHENTICATE, ENABLE and COMPRESS.  RFC 9051 sections 6.1 to 6.3.1, RFC 2971,
 * RFC 4959, RFC 5161, RFC 4978.  Pure.
 */
#include "base/memory.h"
#include "read.h"

#define ID_PAIRS_MAX 30

/* RFC 2971 section 3.3 allows 30. */
static bool
read_pair(struct cursor *cursor, void *context)
{
	struct imap_id *id = context;
	struct imap_id_pair *pair;

	if (cursor->forgotten + id->count == ID_PAIRS_MAX)
		return cursor_fail(cursor, "ID takes at most 30 pairs");
	pair = cursor_grow(cursor, (void **)&id->pairs, &id->count, sizeof *pair);
	if (!cursor_string(cursor, &pair->name) || !cursor_space(cursor))
		return false;
	pair->is_nil = cursor_word(cursor, "NIL");
	return pair->is_nil || cursor_string(cursor, &pair->value);
}

bool
imap_read_id(struct cursor *cursor, struct imap_command_line *line)
{
	if (!cursor_space(cursor))
		return false;
	return cursor_word(cursor, "NIL") || cursor_list(cursor, true, read_pair, &line->id);
}

bool
imap_skip_id_pairs(struct cursor *cursor, struct imap_command_line *line, size_t *begin_out, size_t *length_out)
{
	struct imap_id id = { NULL, 0 };

	if (!imap_read_start(cursor, line) || line->verb != IMAP_ID || !cursor_skip(cursor, ' ') ||
	    !cursor_skip(cursor, '('))
		return false;
	*begin_out = cursor->at;
	*length_out = 0;
	while (read_pair(cursor, &id) && cursor_skip(cursor, ' ')) {
		*length_out = cursor->at - *begin_out;
		cursor->forgotten++;
		id.count = 0;
	}
	return *length_out > 0;
}

bool
imap_read_login(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_astring(cursor, &line->login.user) && cursor_space(cursor) &&
	    cursor_astring(cursor, &line->login.password);
}

static bool
is_base64_octet(uint8_t octet)
{
	octet = ascii_lower(octet);
	return (octet >= 'a' && octet <= 'z') || ascii_is_digit(octet) || octet == '+' || octet == '/' ||
	    octet == '=';
}

bool
imap_read_authenticate(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_authenticate *authenticate = &line->authenticate;

	if (!cursor_space(cursor) || !cursor_atom(cursor, &authenticate->mechanism))
		return false;
	if (cursor_is_at_end(cursor))
		return true;
	authenticate->has_initial = true;
	if (!cursor_space(cursor))
		return false;
	if (!cursor_run(cursor, is_base64_octet, &authenticate->initial))
		return cursor_fail(cursor, "The initial response is not base64");
	if (span_equals(authenticate->initial, SPAN("=")))
		authenticate->initial.length = 0;
	return true;
}

bool
imap_read_enable(struct cursor *cursor, struct imap_command_line *line)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ IMAP_ENABLE_REV2, "IMAP4rev2" },
		{ IMAP_ENABLE_UTF8, "UTF8=ACCEPT" },
		{ IMAP_ENABLE_CONDSTORE, "CONDSTORE" },
		{ IMAP_ENABLE_QRESYNC, "QRESYNC" },
		{ IMAP_ENABLE_UIDONLY, "UIDONLY" },
	};
	struct span name;

	do {
		if (!cursor_space(cursor) || !cursor_node(cursor) || !cursor_atom(cursor, &name))
			return false;
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (span_equals_nocase(name, span_from_string(names[i].name)))
				line->enable.names |= names[i].bit;
	} while (!cursor_is_at_end(cursor));
	return true;
}

/* RFC 4978 section 6 knows one algorithm. */
bool
imap_read_compress(struct cursor *cursor, struct imap_command_line *line)
{
	(void)line;
	return cursor_space(cursor) &&
	    (cursor_word(cursor, "DEFLATE") || cursor_fail(cursor, "COMPRESS takes DEFLATE"));
}
