/*
 * Arguments of SETACL, DELETEACL, LISTRIGHTS: RFC 4314 section 7.  Pure.
 */
#include "imap/rights.h"
#include "read.h"

bool
imap_read_identifier(struct cursor *cursor, struct imap_command_line *line)
{
	if (!cursor_space(cursor) || !cursor_mailbox(cursor, &line->acl.mailbox) || !cursor_space(cursor) ||
	    !cursor_astring(cursor, &line->acl.identifier))
		return false;
	return (line->acl.identifier.length > 0 && imap_utf8_is_valid(line->acl.identifier)) ||
	    cursor_fail(cursor, "This is no identifier");
}

/* Section 3.1: a right that is not known must not be ignored. */
bool
imap_read_setacl(struct cursor *cursor, struct imap_command_line *line)
{
	struct span rights;

	if (!imap_read_identifier(cursor, line) || !cursor_space(cursor) || !cursor_astring(cursor, &rights))
		return false;
	if (rights.length > 0 && (rights.at[0] == '+' || rights.at[0] == '-')) {
		line->acl.kind = rights.at[0] == '+' ? IMAP_ACL_ADD : IMAP_ACL_REMOVE;
		rights = span_from(rights, 1);
	}
	return imap_rights_read(rights, &line->acl.rights) || cursor_fail(cursor, "There is no such right");
}
