/*
 * STATUS items from a mailbox's row, which has all the counters but that of recent messages.
 */
#include "status_items.h"

#include "imap/writer.h"
#include "objectid.h"

static bool
has_recent(const struct store_mailbox *mailbox)
{
	return mailbox->recent_uid < mailbox->uidnext && mailbox->messages > 0;
}

bool
status_is_in_row(const struct store_mailbox *mailbox, const struct status_style *style)
{
	return (style->items & IMAP_STATUS_RECENT) == 0 || !has_recent(mailbox);
}

static enum store_status
count_recent(struct store *store, const struct store_mailbox *mailbox, uint32_t *count_out)
{
	struct store_snapshot snapshot = { 0 };
	enum store_status status = STORE_OK;
	uint32_t count = 0;

	if (has_recent(mailbox))
		status = store_snapshot_init(store, mailbox->id, &snapshot);
	for (size_t i = snapshot.count; i > 0 && snapshot.messages[i - 1].uid >= mailbox->recent_uid; i--)
		count++;
	store_snapshot_fini(&snapshot);
	*count_out = count;
	return status;
}

static void
write_item(struct buffer *out, const char *name, uint64_t number)
{
	if (out->at[out->length - 1] != '(')
		buffer_add_octet(out, ' ');
	buffer_add_string(out, name);
	buffer_add_octet(out, ' ');
	buffer_add_number(out, number);
}

void
status_write(struct buffer *out, const struct store_mailbox *mailbox, uint32_t recent,
    const struct status_style *style)
{
	const struct {
		unsigned item;
		const char *name;
		uint64_t number;
	} items[] = {
		{ IMAP_STATUS_MESSAGES, "MESSAGES", mailbox->messages },
		{ IMAP_STATUS_RECENT, "RECENT", recent },
		{ IMAP_STATUS_UIDNEXT, "UIDNEXT", mailbox->uidnext },
		{ IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", mailbox->uidvalidity },
		{ IMAP_STATUS_UNSEEN, "UNSEEN", mailbox->unseen },
		{ IMAP_STATUS_DELETED, "DELETED", mailbox->deleted },
		{ IMAP_STATUS_DELETED_STORAGE, "DELETED-STORAGE", mailbox->deleted_octets },
		{ IMAP_STATUS_SIZE, "SIZE", mailbox->size_octets },
		{ IMAP_STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ", mailbox->highest_modseq },
		{ IMAP_STATUS_APPENDLIMIT, "APPENDLIMIT", style->append_limit },
	};

	buffer_add_string(out, "* STATUS ");
	imap_write_mailbox(out, span_from_string(mailbox->name), style->is_utf8);
	buffer_add_string(out, " (");
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		if ((style->items & items[i].item) != 0)
			write_item(out, items[i].name, items[i].number);
	if ((style->items & IMAP_STATUS_MAILBOXID) != 0) {	/* RFC 8474 section 4.3 */
		buffer_add_string(out, out->at[out->length - 1] == '(' ? "MAILBOXID " : " MAILBOXID ");
		objectid_write_mailbox(out, mailbox->id);
	}
	buffer_add_string(out, ")\r\n");
}

enum store_status
status_write_stored(struct buffer *out, struct store *store, const struct store_mailbox *mailbox,
    const struct status_style *style)
{
	enum store_status status = STORE_OK;
	uint32_t recent = 0;

	if ((style->items & IMAP_STATUS_RECENT) != 0)
		status = count_recent(store, mailbox, &recent);
	if (status == STORE_OK)
		status_write(out, mailbox, recent, style);
	return status;
}
