/*
 * What SQLite asks for is left to the VFS below, but for what is held already or not needed any more.
 */
#include "sole.h"

#define LOCK_WRITE 0		/* and behind it that of who folds */
#define SOLE_COUNT 2		/* the two that others need who would write or fold */

/*
 * With its first transaction a connection that may locks out whoever else would write or fold the WAL, for as long as
 * the file is open.  What it reads is then safe without a lock.  Others can read: their locks are still asked for, where SQLite
 * begins the WAL anew, folds it, or says at which state readers begin.
 */
static void
become_sole(struct sole *sole, sqlite3_file *file)
{
	if (sole->may_be_sole && !sole->is_sole && sole->shared == 0)
		sole->is_sole = file->pMethods->xShmLock(file, LOCK_WRITE, SOLE_COUNT,
		    SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) == SQLITE_OK;
}

int
sole_lock_shared(struct sole *sole, sqlite3_file *file, int offset, int count, int flags)
{
	int code;

	if (flags & SQLITE_SHM_LOCK)
		become_sole(sole, file);
	if (sole->is_sole)
		return SQLITE_OK;
	code = file->pMethods->xShmLock(file, offset, count, flags);
	if (code == SQLITE_OK)
		sole->shared += flags & SQLITE_SHM_LOCK ? 1 : -1;
	return code;
}

int
sole_lock_exclusive(struct sole *sole, sqlite3_file *file, int offset, int count, int flags)
{
	int held = sole->is_sole && offset < SOLE_COUNT ? SOLE_COUNT - offset : 0;

	if (count <= held)
		return SQLITE_OK;
	return file->pMethods->xShmLock(file, offset + held, count - held, flags);
}

void
sole_end(struct sole *sole, sqlite3_file *file)
{
	if (sole->is_sole)
		file->pMethods->xShmLock(file, LOCK_WRITE, SOLE_COUNT, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
	sole->is_sole = false;
}
