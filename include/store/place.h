/*
 * Putting a whole file, as an image was put together (store/image.h), where a user's mail belongs: to restore a user, and to
 * take one over from another host.  Blocks: worker threads only.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/store.h"

/*
 * See whether a file that nobody else has open is a user's, with the tables of its version, and bring its schema up to
 * date.
 *
 *	messages_out	how many there are, in all mailboxes
 *	error_out	given when it fails: what is wrong; NULL: nothing
 *
 * STORE_CORRUPT: it is none, or one of a later version.
 */
enum store_status store_place_check(const char *staged, uint64_t *messages_out, char **error_out);

/* What may lie there already, for the file to take its place. */
enum store_placing {
	STORE_PLACE_NEW,	/* nothing */
	STORE_PLACE_LEFTOVER,	/* ... or what an earlier placing has left that died before anybody had the mailbox id */
	STORE_PLACE_OVER,	/* whatever it is */
};

/*
 * Check a file, bring its schema up to date, and move it where it belongs.  No store is open there.
 *
 *	staged		on the same file system, with all its octets written; it is gone when this succeeds
 *	path, mark_path	as for store_open_marked()
 *	messages_out	how many it has
 *	error_out	given when it fails: what is wrong; NULL: nothing
 *
 * Nobody can tell how far the user's clients had come, unless a mark is there that says so.  Without one the next opening
 * finds the file doubtful: it keeps UIDs and UIDVALIDITY, and steps over whatever may have been given since
 * (src/store/README).
 *
 * STORE_EXISTS: something is there.  STORE_CORRUPT: it is no user's file, or of a later version.  All or nothing.
 */
enum store_status store_place(const char *staged, const char *path, const char *mark_path, enum store_placing placing,
    uint64_t *messages_out, char **error_out);

#endif
