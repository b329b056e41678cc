/*
 * The terminals of the grammar.  RFC 9051 section 9.  Pure.
 */
#include "cursor.h"

#include "base/memory.h"

bool
imap_is_atom_octet(uint8_t octet)
{
	return octet > ' ' && octet < 127 && strchr("(){%*\"\\]", octet) == NULL;
}

bool
imap_is_astring_octet(uint8_t octet)
{
	return octet == ']' || imap_is_atom_octet(octet);
}

bool
imap_is_list_octet(uint8_t octet)
{
	return octet == '%' || octet == '*' || imap_is_astring_octet(octet);
}

bool
imap_is_tag_octet(uint8_t octet)
{
	return octet != '+' && imap_is_astring_octet(octet);
}

bool
imap_is_tag(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!imap_is_tag_octet(text.at[i]))
			return false;
	return text.length > 0;
}

static bool
is_sequence_octet(uint8_t octet)
{
	return ascii_is_digit(octet) || (octet != 0 && strchr("*:,$", octet) != NULL);
}

bool
cursor_fail(struct cursor *cursor, const char *error)
{
	if (cursor->error == NULL)
		cursor->error = error;
	return false;
}

bool
cursor_refuse(struct cursor *cursor, const char *code, const char *reason)
{
	if (cursor->refusal == NULL) {
		cursor->refusal = reason;
		cursor->refusal_code = code;
	}
	return true;
}

bool
cursor_settle(struct cursor *cursor)
{
	if (cursor->error != NULL || cursor->refusal == NULL)
		return cursor->error == NULL;
	cursor->status = IMAP_ERROR_NO;
	cursor->code = cursor->refusal_code;
	return cursor_fail(cursor, cursor->refusal);
}

int
cursor_peek(const struct cursor *cursor)
{
	return cursor->at < cursor->text.length ? cursor->text.at[cursor->at] : -1;
}

bool
cursor_is_at_end(const struct cursor *cursor)
{
	return cursor->at == cursor->text.length;
}

bool
cursor_skip(struct cursor *cursor, uint8_t octet)
{
	if (cursor_peek(cursor) != octet)
		return false;
	cursor->at++;
	return true;
}

bool
cursor_expect(struct cursor *cursor, uint8_t octet)
{
	return cursor_skip(cursor, octet) ||
	    cursor_fail(cursor, octet == '(' ? "Expected a parenthesised list" :
		    octet == ')' ? "Expected the end of a list" : "Unexpected character in arguments");
}

bool
cursor_space(struct cursor *cursor)
{
	return cursor_skip(cursor, ' ') ||
	    cursor_fail(cursor, cursor_is_at_end(cursor) ? "Missing arguments" : "Expected a space");
}

void
cursor_skip_spaces(struct cursor *cursor)
{
	while (cursor_skip(cursor, ' '))
		continue;
}

bool
cursor_spaces(struct cursor *cursor)
{
	if (!cursor_space(cursor))
		return false;
	cursor_skip_spaces(cursor);
	return true;
}

bool
cursor_end(struct cursor *cursor)
{
	while (cursor_skip(cursor, ' '))	/* some clients leave a space there */
		continue;
	return cursor_is_at_end(cursor) || cursor_fail(cursor, "Unexpected text behind the arguments");
}

bool
cursor_node(struct cursor *cursor)
{
	return ++cursor->nodes <= cursor->limits->list_nodes || cursor_fail(cursor, "Too many elements");
}

bool
cursor_run(struct cursor *cursor, octet_class *is_member, struct span *run_out)
{
	size_t start = cursor->at;

	while (cursor->at < cursor->text.length && is_member(cursor->text.at[cursor->at]))
		cursor->at++;
	*run_out = span_slice(cursor->text, start, cursor->at - start);
	return run_out->length > 0;
}

bool
cursor_atom(struct cursor *cursor, struct span *atom_out)
{
	return cursor_run(cursor, imap_is_atom_octet, atom_out) || cursor_fail(cursor, "Expected a word");
}

struct span
cursor_peek_atom(const struct cursor *cursor)
{
	struct cursor copy = *cursor;
	struct span atom;

	cursor_run(&copy, imap_is_atom_octet, &atom);
	return atom;
}

bool
cursor_word(struct cursor *cursor, const char *word)
{
	struct span atom = cursor_peek_atom(cursor);

	if (!span_equals_nocase(atom, span_from_string(word)))
		return false;
	cursor->at += atom.length;
	return true;
}

/* Without the backslashes: in the arena, but only when there are some. */
static struct span
unescape(struct cursor *cursor, struct span quoted)
{
	uint8_t *plain = arena_alloc(cursor->arena, quoted.length);
	size_t length = 0;

	for (size_t i = 0; i < quoted.length; i++) {
		if (quoted.at[i] == '\\')
			i++;
		plain[length++] = quoted.at[i];
	}
	return span_of(plain, length);
}

/* Behind the opening quote. */
static bool
read_quoted(struct cursor *cursor, struct span *string_out)
{
	size_t start = cursor->at;
	bool is_ascii = true, is_escaped = false;
	struct span quoted;

	for (;; cursor->at++) {
		int octet = cursor_peek(cursor);

		if (octet == -1 || octet == '\n')
			return cursor_fail(cursor, "Missing closing quote");
		if (octet == '"')
			break;
		if (octet == '\\') {
			is_escaped = true;
			cursor->at++;
			if (cursor_peek(cursor) != '"' && cursor_peek(cursor) != '\\')
				return cursor_fail(cursor, "Only \" and \\ may follow a backslash");
		}
		is_ascii &= octet < 128;
	}
	quoted = span_slice(cursor->text, start, cursor->at - start);
	cursor->at++;
	if (!is_ascii && !cursor->has_charset && !imap_utf8_is_valid(quoted))
		return cursor_fail(cursor, "Quoted string is not UTF-8");
	*string_out = is_escaped ? unescape(cursor, quoted) : quoted;
	return true;
}

/* Behind the opening brace; the reader of lines has seen that all announced octets are there. */
static bool
read_octets(struct cursor *cursor, struct span *octets_out)
{
	uint64_t length;

	if (!cursor_number(cursor, cursor->text.length, &length))
		return false;
	cursor_skip(cursor, '+');
	if (!cursor_expect(cursor, '}') || !cursor_expect(cursor, '\n'))
		return false;
	if (length > cursor->text.length - cursor->at)
		return cursor_fail(cursor, "Literal is cut short");
	*octets_out = span_slice(cursor->text, cursor->at, length);
	cursor->at += length;
	return true;
}

static bool
read_literal(struct cursor *cursor, struct span *string_out)
{
	return read_octets(cursor, string_out) &&
	    (span_find(*string_out, 0) == string_out->length || cursor_fail(cursor, "NUL in a literal"));
}

bool
cursor_string(struct cursor *cursor, struct span *string_out)
{
	if (cursor_skip(cursor, '"'))
		return read_quoted(cursor, string_out);
	if (cursor_skip(cursor, '{'))
		return read_literal(cursor, string_out);
	return cursor_fail(cursor, "Expected a string");
}

bool
cursor_astring(struct cursor *cursor, struct span *string_out)
{
	return cursor_run(cursor, imap_is_astring_octet, string_out) || cursor_string(cursor, string_out);
}

bool
cursor_value(struct cursor *cursor, struct span *value_out)
{
	*value_out = (struct span){ NULL, 0 };
	if (cursor_word(cursor, "NIL"))
		return true;
	if (cursor_skip(cursor, '~'))
		return cursor_expect(cursor, '{') && read_octets(cursor, value_out);
	return cursor_string(cursor, value_out);
}

bool
cursor_text(struct cursor *cursor, struct span *text_out)
{
	return cursor_astring(cursor, text_out) && (cursor->has_charset || imap_utf8_is_valid(*text_out) ||
	    cursor_fail(cursor, "String is not UTF-8"));
}

bool
cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number_out)
{
	struct span digits;

	if (!cursor_run(cursor, ascii_is_digit, &digits))
		return cursor_fail(cursor, "Expected a number");
	return span_to_number(digits, max, number_out) || cursor_fail(cursor, "Number is out of range");
}

bool
cursor_nz_number(struct cursor *cursor, uint64_t max, uint64_t *number_out)
{
	if (cursor_peek(cursor) == '0')
		return cursor_fail(cursor, "Expected a number that begins with 1 to 9");
	return cursor_number(cursor, max, number_out);
}

bool
cursor_sequence(struct cursor *cursor, struct imap_sequence *sequence_out)
{
	struct span text;

	return (cursor_run(cursor, is_sequence_octet, &text) &&
		   imap_sequence_parse(cursor->arena, text, sequence_out)) ||
	    cursor_fail(cursor, "Invalid set of message numbers");
}

/* Only UTF-8 can be told in another form: modified UTF-7 is not what a name is. */
static void
note_name(struct cursor *cursor, struct span sent, struct span canonical)
{
	if (cursor->sent_name.length == 0)
		cursor->sent_name = sent;
	if (cursor->is_utf8 && !span_equals(sent, canonical))
		cursor->has_other_name = true;
}

bool
cursor_canonical(struct cursor *cursor, struct span sent, struct span *name_out)
{
	struct buffer name = { 0 };
	enum imap_name_status status = imap_name_canonical(sent, cursor->is_utf8, &name);

	if (status == IMAP_NAME_OK) {
		*name_out = arena_copy(cursor->arena, buffer_span(&name));
		note_name(cursor, sent, *name_out);
	}
	buffer_free(&name);
	return status == IMAP_NAME_OK || cursor_refuse(cursor, "CANNOT", imap_name_status_text(status));
}

bool
cursor_mailbox(struct cursor *cursor, struct span *name_out)
{
	struct span sent;

	return cursor_astring(cursor, &sent) && cursor_canonical(cursor, sent, name_out);
}

void *
cursor_grow(struct cursor *cursor, void **array, size_t *count, size_t size)
{
	/* Full at powers of two: then move to twice the room. */
	if (*count == 0 || (*count >= 4 && (*count & (*count - 1)) == 0)) {
		void *larger = arena_alloc_array(cursor->arena, *count == 0 ? 4 : *count * 2, size);

		if (*count > 0)
			memcpy(larger, *array, *count * size);
		*array = larger;
	}
	return (char *)*array + size * (*count)++;
}

bool
cursor_list(struct cursor *cursor, bool may_be_empty, cursor_element *element, void *context)
{
	if (!cursor_expect(cursor, '('))
		return false;
	if (may_be_empty && cursor_skip(cursor, ')'))
		return true;
	for (;;) {
		if (!cursor_node(cursor) || !element(cursor, context))
			return false;
		if (cursor_skip(cursor, ')'))
			return true;
		if (!cursor_space(cursor))
			return false;
	}
}

bool
cursor_date_time(struct cursor *cursor, struct imap_date_time *time_out)
{
	struct span text;

	return cursor_expect(cursor, '"') && read_quoted(cursor, &text) &&
	    (imap_date_time_parse(text, time_out) || cursor_fail(cursor, "Invalid date and time"));
}
