/*
 * From a header block to what SORT and THREAD compare.  Addresses are those of ENVELOPE: fields that are given more
 * than once are one list, and a group begins with an address that has the group's name for a mailbox.  Any thread.
 */
#include "imap/ordering.h"

#include "base/digest.h"
#include "mime/address.h"
#include "mime/date.h"
#include "mime/encoded_word.h"
#include "mime/fold.h"
#include "mime/header.h"
#include "mime/message_id.h"
#include "mime/subject.h"

#define TEXT_OCTETS_MAX	      1024
#define REFERENCES_OCTETS_MAX (128 * 1024)	/* of a References field; what comes behind is not read */

static void
fold(struct span text, struct buffer *out)
{
	mime_fold(span_slice(text, 0, TEXT_OCTETS_MAX), out);
	if (out->length > TEXT_OCTETS_MAX)
		out->length = TEXT_OCTETS_MAX;
}

static void
read_subject(struct span value, struct imap_ordering *out)
{
	struct buffer base = { 0 };

	out->is_reply = mime_subject_base(value, &base);
	fold(buffer_span(&base), &out->subject);
	buffer_free(&base);
}

static void
read_date(struct span value, struct imap_ordering *out)
{
	struct mime_date date;

	out->has_sent_date = mime_date_parse(value, &date);
	if (out->has_sent_date)
		out->sent_s = date.unix_s;
}

/* RFC 5957 section 3; a host that is empty adds nothing. */
static void
write_name(const struct mime_address *address, struct buffer *out)
{
	struct buffer text = { 0 };

	if (address->kind == MIME_ADDRESS && address->name.length > 0)
		mime_header_decode(address->name, &text);
	if (text.length == 0) {
		buffer_add_span(&text, address->kind == MIME_ADDRESS ? address->mailbox : address->name);
		if (address->domain.length > 0) {
			buffer_add_octet(&text, '@');
			buffer_add_span(&text, address->domain);
		}
	}
	fold(buffer_span(&text), out);
	buffer_free(&text);
}

/*
 *	name	NULL: nobody sorts by it
 *
 * True: there is an address.
 */
static bool
read_address(struct span value, struct buffer *mailbox, struct buffer *name)
{
	struct mime_address_reader reader = { .rest = span_slice(value, 0, MIME_FIELD_OCTETS_MAX) };
	struct mime_address address;
	bool is_found = mime_address_next(&reader, &address);

	if (is_found) {
		fold(address.kind == MIME_ADDRESS ? address.mailbox : address.name, mailbox);
		if (name != NULL)
			write_name(&address, name);
	}
	mime_address_reader_fini(&reader);
	return is_found;
}

static void
add_link(struct span id, struct buffer *links)
{
	uint8_t digest[DIGEST_LENGTH];

	digest_sha256(id, digest);
	buffer_add(links, digest, IMAP_LINK_OCTETS);
}

/* Add what is found in a field, at most so many. */
static void
add_links(struct span value, size_t max, struct buffer *links)
{
	struct buffer id = { 0 };
	size_t offset = 0, count = 0;

	value = span_slice(value, 0, REFERENCES_OCTETS_MAX);
	while (count < max && mime_message_id_next_plain(value, &offset, &id)) {
		add_link(buffer_span(&id), links);
		count++;
	}
	buffer_free(&id);
}

/* Values of fields, each the first of its name. */
struct found {
	struct span subject, date, message_id, references, in_reply_to;
	bool has_from, has_to, has_cc;
};

/* RFC 5256 section 3: References, or else the first identifier of In-Reply-To. */
static void
read_links(const struct found *found, struct imap_ordering *out)
{
	static const uint8_t none[IMAP_LINK_OCTETS];
	struct buffer references = { 0 };
	size_t excess;

	add_links(found->message_id, 1, &out->links);
	add_links(found->references, SIZE_MAX, &references);
	if (references.length == 0)
		add_links(found->in_reply_to, 1, &references);
	if (references.length > 0 && out->links.length == 0)
		buffer_add(&out->links, none, sizeof none);
	excess = references.length / IMAP_LINK_OCTETS;
	excess = excess > IMAP_LINKS_MAX - 1 ? excess - (IMAP_LINKS_MAX - 1) : 0;
	buffer_add_span(&out->links, span_from(buffer_span(&references), excess * IMAP_LINK_OCTETS));
	buffer_free(&references);
}

static void
note_first(struct span *first, struct span value)
{
	if (first->at == NULL)
		*first = value;
}

static void
read_field(const struct mime_field *field, struct found *found, struct imap_ordering *out)
{
	if (span_equals_nocase(field->name, SPAN("subject")))
		note_first(&found->subject, field->value);
	else if (span_equals_nocase(field->name, SPAN("date")))
		note_first(&found->date, field->value);
	else if (span_equals_nocase(field->name, SPAN("message-id")))
		note_first(&found->message_id, field->value);
	else if (span_equals_nocase(field->name, SPAN("references")))
		note_first(&found->references, field->value);
	else if (span_equals_nocase(field->name, SPAN("in-reply-to")))
		note_first(&found->in_reply_to, field->value);
	else if (span_equals_nocase(field->name, SPAN("from")))
		found->has_from = found->has_from || read_address(field->value, &out->from, &out->from_name);
	else if (span_equals_nocase(field->name, SPAN("to")))
		found->has_to = found->has_to || read_address(field->value, &out->to, &out->to_name);
	else if (span_equals_nocase(field->name, SPAN("cc")))
		found->has_cc = found->has_cc || read_address(field->value, &out->cc, NULL);
}

void
imap_ordering_read(struct span header, struct imap_ordering *out)
{
	struct found found = { 0 };
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(span_slice(header, 0, MIME_HEADER_OCTETS_MAX), &offset, &field))
		read_field(&field, &found, out);
	read_subject(span_slice(found.subject, 0, MIME_FIELD_OCTETS_MAX), out);
	read_date(found.date, out);
	read_links(&found, out);
}

void
imap_ordering_fini(struct imap_ordering *ordering)
{
	buffer_free(&ordering->subject);
	buffer_free(&ordering->from);
	buffer_free(&ordering->to);
	buffer_free(&ordering->cc);
	buffer_free(&ordering->from_name);
	buffer_free(&ordering->to_name);
	buffer_free(&ordering->links);
	*ordering = (struct imap_ordering){ .has_sent_date = false };
}
