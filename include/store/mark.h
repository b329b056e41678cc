/*
 * What is remembered of a user's file outside of it, in a small file of its own, the mark: that the file was made,
 * and how far it had come when somebody was told.  So a file that is gone is no new user, and an older one that
 * somebody put back gives no UID twice (src/store/README).  Blocks: worker threads only.
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "store/store.h"

/* What the mark says of a file that was opened. */
enum store_finding {
	STORE_AS_LEFT,		/* it is the one that was closed, or that a crash has left */
	STORE_MADE,		/* there was none, and it was made */
	STORE_OLDER,		/* it had come further: every mailbox has got another UIDVALIDITY */
	STORE_DOUBTFUL,		/* nobody can tell, after a power loss: UIDNEXT and all modseqs have jumped */
};

struct store_opening {
	const char *path;	/* as for store_open() */
	const char *mark_path;	/* its folder's parent must exist */
	uint64_t era;		/* of store_era_begin() */
	enum store_finding finding;	/* out, when it was opened */
	uint64_t file;		/* out: its inode */
	char *error;		/* out, given, when it was not: what SQLite says; NULL: nothing */
};

/*
 * As store_open(), which makes what is missing and takes the power for lost when lazy commits may be; but a file that
 * was there and is not any more is STORE_MISSING.
 * From now on the mark follows the store's commits, without a flush of its own but once in a while.
 */
enum store_status store_open_marked(struct store_opening *opening, struct store **store_out);

/*
 * Whether a store that is open has still the file that lies at its path.  When there is none, or another one,
 * store_leave() closes it; what the log beside it holds belongs to the file that has gone, and is not let into
 * another one: it becomes mail.db-wal.stale.
 */
enum store_place { STORE_IN_PLACE, STORE_FILE_GONE, STORE_FILE_REPLACED };
enum store_place store_look(const struct store *store);
void store_leave(struct store **store);

/*
 * Let the next store_open_marked() make a file anew, with UIDVALIDITYs above those of the one that is gone.
 * STORE_EXISTS: it is not gone.
 */
enum store_status store_mark_renew(const char *path, const char *mark_path);

/*
 * Remove a user's file with its folder, and the mark.  STORE_NOT_FOUND: there was nothing.
 */
enum store_status store_remove(const char *path, const char *mark_path);

/*
 * Make a mark for each file below a data directory that has none, when the data directory has no marks at all: it
 * comes from before there were any.  False: errno says why.
 */
bool store_marks_init(const char *data_directory, uint64_t era);

/*
 * An era ends where marks may have been lost: with a power loss, and when a data directory is copied.  What is
 * known of the one under way stands in a file, the data directory's lock, which is open for reading and writing
 * and which nobody else has.
 *
 *	era_out		never the same again
 *
 * store_era_end(): all stores are closed.  False: errno says why.
 */
bool store_era_begin(int descriptor, uint64_t *era_out);
bool store_era_end(int descriptor);

#endif
