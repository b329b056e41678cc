/*
 * Items out of the packed state, and the frame of every FETCH line.  Written by hand, since 100,000 of them
 * may follow each other.  Any thread.
 */
#include "line.h"

#include "../shared/objectid.h"
#include "imap/date.h"
#include "imap/flags.h"

bool
fetch_line_has(enum imap_fetch_kind kind)
{
	switch (kind) {
	case IMAP_FETCH_UID:
	case IMAP_FETCH_FLAGS:
	case IMAP_FETCH_INTERNALDATE:
	case IMAP_FETCH_RFC822_SIZE:
	case IMAP_FETCH_MODSEQ:
	case IMAP_FETCH_EMAILID:
	case IMAP_FETCH_THREADID:
		return true;
	default:
		return false;
	}
}

void
fetch_line_space(const struct fetch_style *style, size_t index, struct buffer *out)
{
	if (index > 0 || style->adds_uid || style->adds_modseq)
		buffer_add_octet(out, ' ');
}

void
fetch_line_begin(const struct fetch_style *style, const struct fetch_entry *entry, struct buffer *out)
{
	buffer_add_span(out, SPAN("* "));
	buffer_add_number(out, style->is_uid_only ? entry->message.uid : entry->number);
	buffer_add_string(out, style->is_uid_only ? " UIDFETCH (" : " FETCH (");
	if (style->adds_uid)
		fetch_line_item(style, entry, IMAP_FETCH_UID, out);
	if (style->adds_uid && style->adds_modseq)
		buffer_add_octet(out, ' ');
	if (style->adds_modseq)
		fetch_line_item(style, entry, IMAP_FETCH_MODSEQ, out);
}

void
fetch_line_item(const struct fetch_style *style, const struct fetch_entry *entry, enum imap_fetch_kind kind,
    struct buffer *out)
{
	const struct store_message *message = &entry->message;

	switch (kind) {
	case IMAP_FETCH_UID:
		buffer_add_span(out, SPAN("UID "));
		buffer_add_number(out, message->uid);
		break;
	case IMAP_FETCH_FLAGS:
		buffer_add_span(out, SPAN("FLAGS "));
		imap_flags_write(out, message->flags, &style->keywords, style->has_recent && entry->is_recent);
		break;
	case IMAP_FETCH_INTERNALDATE:
		buffer_add_span(out, SPAN("INTERNALDATE "));
		imap_date_time_write(out, (struct imap_date_time){ message->internal_date_s, 0 });
		break;
	case IMAP_FETCH_RFC822_SIZE:
		buffer_add_span(out, SPAN("RFC822.SIZE "));
		buffer_add_number(out, message->size);
		break;
	case IMAP_FETCH_MODSEQ:
		buffer_add_span(out, SPAN("MODSEQ ("));
		buffer_add_number(out, message->modseq);
		buffer_add_octet(out, ')');
		break;
	case IMAP_FETCH_EMAILID:
		buffer_add_span(out, SPAN("EMAILID "));
		objectid_write_email(out, message->content_id);
		break;
	case IMAP_FETCH_THREADID:
		buffer_add_span(out, SPAN("THREADID NIL"));
		break;
	default:
		break;
	}
}

/* An item that stands behind those of the program. */
static void
add_item(const struct fetch_style *style, const struct imap_fetch *program, const struct fetch_entry *entry,
    enum imap_fetch_kind kind, struct buffer *out)
{
	if (imap_fetch_has(program, kind))
		return;
	buffer_add_octet(out, ' ');
	fetch_line_item(style, entry, kind, out);
}

void
fetch_line_end(const struct fetch_style *style, const struct imap_fetch *program, const struct fetch_entry *entry,
    struct buffer *out)
{
	if (entry->adds_flags)
		add_item(style, program, entry, IMAP_FETCH_FLAGS, out);
	if (entry->adds_flags && style->has_condstore && !style->adds_uid && !style->is_uid_only)
		add_item(style, program, entry, IMAP_FETCH_UID, out);
	if (entry->adds_flags && style->has_condstore && !style->adds_modseq)
		add_item(style, program, entry, IMAP_FETCH_MODSEQ, out);
	buffer_add_span(out, SPAN(")\r\n"));
}
