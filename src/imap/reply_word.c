/*
 * The terminals of replies, as servers really send them.  RFC 9051 section 9 ("string", "nstring", "literal8").  Pure.
 */
#include "reply_read.h"

static bool
is_word_octet(uint8_t octet)
{
	return octet > ' ' && octet != '(' && octet != ')';
}

bool
reply_word(struct reply_cursor *cursor, struct span *word_out)
{
	return cursor_run(&cursor->in, is_word_octet, word_out);
}

/* A backslash that escapes nothing stands for itself. */
static struct span
unescape(struct reply_cursor *cursor, struct span quoted)
{
	uint8_t *plain = arena_alloc(cursor->in.arena, quoted.length);
	size_t length = 0;

	for (size_t i = 0; i < quoted.length; i++) {
		if (quoted.at[i] == '\\' && i + 1 < quoted.length && (quoted.at[i + 1] == '"' || quoted.at[i + 1] == '\\'))
			i++;
		plain[length++] = quoted.at[i];
	}
	return span_of(plain, length);
}

/* Behind the opening quote. */
static bool
read_quoted(struct reply_cursor *cursor, struct span *octets_out)
{
	struct span rest = span_from(cursor->in.text, cursor->in.at);
	bool is_escaped = false;
	size_t end = 0;

	while (end < rest.length && rest.at[end] != '"' && rest.at[end] != '\n') {
		if (rest.at[end] == '\\' && end + 1 < rest.length) {
			is_escaped = true;
			end++;
		}
		end++;
	}
	if (end >= rest.length || rest.at[end] != '"')
		return false;
	*octets_out = span_slice(rest, 0, end);
	if (is_escaped)
		*octets_out = unescape(cursor, *octets_out);
	cursor->in.at += end + 1;
	return true;
}

/* Whether the octets of the literal that begins here went elsewhere. */
static bool
is_taken(struct reply_cursor *cursor)
{
	if (cursor->taken == cursor->text->taken_count || cursor->text->taken[cursor->taken] != cursor->in.at)
		return false;
	cursor->taken++;
	return true;
}

/* Behind the opening brace. */
static bool
read_literal(struct reply_cursor *cursor, struct reply_string *string_out)
{
	struct cursor *in = &cursor->in;

	if (!cursor_number(in, UINT64_MAX, &string_out->size))
		return false;
	cursor_skip(in, '+');
	if (!cursor_skip(in, '}'))
		return false;
	cursor_skip(in, '\r');
	if (!cursor_skip(in, '\n'))
		return false;
	string_out->is_taken = is_taken(cursor);
	if (string_out->is_taken)
		return true;
	string_out->octets = span_slice(in->text, in->at, (size_t)string_out->size);
	in->at += string_out->octets.length;
	return string_out->octets.length == string_out->size;
}

bool
reply_string(struct reply_cursor *cursor, struct reply_string *string_out)
{
	struct cursor *in = &cursor->in;
	bool is_binary = cursor_peek(in) == '~' && in->at + 1 < in->text.length && in->text.at[in->at + 1] == '{';

	*string_out = (struct reply_string){ .size = 0 };
	if (is_binary)
		in->at++;
	if (cursor_skip(in, '{'))
		return read_literal(cursor, string_out);
	if (cursor_skip(in, '"')) {
		if (!read_quoted(cursor, &string_out->octets))
			return false;
	} else {
		string_out->is_atom = true;
		if (!reply_word(cursor, &string_out->octets))
			return false;
		string_out->is_nil = span_equals_nocase(string_out->octets, SPAN("NIL"));
	}
	if (string_out->is_nil)
		string_out->octets = (struct span){ NULL, 0 };
	string_out->size = string_out->octets.length;
	return true;
}

bool
reply_skip(struct reply_cursor *cursor)
{
	struct reply_string string;
	size_t depth = 0;

	do {
		cursor_skip_spaces(&cursor->in);
		if (cursor_skip(&cursor->in, '('))
			depth++;
		else if (depth > 0 && cursor_skip(&cursor->in, ')'))
			depth--;
		else if (!reply_string(cursor, &string))
			return false;
	} while (depth > 0);
	return true;
}

bool
reply_number(struct reply_cursor *cursor, uint64_t max, uint64_t *number_out)
{
	struct span word;

	cursor_skip_spaces(&cursor->in);
	return reply_word(cursor, &word) && span_to_number(word, max, number_out);
}

bool
reply_read_sequence(struct arena *arena, struct span text, struct imap_sequence *sequence_out)
{
	return imap_sequence_parse(arena, text, sequence_out) && !sequence_out->has_star && !sequence_out->is_saved;
}

bool
reply_sequence(struct reply_cursor *cursor, struct imap_sequence *sequence_out)
{
	struct span word;

	cursor_skip_spaces(&cursor->in);
	return reply_word(cursor, &word) && reply_read_sequence(cursor->in.arena, word, sequence_out);
}

bool
reply_strings(struct reply_cursor *cursor, struct span **strings_out, size_t *count_out)
{
	void *strings = NULL;

	*count_out = 0;
	for (;;) {
		struct reply_string string;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in) || cursor_skip(&cursor->in, ')'))
			break;
		if (!reply_string(cursor, &string) || string.is_taken)
			return false;
		*(struct span *)cursor_grow(&cursor->in, &strings, count_out, sizeof(struct span)) = string.octets;
	}
	*strings_out = strings;
	return true;
}

bool
reply_list(struct reply_cursor *cursor, struct span **strings_out, size_t *count_out)
{
	struct reply_string nil;

	cursor_skip_spaces(&cursor->in);
	*strings_out = NULL;
	*count_out = 0;
	if (cursor_skip(&cursor->in, '('))
		return reply_strings(cursor, strings_out, count_out);
	return reply_string(cursor, &nil) && nil.is_nil;
}
