/*
 * The manifest of a backup: what lies in the folder, and what the directory had of each user.  Lines of words as the
 * control socket speaks them (control/words.h):
 *
 *	backup format:=1
 *	run state=begun at=2026-11-29T03:00:00Z
 *	user name=alice state=kept file=alice.db size:=4096 sha256=... stamp=... copied=2026-11-29T03:00:01Z credential=...
 *	run state=ended at=2026-11-29T03:00:02Z
 *
 * A line is added, and on the disk, before a user's file takes its name; of two lines for one user the later one holds,
 * or, if the file is not what it says, the one before.  So it is true whenever a run dies.  Blocking.
 */
#ifndef BACKUP_CATALOGUE_H
#define BACKUP_CATALOGUE_H

#include "base/arena.h"
#include "folder.h"

/* What a line says of a user; the texts live in the manifest. */
struct catalogue_user {
	struct span name;
	struct span line;		/* all of it */
	struct span file;		/* empty: there is no mail, or it is elsewhere */
	struct span sha256, stamp, mailbox_id;
	uint64_t size;
	struct catalogue_user *before;	/* what a former line has said; NULL: there is none */
};

struct catalogue;

/*
 * Read it.
 *
 *	is_new_allowed	without one the folder is a backup that is empty yet
 *
 * NULL: what is wrong was said, *code_out is the exit code.
 */
struct catalogue *catalogue_read(const struct folder *folder, bool is_new_allowed, int *code_out);
void catalogue_free(struct catalogue **catalogue);

/* In the order of the names. */
size_t catalogue_count(const struct catalogue *catalogue);
const struct catalogue_user *catalogue_at(const struct catalogue *catalogue, size_t index);
const struct catalogue_user *catalogue_find(const struct catalogue *catalogue, struct span name);

/* Whether the last run has come to its end; and when that was, or began. */
bool catalogue_is_ended(const struct catalogue *catalogue, struct span *at_out);

/* Write it anew without the lines that do not hold any more, and have lines added.  False: what is wrong was said. */
bool catalogue_begin(struct catalogue *catalogue);

/* Add a line, without its end; it is on the disk.  False: what is wrong was said. */
bool catalogue_add(struct catalogue *catalogue, struct span line);

/* A field of a user's line, in the arena; empty when there is none. */
struct span catalogue_field(const struct catalogue_user *user, struct arena *arena, const char *key);

/* Names in one field, with a space between two; of a space or "%" in a name stands its code, as in URLs. */
void catalogue_add_name(struct buffer *names, struct span name);

/* Take the first name off a field, into the arena. */
struct span catalogue_take_name(struct span *names, struct arena *arena);

/* Append the time as 2026-11-29T03:00:00Z. */
void catalogue_add_now(struct buffer *out);

#endif
