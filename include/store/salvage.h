/*
 * A file of which SQLite cannot read all: what it can read is copied into a new one, which takes its place.  Worker threads.
 */
#ifndef STORE_SALVAGE_H
#define STORE_SALVAGE_H

#include "store/store.h"

/* What came of it; zeroed before, but for the flag. */
struct salvage_report {
	const atomic_bool *stop;	/* set by whatever thread: it is given up, and nothing was changed; NULL: nobody does */
	struct buffer kept_as;		/* where the old file lies now, beside the new one */
	struct buffer given_up;		/* tables of which not every key was tried, with a comma between two; or empty */
	bool has_first_page;		/* the first page was made anew: it could not be read */
};

void salvage_report_fini(struct salvage_report *report);

/*
 * Salvage a file that nobody has open.  Octets to which nothing leads any more are looked for page by page.
 *
 * The new file stands at the path as soon as it is whole, and never before: whoever is interrupted begins anew.  The next
 * store_open_marked() finds it doubtful, so that clients look at everything again.  Contents whose octets are lost are left
 * for store_repair_set_aside().  STORE_CORRUPT: nothing can be read.
 */
enum store_status store_salvage(const char *path, const char *mark_path, struct salvage_report *report);

#endif
