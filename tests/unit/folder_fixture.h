/*
 * A folder for a test: in $TMPDIR, where no test waits for a disk if `make check` has found memory for it, or in /tmp.
 */
#ifndef FOLDER_FIXTURE_H
#define FOLDER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

/* Make one, and write its path, "/tmp/store.XXXXXX", into so many octets. */
static inline void
folder_make(char *path, size_t size, const char *name)
{
	const char *where = getenv("TMPDIR");
	int length = snprintf(path, size, "%s/%s.XXXXXX", where == NULL ? "/tmp" : where, name);

	assert_true(length > 0 && (size_t)length < size);
	assert_non_null(mkdtemp(path));
}

#endif
