/*
 * ENVELOPE from a header block: RFC 9051 section 7.5.2.  Fields of addresses that are given more than once
 * are read as one list, of the others the first counts.  Any thread.
 */
#include "imap/envelope.h"

#include "imap/writer.h"
#include "mime/address.h"
#include "mime/header.h"

#define LIST_OCTETS_MAX (1024 * 1024)	/* of one list of addresses, rendered */

enum field { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, FIELD_COUNT };

static const struct {
	const char *name;
	bool is_list;
} fields[FIELD_COUNT] = {
	[DATE]	      = { "date",	 false },
	[SUBJECT]     = { "subject",	 false },
	[FROM]	      = { "from",	 true  },
	[SENDER]      = { "sender",	 true  },
	[REPLY_TO]    = { "reply-to",	 true  },
	[TO]	      = { "to",		 true  },
	[CC]	      = { "cc",		 true  },
	[BCC]	      = { "bcc",	 true  },
	[IN_REPLY_TO] = { "in-reply-to", false },
	[MESSAGE_ID]  = { "message-id",	 false },
};

static void
write_nstring(struct span text, struct buffer *out)
{
	imap_write_nstring(out, text.length == 0 ? (struct span){ NULL, 0 } : text, false);
}

/* For a host or mailbox NIL means a group: what is only missing is an empty string. */
static void
write_address(const struct mime_address *address, struct buffer *out)
{
	buffer_add_octet(out, '(');
	switch (address->kind) {
	case MIME_ADDRESS_GROUP_START:
		buffer_add_string(out, "NIL NIL ");
		imap_write_string(out, address->name, false);
		buffer_add_string(out, " NIL");
		break;
	case MIME_ADDRESS_GROUP_END:
		buffer_add_string(out, "NIL NIL NIL NIL");
		break;
	case MIME_ADDRESS:
		write_nstring(address->name, out);
		buffer_add_octet(out, ' ');
		write_nstring(address->route, out);
		buffer_add_octet(out, ' ');
		imap_write_string(out, address->mailbox, false);
		buffer_add_octet(out, ' ');
		imap_write_string(out, address->domain, false);
		break;
	}
	buffer_add_octet(out, ')');
}

/*
 * Without parentheses, so that lists can be joined.  Two octets in a field can be twenty in a reply: a list
 * ends where it would grow beyond bounds, but never within a group.
 */
static void
write_addresses(struct span value, struct buffer *out)
{
	struct mime_address_reader reader = { .rest = span_slice(value, 0, MIME_FIELD_OCTETS_MAX) };
	struct mime_address address;

	while (mime_address_next(&reader, &address)) {
		if (out->length < LIST_OCTETS_MAX || address.kind == MIME_ADDRESS_GROUP_END)
			write_address(&address, out);
		if (out->length >= LIST_OCTETS_MAX && !reader.is_in_group)
			break;
	}
	mime_address_reader_fini(&reader);
}

static enum field
find_field(struct span name)
{
	unsigned field;

	for (field = 0; field < FIELD_COUNT; field++) {
		if (span_equals_nocase(name, span_from_string(fields[field].name)))
			break;
	}
	return field;
}

/* Collect the fields; bit n of what is returned says that field n is there, be it empty. */
static unsigned
read_fields(struct span header, struct buffer texts[FIELD_COUNT])
{
	size_t offset = 0;
	unsigned seen = 0;
	struct mime_field field;

	while (mime_field_next(header, &offset, &field)) {
		enum field which = find_field(field.name);

		if (which == FIELD_COUNT)
			continue;
		if (fields[which].is_list && texts[which].length < LIST_OCTETS_MAX)
			write_addresses(field.value, &texts[which]);
		else if (!fields[which].is_list && (seen & 1u << which) == 0)
			mime_unfold(field.value, &texts[which]);
		seen |= 1u << which;
	}
	return seen;
}

static void
write_list(enum field which, struct buffer texts[FIELD_COUNT], struct buffer *out)
{
	const struct buffer *text = &texts[which];

	/* A Sender or Reply-To that is missing or empty is who it is from. */
	if ((which == SENDER || which == REPLY_TO) && text->length == 0)
		text = &texts[FROM];
	if (text->length == 0) {
		buffer_add_string(out, "NIL");
		return;
	}
	buffer_add_octet(out, '(');
	buffer_add_span(out, buffer_span(text));
	buffer_add_octet(out, ')');
}

void
imap_envelope_write(struct span header, struct buffer *out)
{
	struct buffer texts[FIELD_COUNT] = { { NULL, 0, 0 } };
	unsigned seen = read_fields(span_slice(header, 0, MIME_HEADER_OCTETS_MAX), texts);

	buffer_add_octet(out, '(');
	for (unsigned field = 0; field < FIELD_COUNT; field++) {
		if (field > 0)
			buffer_add_octet(out, ' ');
		if (fields[field].is_list)
			write_list(field, texts, out);
		else if ((seen & 1u << field) != 0)
			imap_write_string(out, buffer_span(&texts[field]), false);
		else
			buffer_add_string(out, "NIL");
	}
	buffer_add_octet(out, ')');
	for (unsigned field = 0; field < FIELD_COUNT; field++)
		buffer_free(&texts[field]);
}
