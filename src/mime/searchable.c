/*
 * From a header block to the texts in which SEARCH looks.  Any thread.
 */
#include "mime/searchable.h"

#include "mime/address.h"
#include "mime/encoded_word.h"
#include "mime/fold.h"
#include "mime/header.h"

#define LIST_OCTETS_MAX (1024 * 1024)	/* of one list of addresses: where it has grown so long, it ends */

static const char *const names[MIME_SEARCHABLE_COUNT] = {
	[MIME_SEARCHABLE_SUBJECT]    = "subject",
	[MIME_SEARCHABLE_FROM]	     = "from",
	[MIME_SEARCHABLE_TO]	     = "to",
	[MIME_SEARCHABLE_CC]	     = "cc",
	[MIME_SEARCHABLE_BCC]	     = "bcc",
	[MIME_SEARCHABLE_MESSAGE_ID] = "message-id",
};

static void
add_decoded(struct span text, struct buffer *out)
{
	struct buffer decoded = { 0 };

	mime_header_decode(text, &decoded);
	mime_fold(buffer_span(&decoded), out);
	buffer_free(&decoded);
}

/* Programs put encoded words where none may be: as the only thing in From, or in front of the "@". */
static void
add_mailbox(const struct mime_address *address, struct buffer *out)
{
	buffer_add_octet(out, '<');
	if (address->route.length > 0) {
		add_decoded(address->route, out);
		buffer_add_octet(out, ':');
	}
	add_decoded(address->mailbox, out);
	if (address->domain.length > 0) {
		buffer_add_octet(out, '@');
		add_decoded(address->domain, out);
	}
	buffer_add_octet(out, '>');
}

/* The lists of several fields are one. */
static void
add_address(const struct mime_address *address, struct buffer *out)
{
	if (address->kind == MIME_ADDRESS_GROUP_END) {
		buffer_add_octet(out, ';');
		return;
	}
	if (out->length > 0)
		buffer_add_string(out, out->at[out->length - 1] == ':' ? " " : ", ");
	add_decoded(address->name, out);
	if (address->kind == MIME_ADDRESS_GROUP_START) {
		buffer_add_octet(out, ':');
		return;
	}
	if (address->name.length > 0)
		buffer_add_octet(out, ' ');
	add_mailbox(address, out);
}

static void
add_addresses(struct span value, struct buffer *out)
{
	struct mime_address_reader reader = { .rest = span_slice(value, 0, MIME_FIELD_OCTETS_MAX) };
	struct mime_address address;

	while (out->length < LIST_OCTETS_MAX && mime_address_next(&reader, &address))
		add_address(&address, out);
	mime_address_reader_fini(&reader);
}

static void
add_field(enum mime_searchable_text which, struct span value, struct mime_searchable *out)
{
	struct buffer *text = &out->texts[which];
	bool is_first = (out->present & 1u << which) == 0;

	out->present |= 1u << which;
	if (which == MIME_SEARCHABLE_MESSAGE_ID) {
		if (!is_first)
			buffer_add_octet(text, MIME_SEARCHABLE_END);
		add_decoded(value, text);
	} else if (which != MIME_SEARCHABLE_SUBJECT) {
		add_addresses(value, text);
	} else if (is_first) {
		add_decoded(value, text);
	}
}

static unsigned
find(struct span name)
{
	unsigned which = 0;

	while (which < MIME_SEARCHABLE_COUNT && !span_equals_nocase(name, span_from_string(names[which])))
		which++;
	return which;
}

static size_t
length_of(const struct mime_searchable *searchable)
{
	size_t length = 0;

	for (unsigned i = 0; i < MIME_SEARCHABLE_COUNT; i++)
		length += searchable->texts[i].length;
	return length;
}

bool
mime_searchable_read(struct span header, unsigned wanted, size_t octets_max, struct mime_searchable *out)
{
	struct mime_field field;
	size_t offset = 0;
	bool is_short = true;

	header = span_slice(header, 0, MIME_HEADER_OCTETS_MAX);
	while (is_short && mime_field_next(header, &offset, &field)) {
		unsigned which = find(field.name);

		if (which == MIME_SEARCHABLE_COUNT || !(wanted & 1u << which))
			continue;
		add_field(which, field.value, out);
		is_short = length_of(out) <= octets_max;
	}
	return is_short;
}

void
mime_searchable_fini(struct mime_searchable *searchable)
{
	for (unsigned i = 0; i < MIME_SEARCHABLE_COUNT; i++)
		buffer_free(&searchable->texts[i]);
	searchable->present = 0;
}
