/*
 * Everything that is rendered when a message comes in, from one walk over it.  FETCH of ENVELOPE, BODY and
 * BODYSTRUCTURE never parses again.  Any thread.
 */
#include "imap/arrival.h"

#include "imap/bodystructure.h"
#include "imap/envelope.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/message_id.h"
#include "mime/parts.h"
#include "mime/preview.h"

static void
read_date(struct span header, struct imap_arrival *out)
{
	struct mime_field field;
	struct mime_date date;

	if (!mime_field_find(header, SPAN("date"), &field) || !mime_date_parse(field.value, &date))
		return;
	out->has_sent_date = true;
	out->sent_s = date.unix_s;
	out->sent_day = date.day;
}

static void
read_message_id(struct span header, struct imap_arrival *out)
{
	struct mime_field field;

	if (mime_field_find(header, SPAN("message-id"), &field))
		buffer_add_span(&out->message_id, mime_message_id_first(field.value));
}

/* Of a header that is not read to its end nothing is kept: HEADER is looked for in all of it. */
static void
read_searchable(struct span header, struct imap_arrival *out)
{
	out->has_searchable = header.length <= MIME_HEADER_OCTETS_MAX &&
	    mime_searchable_read(header, MIME_SEARCHABLE_ALL, MIME_SEARCHABLE_KEPT_MAX, &out->searchable);
}

void
imap_arrival_render(struct span message, struct imap_arrival *out)
{
	struct mime_tree tree;
	struct span header;

	mime_tree_init(&tree, message);
	out->header_length = tree.parts[0].header_length;
	header = span_slice(span_slice(message, 0, out->header_length), 0, MIME_HEADER_OCTETS_MAX);
	imap_envelope_write(header, &out->envelope);
	imap_body_write(&tree, message, IMAP_BODY, &out->body);
	imap_body_write(&tree, message, IMAP_BODYSTRUCTURE, &out->bodystructure);
	mime_parts_write(&tree, &out->parts);
	mime_preview(message, buffer_span(&out->parts), &out->preview);
	read_date(header, out);
	read_message_id(header, out);
	imap_ordering_read(header, &out->ordering);
	read_searchable(span_slice(message, 0, out->header_length), out);
	mime_tree_fini(&tree);
}

void
imap_arrival_fini(struct imap_arrival *arrival)
{
	buffer_free(&arrival->envelope);
	buffer_free(&arrival->body);
	buffer_free(&arrival->bodystructure);
	buffer_free(&arrival->parts);
	buffer_free(&arrival->preview);
	buffer_free(&arrival->message_id);
	imap_ordering_fini(&arrival->ordering);
	mime_searchable_fini(&arrival->searchable);
	*arrival = (struct imap_arrival){ .header_length = 0 };
}
