/*
 * Address lists as they are written, not only as they should be: RFC 5322 sections 3.4 and 4.4.  One pass
 * without going back; what a character means depends only on what was read of this address.  The strings
 * are gathered in one buffer and pointed at when the address is whole.  Any thread.
 */
#include "mime/address.h"
#include "token.h"
#include "word.h"

/* A string in the reader's text. */
struct piece {
	size_t begin, end;
};

struct draft {
	struct piece name, route, mailbox, domain;
};

static struct span
piece_of(const struct buffer *text, struct piece piece)
{
	return span_trim(span_slice(buffer_span(text), piece.begin, piece.end - piece.begin));
}

static bool
is_separator(uint8_t octet)
{
	return octet == ',' || octet == ';';
}

/* Not a word: what stands by itself in a list. */
static bool
is_special(uint8_t octet)
{
	return token_is_space(octet) || is_separator(octet) || octet == '(' || octet == '"' || octet == '<' ||
	    octet == '>' || octet == '@';
}

/*
 * The length of the encoded word that stands here, or 0.  Nothing in it means anything in an address: RFC 2047
 * section 5 has only letters, digits and "!*+-/=_" there, mail has colons, commas and spaces.  A quote, an angle or
 * the end of a line in it says that it is none.
 */
static size_t
word_length(const struct cursor *cursor)
{
	struct span rest = span_of(cursor->at, (size_t)(cursor->end - cursor->at));
	struct word word;

	if (!span_starts_with(rest, SPAN("=?")) || !word_read(rest, 0, &word))
		return 0;
	for (size_t i = 0; i < word.text.length; i++)
		if (word.text.at[i] < ' ' || strchr("\"<>", word.text.at[i]) != NULL)
			return 0;
	return word.end;
}

static void
add_octets(struct buffer *text, struct cursor *cursor, size_t length)
{
	while (length-- > 0)
		token_add(text, *cursor->at++);
}

/* One word and what is joined to it; false if there is none. */
static bool
read_words(struct cursor *cursor, struct mime_address_reader *reader)
{
	const uint8_t *before = cursor->at;
	size_t length;

	while (cursor->at < cursor->end && !is_special(*cursor->at) && (*cursor->at != ':' || reader->is_in_group)) {
		length = word_length(cursor);
		add_octets(&reader->text, cursor, length == 0 ? 1 : length);
	}
	return cursor->at > before;
}

/*
 * Words up to a special that ends them, one space where there was any.  A colon ends them outside of a
 * group, where it begins one.
 */
static void
read_phrase(struct cursor *cursor, struct mime_address_reader *reader, bool *is_quoted_out)
{
	struct buffer *text = &reader->text;

	for (;;) {
		const uint8_t *before = cursor->at;

		token_skip_space(cursor, &reader->comment);
		if (cursor->at > before && text->length > 0)
			buffer_add_octet(text, ' ');
		if (cursor_is_at(cursor, '"')) {
			*is_quoted_out = true;
			token_read_quoted(cursor, text);
			continue;
		}
		if (!read_words(cursor, reader))
			return;
	}
}

/* Obsolete syntax allows space around the dots of a local part: RFC 5322 section 4.4. */
static void
close_dots(struct buffer *text, size_t begin)
{
	size_t to = begin;

	for (size_t i = begin; i < text->length; i++) {
		if (text->at[i] == ' ' && i + 1 < text->length && text->at[i + 1] == '.')
			continue;
		if (text->at[i] == ' ' && to > begin && text->at[to - 1] == '.')
			continue;
		text->at[to++] = text->at[i];
	}
	text->length = to;
}

static void
read_literal(struct cursor *cursor, struct buffer *text)
{
	while (cursor->at < cursor->end) {
		uint8_t octet = *cursor->at++;

		if (octet != '\r' && octet != '\n')
			token_add(text, octet);
		if (octet == ']')
			break;
	}
}

/* Behind the '@': ends at a special, or at space that is not next to a dot. */
static struct piece
read_domain(struct cursor *cursor, struct mime_address_reader *reader)
{
	struct buffer *text = &reader->text;
	struct piece domain = { text->length, text->length };

	for (;;) {
		const uint8_t *before = cursor->at;

		token_skip_space(cursor, &reader->comment);
		if (cursor->at > before && text->length > domain.begin && text->at[text->length - 1] != '.' &&
		    !cursor_is_at(cursor, '.'))
			break;
		before = cursor->at;
		if (cursor_is_at(cursor, '[')) {
			read_literal(cursor, text);
		} else {
			while (cursor->at < cursor->end && *cursor->at != '[' &&
			    (!is_special(*cursor->at) || *cursor->at == '@'))
				token_add(text, *cursor->at++);
		}
		if (cursor->at == before)
			break;
	}
	domain.end = text->length;
	return domain;
}

/* At an '@' that begins a route: "@a,@b:".  Without its colon it is no route, and no mailbox either. */
static struct piece
read_route(struct cursor *cursor, struct mime_address_reader *reader)
{
	struct piece route = { reader->text.length, 0 };

	while (cursor->at < cursor->end) {
		token_skip_space(cursor, NULL);
		if (cursor->at == cursor->end || (is_special(*cursor->at) && *cursor->at != '@' &&
		    *cursor->at != ','))
			break;
		if (*cursor->at == ':') {
			cursor->at++;
			break;
		}
		token_add(&reader->text, *cursor->at++);
	}
	route.end = reader->text.length;
	return route;
}

/* Behind the '<'. */
static void
read_angle(struct cursor *cursor, struct mime_address_reader *reader, struct draft *draft)
{
	struct buffer *text = &reader->text;
	bool is_quoted = false;

	token_skip_space(cursor, NULL);
	if (cursor_is_at(cursor, '@'))
		draft->route = read_route(cursor, reader);
	draft->mailbox.begin = text->length;
	for (;;) {
		token_skip_space(cursor, NULL);
		if (cursor_is_at(cursor, '"')) {
			is_quoted = true;
			token_read_quoted(cursor, text);
		} else if (cursor->at < cursor->end && !is_special(*cursor->at)) {
			token_add(text, *cursor->at++);
		} else {
			break;
		}
	}
	if (!is_quoted)
		close_dots(text, draft->mailbox.begin);
	draft->mailbox.end = text->length;
	if (cursor_is_at(cursor, '@')) {
		cursor->at++;
		draft->domain = read_domain(cursor, reader);
	}
	if (cursor_is_at(cursor, '>'))
		cursor->at++;
}

/* To the separator; what stands there is nobody's, but a comment may be a name. */
static void
skip_rest(struct cursor *cursor, struct mime_address_reader *reader, bool is_angle_wanted)
{
	for (;;) {
		token_skip_space(cursor, &reader->comment);
		if (cursor->at == cursor->end || is_separator(*cursor->at) ||
		    (is_angle_wanted && *cursor->at == '<'))
			return;
		if (*cursor->at == '"') {
			size_t length = reader->text.length;

			token_read_quoted(cursor, &reader->text);
			reader->text.length = length;
		} else {
			cursor->at++;
		}
	}
}

/*
 * "words@domain", or "words" with nothing behind them.  An unquoted address in front of another in angle
 * brackets is its name.
 */
static void
read_bare(struct cursor *cursor, struct mime_address_reader *reader, struct draft *draft, bool is_quoted)
{
	struct buffer *text = &reader->text;

	if (!is_quoted)
		close_dots(text, 0);
	draft->mailbox = (struct piece){ 0, text->length };
	if (cursor_is_at(cursor, '@')) {
		cursor->at++;
		buffer_add_octet(text, '@');
		draft->domain = read_domain(cursor, reader);
	}
	skip_rest(cursor, reader, true);
	if (cursor_is_at(cursor, '<')) {
		cursor->at++;
		*draft = (struct draft){ .name = { 0, text->length } };
		read_angle(cursor, reader, draft);
		skip_rest(cursor, reader, false);
	}
}

static void
fill(const struct mime_address_reader *reader, enum mime_address_kind kind, const struct draft *draft,
    struct mime_address *address_out)
{
	*address_out = (struct mime_address){
		.kind = kind,
		.name = piece_of(&reader->text, draft->name),
		.route = piece_of(&reader->text, draft->route),
		.mailbox = piece_of(&reader->text, draft->mailbox),
		.domain = piece_of(&reader->text, draft->domain),
	};
	if (kind == MIME_ADDRESS && address_out->name.length == 0)
		address_out->name = span_trim(buffer_span(&reader->comment));
}

/* Something other than a separator is there. */
static enum mime_address_kind
read_one(struct cursor *cursor, struct mime_address_reader *reader, struct draft *draft)
{
	bool is_quoted = false;

	read_phrase(cursor, reader, &is_quoted);
	if (cursor_is_at(cursor, ':')) {
		cursor->at++;
		reader->is_in_group = true;
		draft->name = (struct piece){ 0, reader->text.length };
		return MIME_ADDRESS_GROUP_START;
	}
	if (cursor_is_at(cursor, '<')) {
		cursor->at++;
		draft->name = (struct piece){ 0, reader->text.length };
		read_angle(cursor, reader, draft);
		skip_rest(cursor, reader, false);
	} else {
		read_bare(cursor, reader, draft, is_quoted);
	}
	return MIME_ADDRESS;
}

/* Skip what separates; true if that ended the group. */
static bool
skip_separators(struct cursor *cursor, struct mime_address_reader *reader)
{
	for (;;) {
		token_skip_space(cursor, &reader->comment);
		if (cursor->at == cursor->end || !is_separator(*cursor->at))
			break;
		buffer_clear(&reader->comment);
		if (*cursor->at++ == ';' && reader->is_in_group)
			return true;
	}
	return cursor->at == cursor->end && reader->is_in_group;
}

bool
mime_address_next(struct mime_address_reader *reader, struct mime_address *address_out)
{
	struct cursor cursor = cursor_of(reader->rest);
	struct draft draft = { .name = { 0, 0 } };
	bool is_there = true;

	buffer_clear(&reader->text);
	buffer_clear(&reader->comment);
	if (skip_separators(&cursor, reader)) {
		reader->is_in_group = false;
		buffer_clear(&reader->comment);
		fill(reader, MIME_ADDRESS_GROUP_END, &draft, address_out);
	} else if (cursor.at < cursor.end) {
		enum mime_address_kind kind = read_one(&cursor, reader, &draft);

		fill(reader, kind, &draft, address_out);
	} else {
		is_there = false;
	}
	reader->rest = span_of(cursor.at, (size_t)(cursor.end - cursor.at));
	return is_there;
}

void
mime_address_reader_fini(struct mime_address_reader *reader)
{
	buffer_free(&reader->text);
	buffer_free(&reader->comment);
}
