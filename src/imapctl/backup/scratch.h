/*
 * A folder for a copy of a file of the backup, which nobody but the caller can enter: what is opened there is changed, and
 * the backup is not.  In TMPDIR, or /var/tmp.  A process of its own removes it at the end of this one, however that ends.
 * Blocking.
 */
#ifndef BACKUP_SCRATCH_H
#define BACKUP_SCRATCH_H

#include <sys/types.h>

#include "catalogue.h"

struct scratch {
	struct buffer path;		/* of the folder; empty: there is none */
	int told;			/* as long as this is open, the folder stays */
	int alive;			/* ends when the imapd of scratch_serve() does */
	pid_t keeper;
};

/* False: what is wrong was said. */
bool scratch_begin(struct scratch *scratch);

/* Start an imapd with the configuration imapd.conf in the folder, its log in the file log there; it ends with the folder. */
void scratch_serve(struct scratch *scratch);

/* Remove it with all that is in it; harmless when it was not begun, but zeroed. */
void scratch_end(struct scratch *scratch);

/*
 * Copy a user's file from the backup, and compare its digest with the manifest meanwhile.
 *
 *	path		of the copy, whose folder is there
 *	size_out	octets of the file
 *	code_out	when it fails: EX_NOINPUT, EX_DATAERR, EX_CANTCREAT or EX_TEMPFAIL (a signal)
 *
 * NULL: it is what the manifest says.  Else what is wrong, static or in the arena.
 */
const char *scratch_copy(const struct folder *folder, const struct catalogue_user *user, const char *path,
    struct arena *arena, uint64_t *size_out, int *code_out);

#endif
