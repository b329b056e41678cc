/*
 * What every command begins with: its tag and its name.  RFC 9051 section 9.  Pure.
 */
#include "read.h"

#define TAG_OCTETS_MAX 255

static bool
read_tag(struct cursor *cursor, struct span *tag_out)
{
	struct span tag;

	if (!cursor_run(cursor, imap_is_tag_octet, &tag) || tag.length > TAG_OCTETS_MAX ||
	    cursor_peek(cursor) != ' ')
		return cursor_fail(cursor, "A command begins with a tag and a space");
	*tag_out = tag;
	return cursor_space(cursor);
}

bool
imap_read_start(struct cursor *cursor, struct imap_command_line *line)
{
	struct span name;

	line->tag = SPAN("*");
	if (!read_tag(cursor, &line->tag) || !cursor_atom(cursor, &name))
		return false;
	line->is_uid = span_equals_nocase(name, SPAN("UID"));
	if (line->is_uid && (!cursor_space(cursor) || !cursor_atom(cursor, &name)))
		return false;
	line->verb = imap_command_find(name);
	if (line->verb == IMAP_COMMAND_COUNT || (line->is_uid && !imap_commands[line->verb].has_uid_form))
		return cursor_fail(cursor, "Unknown command");
	return true;
}
