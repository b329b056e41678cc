/*
 * Arguments of GETQUOTA and SETQUOTA: RFC 9208 section 7.  Pure.
 */
#include "read.h"

bool
imap_read_get_quota(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_astring(cursor, &line->quota.root);
}

/* Who may read it would set it; nobody may, so that only its form counts. */
static bool
read_limit(struct cursor *cursor, void *context)
{
	struct span resource;
	uint64_t limit;

	(void)context;
	return cursor_atom(cursor, &resource) && cursor_space(cursor) && cursor_number(cursor, INT64_MAX, &limit);
}

bool
imap_read_set_quota(struct cursor *cursor, struct imap_command_line *line)
{
	return imap_read_get_quota(cursor, line) && cursor_space(cursor) && cursor_list(cursor, true, read_limit, NULL);
}
