/*
 * A whole command: tag, name, and the reader of its arguments by table.  RFC 9051 section 9, "command".  Pure.
 */
#include "read.h"

typedef bool reader(struct cursor *cursor, struct imap_command_line *line);

static bool
read_nothing(struct cursor *cursor, struct imap_command_line *line)
{
	(void)cursor;
	(void)line;
	return true;
}

/* APPEND or REPLACE that ends without a message. */
static bool
read_append_alone(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_fail(cursor, line->verb == IMAP_APPEND ? "APPEND takes a mailbox and a message as literal" :
	    "REPLACE takes a message number, a mailbox and a message as literal");
}

static reader *const readers[IMAP_COMMAND_COUNT] = {
	[IMAP_CAPABILITY] = read_nothing,
	[IMAP_NOOP] = read_nothing,
	[IMAP_LOGOUT] = read_nothing,
	[IMAP_ID] = imap_read_id,
	[IMAP_STARTTLS] = read_nothing,
	[IMAP_LOGIN] = imap_read_login,
	[IMAP_AUTHENTICATE] = imap_read_authenticate,
	[IMAP_ENABLE] = imap_read_enable,
	[IMAP_NAMESPACE] = read_nothing,
	[IMAP_COMPRESS] = imap_read_compress,
	[IMAP_NOTIFY] = imap_read_notify,
	[IMAP_SELECT] = imap_read_select,
	[IMAP_EXAMINE] = imap_read_select,
	[IMAP_CREATE] = imap_read_create,
	[IMAP_DELETE] = imap_read_mailbox,
	[IMAP_RENAME] = imap_read_rename,
	[IMAP_SUBSCRIBE] = imap_read_mailbox,
	[IMAP_UNSUBSCRIBE] = imap_read_mailbox,
	[IMAP_LIST] = imap_read_list,
	[IMAP_LSUB] = imap_read_lsub,
	[IMAP_STATUS] = imap_read_status,
	[IMAP_APPEND] = read_append_alone,
	[IMAP_REPLACE] = read_append_alone,
	[IMAP_IDLE] = read_nothing,
	[IMAP_CHECK] = read_nothing,
	[IMAP_CLOSE] = read_nothing,
	[IMAP_UNSELECT] = read_nothing,
	[IMAP_UNAUTHENTICATE] = read_nothing,
	[IMAP_EXPUNGE] = imap_read_expunge,
	[IMAP_SEARCH] = imap_read_search,
	[IMAP_ESEARCH] = imap_read_esearch,
	[IMAP_SORT] = imap_read_sort,
	[IMAP_THREAD] = imap_read_thread,
	[IMAP_FETCH] = imap_read_fetch,
	[IMAP_STORE] = imap_read_store,
	[IMAP_COPY] = imap_read_copy,
	[IMAP_MOVE] = imap_read_copy,
	[IMAP_UIDBATCHES] = imap_read_uid_batches,
	[IMAP_GETQUOTA] = imap_read_get_quota,
	[IMAP_GETQUOTAROOT] = imap_read_mailbox,
	[IMAP_SETQUOTA] = imap_read_set_quota,
	[IMAP_GETMETADATA] = imap_read_get_metadata,
	[IMAP_SETMETADATA] = imap_read_set_metadata,
	[IMAP_GETACL] = imap_read_mailbox,
	[IMAP_SETACL] = imap_read_setacl,
	[IMAP_DELETEACL] = imap_read_identifier,
	[IMAP_LISTRIGHTS] = imap_read_identifier,
	[IMAP_MYRIGHTS] = imap_read_mailbox,
};

bool
imap_check_masks(struct cursor *cursor, struct imap_command_line *line)
{
	return imap_capabilities_permit(cursor->masked, line) || cursor_fail(cursor, "Unknown command or argument");
}

bool
imap_read_command(struct cursor *cursor, struct imap_command_line *line)
{
	if (!imap_read_start(cursor, line) || !readers[line->verb](cursor, line) || !cursor_end(cursor) ||
	    !imap_check_masks(cursor, line) || !cursor_settle(cursor))
		return false;
	line->sent_name = cursor->sent_name;
	line->has_other_name = cursor->has_other_name;
	return true;
}
