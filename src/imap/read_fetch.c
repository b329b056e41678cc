/*
 * Arguments of FETCH, and the text by which a reply names each item.  RFC 9051 section 9, "fetch-att";
 * RFC 3501 section 9; RFC 2062 section 6.4.5.OBS.1; RFC 3516; RFC 7162 section 3.1.4; RFC 8970;
 * RFC 9394.  Pure.
 */
#include "base/memory.h"
#include "imap/writer.h"
#include "read.h"

static const struct {
	const char *name;
	enum imap_fetch_kind kind;
	enum imap_section section;
	bool sets_seen;
} plain_items[] = {
	{ "UID", IMAP_FETCH_UID, IMAP_SECTION_ALL, false },
	{ "FLAGS", IMAP_FETCH_FLAGS, IMAP_SECTION_ALL, false },
	{ "INTERNALDATE", IMAP_FETCH_INTERNALDATE, IMAP_SECTION_ALL, false },
	{ "RFC822.SIZE", IMAP_FETCH_RFC822_SIZE, IMAP_SECTION_ALL, false },
	{ "MODSEQ", IMAP_FETCH_MODSEQ, IMAP_SECTION_ALL, false },
	{ "EMAILID", IMAP_FETCH_EMAILID, IMAP_SECTION_ALL, false },
	{ "THREADID", IMAP_FETCH_THREADID, IMAP_SECTION_ALL, false },
	{ "SAVEDATE", IMAP_FETCH_SAVEDATE, IMAP_SECTION_ALL, false },
	{ "ENVELOPE", IMAP_FETCH_ENVELOPE, IMAP_SECTION_ALL, false },
	{ "BODY", IMAP_FETCH_BODY, IMAP_SECTION_ALL, false },
	{ "BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE, IMAP_SECTION_ALL, false },
	{ "RFC822", IMAP_FETCH_RFC822, IMAP_SECTION_ALL, true },
	{ "RFC822.HEADER", IMAP_FETCH_RFC822_HEADER, IMAP_SECTION_HEADER, false },
	{ "RFC822.TEXT", IMAP_FETCH_RFC822_TEXT, IMAP_SECTION_TEXT, true },
	/* Obsolete since RFC 2060; Outlook reads messages by them.  The reply names the first of a kind. */
	{ "RFC822.PEEK", IMAP_FETCH_RFC822, IMAP_SECTION_ALL, false },
	{ "RFC822.TEXT.PEEK", IMAP_FETCH_RFC822_TEXT, IMAP_SECTION_TEXT, false },
};

static const struct {
	const char *name;
	enum imap_fetch_kind kind;
	bool sets_seen;
} section_items[] = {
	{ "BODY", IMAP_FETCH_SECTION, true },
	{ "BODY.PEEK", IMAP_FETCH_SECTION, false },
	{ "BINARY", IMAP_FETCH_BINARY, true },
	{ "BINARY.PEEK", IMAP_FETCH_BINARY, false },
	{ "BINARY.SIZE", IMAP_FETCH_BINARY_SIZE, false },
};

static const char *const section_names[] = {
	[IMAP_SECTION_ALL] = "",
	[IMAP_SECTION_HEADER] = "HEADER",
	[IMAP_SECTION_HEADER_FIELDS] = "HEADER.FIELDS",
	[IMAP_SECTION_HEADER_FIELDS_NOT] = "HEADER.FIELDS.NOT",
	[IMAP_SECTION_TEXT] = "TEXT",
	[IMAP_SECTION_MIME] = "MIME",
};

static bool
is_word_octet(uint8_t octet)
{
	uint8_t lower = ascii_lower(octet);

	return (lower >= 'a' && lower <= 'z') || ascii_is_digit(octet) || octet == '.';
}

/* "4.2" or "4.2." before a word; false without an error when a word comes at once. */
static bool
read_part(struct cursor *cursor, struct imap_fetch_item *item)
{
	while (cursor_peek(cursor) >= '0' && cursor_peek(cursor) <= '9') {
		uint64_t number;

		if (!cursor_nz_number(cursor, UINT32_MAX, &number))
			return false;
		*(uint32_t *)cursor_grow(cursor, (void **)&item->part, &item->part_depth, sizeof *item->part) =
		    (uint32_t)number;
		if (cursor_peek(cursor) == ']')
			return true;
		if (!cursor_expect(cursor, '.'))
			return false;
		if (cursor_peek(cursor) == ']')
			return cursor_fail(cursor, "Invalid part number");
	}
	return true;
}

/* RFC 9051 section 9: any astring, also what can be the name of no field. */
static bool
read_field(struct cursor *cursor, void *context)
{
	struct imap_fetch_item *item = context;
	struct span name;

	if (!cursor_astring(cursor, &name))
		return false;
	*(struct span *)cursor_grow(cursor, (void **)&item->fields, &item->field_count, sizeof name) = name;
	return true;
}

static bool
read_section_word(struct cursor *cursor, struct imap_fetch_item *item)
{
	struct span word;
	size_t section = IMAP_SECTION_HEADER;

	if (!cursor_run(cursor, is_word_octet, &word) || item->kind != IMAP_FETCH_SECTION)
		return cursor_fail(cursor, "Invalid section");
	while (section < COUNT_OF(section_names) && !span_equals_nocase(word, span_from_string(section_names[section])))
		section++;
	if (section == COUNT_OF(section_names) || (section == IMAP_SECTION_MIME && item->part_depth == 0))
		return cursor_fail(cursor, "Invalid section");
	item->section = (enum imap_section)section;
	if (section != IMAP_SECTION_HEADER_FIELDS && section != IMAP_SECTION_HEADER_FIELDS_NOT)
		return true;
	return cursor_space(cursor) && cursor_list(cursor, false, read_field, item);
}

static bool
read_section(struct cursor *cursor, struct imap_fetch_item *item)
{
	if (!cursor_expect(cursor, '[') || !read_part(cursor, item))
		return false;
	if (cursor_peek(cursor) != ']' && !read_section_word(cursor, item))
		return false;
	return cursor_expect(cursor, ']');
}

/* "<0.2048>" */
static bool
read_octets(struct cursor *cursor, struct imap_fetch_item *item)
{
	if (!cursor_skip(cursor, '<'))
		return true;
	if (item->kind == IMAP_FETCH_BINARY_SIZE)
		return cursor_fail(cursor, "BINARY.SIZE takes no range");
	item->has_partial = true;
	return cursor_number(cursor, INT64_MAX, &item->partial_offset) && cursor_expect(cursor, '.') &&
	    cursor_nz_number(cursor, INT64_MAX, &item->partial_length) && cursor_expect(cursor, '>');
}

static void
write_section(struct buffer *out, const struct imap_fetch_item *item)
{
	for (size_t i = 0; i < item->part_depth; i++) {
		if (i > 0)
			buffer_add_octet(out, '.');
		buffer_add_number(out, item->part[i]);
	}
	if (item->part_depth > 0 && item->section != IMAP_SECTION_ALL)
		buffer_add_octet(out, '.');
	buffer_add_string(out, section_names[item->section]);
	for (size_t i = 0; i < item->field_count; i++) {
		buffer_add_string(out, i == 0 ? " (" : " ");
		imap_write_astring(out, item->fields[i], false);
	}
	if (item->field_count > 0)
		buffer_add_octet(out, ')');
}

static void
write_echo(struct cursor *cursor, struct imap_fetch_item *item)
{
	struct buffer echo = { 0 };

	buffer_add_string(&echo, item->kind == IMAP_FETCH_SECTION ? "BODY[" :
	    item->kind == IMAP_FETCH_BINARY ? "BINARY[" : "BINARY.SIZE[");
	write_section(&echo, item);
	buffer_add_octet(&echo, ']');
	if (item->has_partial) {
		buffer_add_octet(&echo, '<');
		buffer_add_number(&echo, item->partial_offset);
		buffer_add_octet(&echo, '>');
	}
	item->echo = arena_copy(cursor->arena, buffer_span(&echo));
	buffer_free(&echo);
}

static bool
is_same(const struct imap_fetch_item *a, const struct imap_fetch_item *b)
{
	return a->kind == b->kind && a->partial_length == b->partial_length && span_equals(a->echo, b->echo);
}

/* Doubles are only sought among the first items: more are odd, and then cost room, not time. */
static void
add_item(struct cursor *cursor, struct imap_fetch *fetch, const struct imap_fetch_item *item)
{
	fetch->sets_seen |= item->sets_seen;
	for (size_t i = 0; i < fetch->item_count && i < 32; i++)
		if (is_same(&fetch->items[i], item)) {
			fetch->items[i].sets_seen |= item->sets_seen;
			return;
		}
	*(struct imap_fetch_item *)cursor_grow(cursor, (void **)&fetch->items, &fetch->item_count, sizeof *item) =
	    *item;
}

static struct span
plain_name(enum imap_fetch_kind kind)
{
	size_t i = 0;

	while (plain_items[i].kind != kind)
		i++;
	return span_from_string(plain_items[i].name);
}

static bool
add_plain(struct cursor *cursor, struct imap_fetch *fetch, struct span name)
{
	for (size_t i = 0; i < COUNT_OF(plain_items); i++)
		if (span_equals_nocase(name, span_from_string(plain_items[i].name))) {
			add_item(cursor, fetch, &(struct imap_fetch_item){ .kind = plain_items[i].kind,
			    .section = plain_items[i].section, .sets_seen = plain_items[i].sets_seen,
			    .echo = plain_name(plain_items[i].kind) });
			return true;
		}
	return cursor_fail(cursor, "Unknown item of FETCH");
}

static bool
read_section_item(struct cursor *cursor, struct imap_fetch *fetch, struct span name)
{
	struct imap_fetch_item item = { 0 };
	size_t i = 0;

	while (i < COUNT_OF(section_items) && !span_equals_nocase(name, span_from_string(section_items[i].name)))
		i++;
	if (i == COUNT_OF(section_items))
		return cursor_fail(cursor, "Unknown item of FETCH");
	item.kind = section_items[i].kind;
	item.sets_seen = section_items[i].sets_seen;
	if (!read_section(cursor, &item) || !read_octets(cursor, &item))
		return false;
	write_echo(cursor, &item);
	add_item(cursor, fetch, &item);
	return true;
}

static bool
read_preview_option(struct cursor *cursor, void *context)
{
	(void)context;
	return cursor_word(cursor, "LAZY") || cursor_fail(cursor, "Unknown option of PREVIEW");
}

/* "PREVIEW (LAZY)"; behind a lone PREVIEW the options of FETCH may stand, too: RFC 8970 section 6. */
static bool
read_preview(struct cursor *cursor, struct imap_fetch *fetch)
{
	struct imap_fetch_item item = { .kind = IMAP_FETCH_PREVIEW, .echo = SPAN("PREVIEW") };

	item.is_lazy = span_equals_nocase(span_slice(cursor->text, cursor->at, 6), SPAN(" (LAZY"));
	add_item(cursor, fetch, &item);
	return !item.is_lazy ||
	    (cursor_space(cursor) && cursor_list(cursor, false, read_preview_option, NULL));
}

static bool
read_item(struct cursor *cursor, void *context)
{
	struct span name;

	if (!cursor_run(cursor, is_word_octet, &name))
		return cursor_fail(cursor, "Unknown item of FETCH");
	if (cursor_peek(cursor) == '[')
		return read_section_item(cursor, context, name);
	if (span_equals_nocase(name, SPAN("PREVIEW")))
		return read_preview(cursor, context);
	return add_plain(cursor, context, name);
}

bool
imap_read_fetch_items(struct cursor *cursor, struct imap_fetch *fetch)
{
	return cursor_list(cursor, false, read_item, fetch);
}

/* ALL, FAST and FULL stand alone, not in a list. */
static bool
read_macro(struct cursor *cursor, struct imap_fetch *fetch, bool *is_macro_out)
{
	static const char *const expansion[] = { "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY" };
	size_t count = cursor_word(cursor, "FAST") ? 3 : cursor_word(cursor, "ALL") ? 4 :
	    cursor_word(cursor, "FULL") ? 5 : 0;

	for (size_t i = 0; i < count; i++)
		if (!add_plain(cursor, fetch, span_from_string(expansion[i])))
			return false;
	*is_macro_out = count > 0;
	return true;
}

/* 0 is not in the grammar; iPhones send it.  Said twice, both hold. */
static bool
read_changed_since(struct cursor *cursor, struct imap_fetch *fetch)
{
	uint64_t modseq;

	if (!cursor_space(cursor) || !imap_read_modseq(cursor, &modseq))
		return false;
	fetch->has_changed_since = true;
	if (modseq > fetch->changed_since)
		fetch->changed_since = modseq;
	return true;
}

/* RFC 9394 section 3.3. */
static bool
read_partial(struct cursor *cursor, struct imap_fetch *fetch)
{
	if (fetch->has_range)
		return cursor_fail(cursor, "PARTIAL stands twice");
	fetch->has_range = true;
	return cursor_space(cursor) && imap_read_partial(cursor, &fetch->range);
}

static bool
read_option(struct cursor *cursor, void *context)
{
	struct imap_fetch *fetch = context;

	if (cursor_word(cursor, "VANISHED"))
		return fetch->wants_vanished = true;
	if (cursor_word(cursor, "PARTIAL"))
		return read_partial(cursor, fetch);
	if (!cursor_word(cursor, "CHANGEDSINCE"))
		return cursor_fail(cursor, "Unknown option of FETCH");
	return read_changed_since(cursor, fetch);
}

static bool
read_options(struct cursor *cursor, const struct imap_command_line *line, struct imap_fetch *fetch)
{
	if (!cursor_space(cursor) || !cursor_list(cursor, false, read_option, fetch))
		return false;
	if (fetch->wants_vanished && (!line->is_uid || !fetch->has_changed_since))
		return cursor_fail(cursor, "VANISHED needs UID FETCH and CHANGEDSINCE");
	return true;
}

bool
imap_read_fetch(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_fetch *fetch = &line->fetch;
	bool is_macro;

	if (!cursor_space(cursor) || !cursor_sequence(cursor, &fetch->set) || !cursor_space(cursor) ||
	    !read_macro(cursor, fetch, &is_macro))
		return false;
	if (!is_macro && !(cursor_peek(cursor) == '(' ? imap_read_fetch_items(cursor, fetch) :
	    read_item(cursor, fetch)))
		return false;
	return cursor_is_at_end(cursor) || read_options(cursor, line, fetch);
}
