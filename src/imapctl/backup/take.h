/*
 * One user's file as it comes out of the server: the verb image.  Blocking.
 */
#ifndef BACKUP_TAKE_H
#define BACKUP_TAKE_H

#include "../ctl/ctl.h"
#include "folder.h"

/* How much may come in a second. */
struct pace {
	uint64_t octets_per_s;		/* 0: no bound */
	uint64_t due_us;		/* when the next octets may come */
};

/* What came. */
struct taken {
	enum {
		TAKEN_COPIED,
		TAKEN_OLDER,		/* copied, too, but without what a foreign program holds up */
		TAKEN_UNCHANGED,
		TAKEN_NONE,
		TAKEN_ELSEWHERE,
	} state;
	uint64_t size;
	char sha256[FOLDER_DIGEST_SIZE];
	struct span stamp;		/* in the arena */
};

/* Whether a file has come. */
static inline bool
taken_is_file(const struct taken *taken)
{
	return taken->state == TAKEN_COPIED || taken->state == TAKEN_OLDER;
}

/*
 * Take the file of a user into one that is begun and finished, and neither kept nor dropped; unless the stamp is that of
 * the file still, or there is none.
 *
 *	known	the stamp, or empty
 *	file	zeroed; the caller drops or keeps it, however this ends
 *
 * Gives an exit code; what is wrong was said.  *is_lost_out: the server is gone, or the folder cannot be written, so that
 * others will not fare better.
 */
int take_image(const struct order *order, const struct folder *folder, struct span user, struct span known, struct pace *pace,
    struct folder_file *file, struct arena *arena, struct taken *taken_out, bool *is_lost_out);

#endif
