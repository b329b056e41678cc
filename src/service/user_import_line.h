/*
 * A line of the body of the verb user import: words of which the first is the name.
 *
 *	NAME [hash=CREDENTIAL|password=BASE64] [imap=on|off] [quota=RULE]...
 */
#ifndef USER_IMPORT_LINE_H
#define USER_IMPORT_LINE_H

#include "base/arena.h"
#include "directory/directory.h"

struct user_import_line {
	struct directory_name name;
	struct span hash, password;	/* as they came; empty: not said */
	bool has_enabled, is_enabled;
	bool has_quota;
	struct directory_quota quota;
};

/*
 * Read one, without its line end; spans live in the arena.  Any thread.
 *
 * NULL: it is good; else a word for what is wrong.
 */
const char *user_import_read_line(struct span text, struct arena *arena, struct user_import_line *line_out);

#endif
