/*
 * APPEND up to each of its messages, and REPLACE.  RFC 9051 section 9, "append"; RFC 3502 for more than one; RFC 8508.
 * Pure.
 */
#include "read.h"

/* "[(flags) ][date-time ][UTF8 (]" up to the literal. */
static bool
read_options(struct cursor *cursor, struct imap_append_message *message)
{
	if (cursor_peek(cursor) == '(' && (!cursor_flags(cursor, false, &message->flags) || !cursor_space(cursor)))
		return false;
	if (cursor_peek(cursor) == '"') {
		message->has_date = true;
		if (!cursor_date_time(cursor, &message->date) || !cursor_space(cursor))
			return false;
	}
	message->is_utf8 = cursor_word(cursor, "UTF8");
	if (message->is_utf8 && (!cursor_space(cursor) || !cursor_expect(cursor, '(')))
		return false;
	if (!cursor_is_at_end(cursor))
		return cursor_fail(cursor, "Expected the message as literal");
	return cursor_settle(cursor);
}

/* RFC 8508 section 5: seq-number, a number or "*". */
static bool
read_replaced(struct cursor *cursor, const struct imap_command_line *line, struct imap_append_message *message)
{
	message->replaces = line->is_uid ? IMAP_REPLACES_UID : IMAP_REPLACES_NUMBER;
	message->replaced = 0;
	if (!cursor_skip(cursor, '*') && !cursor_nz_number(cursor, UINT32_MAX, &message->replaced))
		return false;
	return cursor_space(cursor);
}

bool
imap_read_append(struct cursor *cursor, struct imap_command_line *line, struct imap_append_message *message,
    bool *is_message_out)
{
	if (!imap_read_start(cursor, line) || !cursor_space(cursor))
		return false;
	if (line->verb == IMAP_REPLACE && !read_replaced(cursor, line, message))
		return false;
	*is_message_out = !cursor_is_at_end(cursor);
	if (!*is_message_out)
		return true;
	if (!cursor_mailbox(cursor, &line->append.mailbox) || !cursor_space(cursor) || !imap_check_masks(cursor, line))
		return false;
	line->sent_name = cursor->sent_name;
	line->has_other_name = cursor->has_other_name;
	message->tag = line->tag;
	message->mailbox = line->append.mailbox;
	return read_options(cursor, message);
}

bool
imap_read_append_next(struct cursor *cursor, struct imap_append_message *message)
{
	if (message->is_utf8 && !cursor_expect(cursor, ')'))
		return false;
	message->flags = (struct imap_flags){ 0 };
	message->has_date = false;
	message->date = (struct imap_date_time){ 0 };
	if (message->replaces != IMAP_REPLACES_NOTHING)
		return cursor_fail(cursor, "REPLACE takes one message");
	return cursor_space(cursor) && read_options(cursor, message);
}
