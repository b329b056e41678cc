/*
 * Who exists, what proves it, and where the mail lives.  Back ends stand behind one interface; today
 * there is one, a SQLite file.  Names are prepared by directory_prepare_name() before they come here.
 * A directory belongs to one worker at a time (a queue of jobs); no door may be used on the loop thread,
 * except the two that only look at text.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include "base/arena.h"
#include "base/span.h"

struct directory;

enum directory_status {
	DIRECTORY_OK,
	DIRECTORY_NOT_FOUND,	/* no such user */
	DIRECTORY_EXISTS,	/* there is such a user already */
	DIRECTORY_UNAVAILABLE,	/* try again: the disk is full, busy or failing; the back end is down */
	DIRECTORY_CORRUPT,	/* the operator is needed: damaged, unreadable, or of a later version */
	DIRECTORY_STATUS_COUNT
};

/* A few words for the log and for imapctl.  Static. */
const char *directory_status_text(enum directory_status status);

#define DIRECTORY_NAME_MAX	255	/* octets of a name, without NUL */
#define DIRECTORY_ID_LENGTH	32	/* hexadecimal digits of a mailbox id, without NUL */

struct directory_name {
	char text[DIRECTORY_NAME_MAX + 1];
	size_t length;
};

/*
 * Prepare a user's name, "user" or "user@domain", for looking it up: ASCII letters become lower-case,
 * all else stays.  False: empty, too long, not UTF-8, or with white space, a control character or a
 * noncharacter in it; nobody has such a name.  Any thread.
 */
bool directory_prepare_name(struct span name, struct directory_name *name_out);

static inline struct span
directory_name_span(const struct directory_name *name)
{
	return span_of(name->text, name->length);
}

/* One user; the spans live in the arena they were asked into. */
struct directory_user {
	struct span name;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* names the data folder; random, never reused */
	struct span credential;		/* auth/password.h; empty: nobody can log in */
	uint64_t credential_version;	/* another one after each change of the credential */
	struct span home;		/* name of the mailbox server; empty: this host */
	bool is_enabled;		/* a disabled user gets mail and cannot log in */
	int64_t created_s;		/* since 1970-01-01 UTC */
};

/*
 * Open the directory kept in a SQLite file; makes it when it is missing.
 *
 *	directory_out	given to the caller, to directory_close(); untouched on failure
 */
enum directory_status directory_open_sqlite(const char *path, struct directory **directory_out);

/* Accepts NULL, leaves NULL behind. */
void directory_close(struct directory **directory);

/* Find a user.  user_out is untouched on failure. */
enum directory_status directory_lookup(struct directory *directory, struct span name,
    struct arena *arena, struct directory_user *user_out);

/* Add an enabled user with a new mailbox id, and home on this host.  DIRECTORY_EXISTS: nothing changed. */
enum directory_status directory_add(struct directory *directory, struct span name,
    struct span credential);

/* Replace the credential; its version changes. */
enum directory_status directory_set_credential(struct directory *directory, struct span name,
    struct span credential);

/* Permit or refuse logins. */
enum directory_status directory_set_enabled(struct directory *directory, struct span name,
    bool is_enabled);

/* Forget a user.  The mail stays in its folder, and the folder's id is never given again. */
enum directory_status directory_delete(struct directory *directory, struct span name);

/*
 * List users in the order of their octets, a page at a time.
 *
 *	after		the last name of the page before; empty at first
 *	users_out	room for limit users, which is at least 1
 *	count_out	how many were written; fewer than limit: there are no more
 */
enum directory_status directory_list(struct directory *directory, struct span after,
    struct arena *arena, struct directory_user *users_out, size_t limit, size_t *count_out);

enum directory_status directory_count(struct directory *directory, uint64_t *count_out);

#endif
