/*
 * Any octets as a message: the parts lie inside of it and of each other, the table tells what the tree does,
 * ENVELOPE and BODYSTRUCTURE are balanced, and every reader of its text comes to an end.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "imap/arrival.h"
#include "lmtp/trace.h"
#include "mime/encoded_word.h"
#include "mime/header.h"
#include "mime/parts.h"
#include "mime/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static void
check_part(const struct mime_tree *tree, uint32_t index, size_t length)
{
	const struct mime_part *part = &tree->parts[index], *parent;
	uint64_t end = (uint64_t)part->body_offset + part->body_length;

	assert(part->body_offset == (uint64_t)part->header_offset + part->header_length);
	assert(end <= length && part->body_lines <= part->body_length);
	assert((part->kind == MIME_LEAF) == (part->first_child == MIME_NO_PART));
	assert(part->type.length > 0 && part->subtype.length > 0);
	assert((part->parent == MIME_NO_PART) == (index == 0));
	if (index == 0)
		return;
	assert(part->parent < index);
	parent = &tree->parts[part->parent];
	assert(part->header_offset >= parent->body_offset);
	assert(end <= (uint64_t)parent->body_offset + parent->body_length);
}

static void
check_tree(const struct mime_tree *tree, struct span table, size_t length)
{
	struct mime_parts_entry entry;
	size_t position = 0, count = 0;

	while (mime_parts_next(table, &position, &entry)) {
		const struct mime_part *part = &tree->parts[count];

		check_part(tree, (uint32_t)count++, length);
		assert(entry.kind == part->kind && entry.encoding == part->encoding);
		assert(entry.parent == part->parent && entry.body_lines == part->body_lines);
		assert(entry.header_offset == part->header_offset);
		assert(entry.body_offset == part->body_offset && entry.body_length == part->body_length);
	}
	assert(position == table.length && count == tree->count);
}

/* Behind the literal that is announced here, or the quoted string that begins here. */
static size_t
skip_string(struct span text, size_t at)
{
	size_t count = 0;

	if (text.at[at] == '"') {
		for (at++; text.at[at] != '"'; at++) {
			assert(text.at[at] >= ' ' && text.at[at] < 127);
			at += text.at[at] == '\\';
		}
		return at + 1;
	}
	for (at++; ascii_is_digit(text.at[at]); at++)
		count = count * 10 + (text.at[at] - '0');
	assert(span_starts_with(span_from(text, at), SPAN("}\r\n")));
	at += 3;
	assert(count <= text.length - at && memchr(text.at + at, 0, count) == NULL);
	return at + count;
}

/* Parentheses close, and outside of strings stand numbers, NIL and single spaces. */
static void
check_balance(struct span text)
{
	size_t depth = 0, at = 0;

	do {
		uint8_t octet = text.at[at];

		if (octet == '"' || octet == '{') {
			at = skip_string(text, at);
			continue;
		}
		depth += octet == '(';
		depth -= octet == ')';
		assert(octet != ' ' || (text.at[at + 1] != ' ' && text.at[at + 1] != ')'));
		assert(octet != '(' || text.at[at + 1] != ')');
		assert(strchr("() NIL0123456789", octet) != NULL && octet != 0);
		at++;
	} while (depth > 0 && at < text.length);
	assert(depth == 0 && at == text.length);
}

static void
check_damage(struct span table, struct span octets)
{
	struct buffer damaged = { NULL, 0, 0 };
	struct mime_section section;
	uint32_t numbers[4] = { 1, 1, 1, 1 };

	buffer_add_span(&damaged, table);
	for (size_t i = 0; i + 1 < octets.length && i < 64; i += 2)
		damaged.at[octets.at[i] % damaged.length] ^= octets.at[i + 1];
	for (size_t i = 0; i < 4; i++)
		numbers[i] = octets.length > i ? octets.at[i] % 4 : 1;
	for (size_t count = 0; count <= 4; count++)
		mime_parts_find(buffer_span(&damaged), numbers, count, &section);
	buffer_free(&damaged);
}

static void
check_header(struct span header)
{
	struct buffer decoded = { NULL, 0, 0 };
	struct mime_field field;
	size_t offset = 0, octets = 0;

	while (mime_field_next(header, &offset, &field)) {
		octets += field.whole.length;
		assert(octets == offset && field.name.length + field.value.length <= field.whole.length);
		mime_header_decode(field.value, &decoded);
	}
	assert(header.length - offset <= 2);
	buffer_free(&decoded);
}

static bool
see(struct span folded, void *context)
{
	*(size_t *)context += folded.length;
	return true;
}

/* A delivered message: it has lost its Return-Path, and what is known of it is known of it behind trace fields. */
static void
check_delivered(struct span message)
{
	static const struct span fields = { (const uint8_t *)"Delivered-To: a\r\n", 17 };
	struct imap_arrival alone = { .header_length = 0 }, together = { .header_length = 0 };
	struct buffer copy = { NULL, 0, 0 }, whole = { NULL, 0, 0 }, parts = { NULL, 0, 0 };
	struct mime_field field;

	message = lmtp_trace_message(message, &copy);
	buffer_add_span(&whole, fields);
	buffer_add_span(&whole, message);
	imap_arrival_render(message, &alone);
	imap_arrival_render(buffer_span(&whole), &together);
	assert(!mime_field_find(span_slice(message, 0, alone.header_length), SPAN("return-path"), &field));
	assert(fields.length + alone.header_length == together.header_length);
	mime_parts_shift(buffer_span(&alone.parts), (uint32_t)fields.length, &parts);
	assert(span_equals(buffer_span(&parts), buffer_span(&together.parts)));
	assert(span_equals(buffer_span(&alone.envelope), buffer_span(&together.envelope)));
	assert(span_equals(buffer_span(&alone.bodystructure), buffer_span(&together.bodystructure)));
	imap_arrival_fini(&alone);
	imap_arrival_fini(&together);
	buffer_free(&copy);
	buffer_free(&whole);
	buffer_free(&parts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	struct span message = span_of(octets, length);
	struct imap_arrival arrival = { .header_length = 0 };
	struct mime_tree tree;
	size_t seen = 0;

	if (length == 0)
		return 0;
	imap_arrival_render(message, &arrival);
	mime_tree_init(&tree, message);
	check_tree(&tree, buffer_span(&arrival.parts), length);
	mime_tree_fini(&tree);
	check_balance(buffer_span(&arrival.envelope));
	check_balance(buffer_span(&arrival.body));
	check_balance(buffer_span(&arrival.bodystructure));
	check_damage(buffer_span(&arrival.parts), message);
	check_header(span_slice(message, 0, arrival.header_length));
	mime_text_each(message, buffer_span(&arrival.parts), MIME_TEXT_ALL, 8, see, &seen);
	imap_arrival_fini(&arrival);
	check_delivered(message);
	return 0;
}
