/*
 * The part table.  It comes from our own file, and files get damaged: each number is checked before it is
 * used, a wrong one ends the walk.  Parents stand before their children, so that one walk forward resolves
 * any section.  Any thread.
 */
#include "mime/parts.h"

#define TABLE_VERSION 1
#define STRING_OCTETS_MAX 255	/* longer types and charsets are nothing that anybody knows */

static void
write_number(struct buffer *out, uint32_t number)
{
	for (; number > 127; number >>= 7)
		buffer_add_octet(out, (uint8_t)(number | 128));
	buffer_add_octet(out, (uint8_t)number);
}

static void
write_string(struct buffer *out, struct span text)
{
	text = span_slice(text, 0, STRING_OCTETS_MAX);
	write_number(out, (uint32_t)text.length);
	buffer_add_span(out, text);
}

static bool
read_number(struct span table, size_t *position, uint32_t *number_out)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t octet;

		if (*position >= table.length)
			return false;
		octet = table.at[(*position)++];
		number |= (uint64_t)(octet & 127) << shift;
		if (octet < 128) {
			*number_out = (uint32_t)number;
			return number <= UINT32_MAX;
		}
	}
	return false;
}

static bool
read_string(struct span table, size_t *position, struct span *text_out)
{
	uint32_t length;

	if (!read_number(table, position, &length) || length > table.length - *position)
		return false;
	*text_out = span_slice(table, *position, length);
	*position += length;
	return true;
}

static void
write_entry(struct buffer *out, const struct mime_parts_entry *entry)
{
	write_number(out, entry->kind);
	write_number(out, entry->encoding);
	write_number(out, entry->parent == MIME_NO_PART ? 0 : entry->parent + 1);
	write_number(out, entry->header_offset);
	write_number(out, entry->header_length);
	write_number(out, entry->body_length);
	write_number(out, entry->body_lines);
	write_string(out, entry->type);
	write_string(out, entry->subtype);
	write_string(out, entry->charset);
}

void
mime_parts_write(const struct mime_tree *tree, struct buffer *out)
{
	buffer_add_octet(out, TABLE_VERSION);
	write_number(out, (uint32_t)tree->count);
	for (size_t i = 0; i < tree->count; i++) {
		const struct mime_part *part = &tree->parts[i];

		write_entry(out, &(struct mime_parts_entry){
			.kind = part->kind,
			.encoding = part->encoding,
			.parent = part->parent,
			.header_offset = part->header_offset,
			.header_length = part->header_length,
			.body_length = part->body_length,
			.body_lines = part->body_lines,
			.type = part->type,
			.subtype = part->subtype,
			.charset = mime_parameter_find(part->parameters, SPAN("charset")),
		});
	}
}

/* Go behind what stands before the first entry. */
static bool
begin(struct span table, size_t *position)
{
	uint32_t count;

	if (*position != 0)
		return true;
	if (table.length == 0 || table.at[0] != TABLE_VERSION)
		return false;
	*position = 1;
	return read_number(table, position, &count);
}

static bool
read_entry(struct span table, size_t *position, struct mime_parts_entry *entry)
{
	uint32_t kind, encoding, parent;
	uint64_t end;

	if (!read_number(table, position, &kind) || !read_number(table, position, &encoding) ||
	    !read_number(table, position, &parent) ||
	    !read_number(table, position, &entry->header_offset) ||
	    !read_number(table, position, &entry->header_length) ||
	    !read_number(table, position, &entry->body_length) ||
	    !read_number(table, position, &entry->body_lines) ||
	    !read_string(table, position, &entry->type) || !read_string(table, position, &entry->subtype) ||
	    !read_string(table, position, &entry->charset))
		return false;
	end = (uint64_t)entry->header_offset + entry->header_length + entry->body_length;
	if (kind > MIME_MESSAGE || encoding >= MIME_ENCODING_COUNT || end > UINT32_MAX)
		return false;
	entry->kind = (enum mime_kind)kind;
	entry->encoding = (enum mime_encoding)encoding;
	entry->parent = parent == 0 ? MIME_NO_PART : parent - 1;
	entry->body_offset = entry->header_offset + entry->header_length;
	return true;
}

bool
mime_parts_next(struct span table, size_t *position, struct mime_parts_entry *entry_out)
{
	bool is_first = *position == 0;
	struct mime_parts_entry entry;
	size_t at = *position;

	if (!begin(table, &at) || at >= table.length || !read_entry(table, &at, &entry))
		return false;
	entry.index = is_first ? 0 : entry_out->index + 1;
	if (is_first ? entry.parent != MIME_NO_PART : entry.parent >= entry.index)
		return false;
	*position = at;
	*entry_out = entry;
	return true;
}

void
mime_parts_shift(struct span table, uint32_t octets, struct buffer *out)
{
	struct mime_parts_entry entry;
	size_t position = 0, first = 0;

	if (!begin(table, &first))
		return;
	buffer_add_span(out, span_slice(table, 0, first));
	while (mime_parts_next(table, &position, &entry)) {
		if (entry.index == 0)
			entry.header_length += octets;
		else
			entry.header_offset += octets;
		write_entry(out, &entry);
	}
}

/* Where a search through the table stands. */
struct search {
	struct span table;
	size_t position;
	struct mime_parts_entry entry;	/* the last that was read */
};

/* Go on to the n-th child of a part; the last read entry is before its first child. */
static bool
find_child(struct search *search, uint32_t parent, uint32_t number)
{
	while (mime_parts_next(search->table, &search->position, &search->entry)) {
		if (search->entry.parent == parent && --number == 0)
			return true;
	}
	return false;
}

/*
 * One number of the path.  A multipart counts its children; anything else has the one part 1, which is
 * itself: RFC 9051 section 6.4.5.1.
 */
static bool
take_number(struct search *search, uint32_t number, bool is_first)
{
	if (number == 0)
		return false;
	if (!is_first && search->entry.kind == MIME_LEAF)
		return false;
	if (!is_first && search->entry.kind == MIME_MESSAGE &&
	    !find_child(search, search->entry.index, 1))
		return false;
	if (search->entry.kind == MIME_MULTIPART)
		return find_child(search, search->entry.index, number);
	return number == 1;
}

static struct mime_section
section_of(const struct mime_parts_entry *entry)
{
	return (struct mime_section){
		.mime = { entry->header_offset, entry->header_length },
		.body = { entry->body_offset, entry->body_length },
		.is_multipart = entry->kind == MIME_MULTIPART,
		.encoding = entry->encoding,
		.body_lines = entry->body_lines,
		.type = entry->type,
		.subtype = entry->subtype,
		.charset = entry->charset,
	};
}

static void
add_message(struct mime_section *section, const struct mime_parts_entry *message)
{
	section->has_message = true;
	section->header = (struct mime_range){ message->header_offset, message->header_length };
	section->text = (struct mime_range){ message->body_offset, message->body_length };
}

static struct mime_section
section_of_all(const struct mime_parts_entry *entry)
{
	struct mime_section section = section_of(entry);

	section.mime = (struct mime_range){ 0, 0 };
	section.body = (struct mime_range){ 0, entry->body_offset + entry->body_length };
	section.encoding = MIME_BINARY;
	add_message(&section, entry);
	return section;
}

bool
mime_parts_find(struct span table, const uint32_t *numbers, size_t count,
    struct mime_section *section_out)
{
	struct search search = { .table = table };
	struct mime_section section;

	if (!mime_parts_next(table, &search.position, &search.entry))
		return false;
	if (count == 0) {
		*section_out = section_of_all(&search.entry);
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (!take_number(&search, numbers[i], i == 0))
			return false;
	}
	section = section_of(&search.entry);
	if (search.entry.kind == MIME_MESSAGE) {
		if (!find_child(&search, search.entry.index, 1))
			return false;
		add_message(&section, &search.entry);
	}
	*section_out = section;
	return true;
}
