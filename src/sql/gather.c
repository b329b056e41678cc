/*
 * Writes that follow each other are held in memory and go out as one.  Nothing is told later for it than SQLite has to
 * know it:
 *
 *	WAL	the frames of a transaction; out with its last frame, which says that it is the last, and so before
 *		the commit returns, whether that flushes or not
 *	file	the pages of a checkpoint; out before the file is cut to its length and flushed
 *
 * A WAL that must grow grows by more than it needs: a flush that has to write down a new length takes twice the time.
 *
 * Folding reads frames of the WAL that lie mostly one behind the other: many are read at a time, while nobody writes there.
 *
 * A write that fails thus fails in xWrite, xTruncate or xSync, and never while reading: SQLite gives up the whole
 * transaction or checkpoint then, so what is held is dropped.  Reading sees what is held.
 *
 * Pages that are read one behind the other, as those of a body are, come by ever longer reads ahead; for the time of a
 * transaction, from a file that nobody else writes to.  All other calls go straight to the VFS below.  A file belongs to
 * one worker at a time, as its connection does.
 */
#include "gather.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "base/memory.h"
#include "base/thread.h"
#include "buffers.h"
#include "frames.h"
#include "reserve.h"
#include "sole.h"

/* The formats of the WAL and of the locks of its index: sqlite.org/fileformat2.html section 4, walformat.html. */
#define FRAME_COMMIT	  4		/* four octets that are not zero in the last frame of a transaction */
#define FRAME_CHECKSUM	  8		/* sixteen with the salt; zero: computed at the end of the transaction */
#define LOCK_CHECKPOINT	  1
#define LOCK_FIRST_READER 3

/* SQLite's unix VFS writes the length modulo 128 KiB at a time, and takes nothing written for a full disk. */
#define HELD_MAX FRAMES_OCTETS

_Static_assert(HELD_MAX <= BUFFERS_OCTETS, "what is held has room in a buffer");

struct file {
	sqlite3_file base;
	sqlite3_file *real;		/* of the VFS below */
	uint8_t *held;			/* of buffers.h; NULL: nothing */
	size_t length;			/* of what is held */
	sqlite3_int64 at;		/* where it begins */
	int failure;			/* of a write in a call that tells nobody; for the next that does */
	bool is_wal;
	bool is_committing;		/* the frame that ends the transaction has begun */
	bool is_folding;		/* a checkpoint writes to this file, and flushes it */
	bool has_reader;		/* somebody else reads, and the checkpoint will stop short of the end, unflushed */
	struct sole sole;
	sqlite3_int64 read_at;		/* what was read last */
	struct file *database;		/* of a WAL */
	struct frames frames;		/* of a database while is_folding: of its WAL */
	struct ahead ahead;
	struct reserve reserve;		/* of a WAL */
	sqlite3_int64 rewritten_at;	/* of the WAL, the first frame that this transaction has changed in place */
	struct list followers;		/* of a database: struct gather_follower */
	bool is_still;			/* GATHER_STILL_VFS */
	struct gather_reading *reading;	/* of such a file; NULL: nobody looks on */
};

#define BELOW(file) ((file)->real->pMethods)

static void
drop_held(struct file *file)
{
	if (file->held != NULL)
		buffers_give(file->held);
	file->held = NULL;
	file->length = 0;
}

static sqlite3_int64
held_end(const struct file *file)
{
	return file->at + (sqlite3_int64)file->length;
}

/* Write what is held.  It is gone afterwards, however that ended. */
static int
put_held(struct file *file)
{
	int code = file->failure;

	file->failure = SQLITE_OK;
	if (code == SQLITE_OK && file->length > 0) {
		code = BELOW(file)->xWrite(file->real, file->held, (int)file->length, file->at);
		/* Nobody else has frames behind these. */
		if (code == SQLITE_OK && file->is_wal && file->database->sole.is_sole)
			reserve_more(&file->reserve, file->real, held_end(file));
	}
	drop_held(file);
	return code;
}

static void
hold(struct file *file, const void *octets, size_t length, sqlite3_int64 offset)
{
	if (file->held == NULL) {
		file->held = buffers_take();
		file->at = offset;
	}
	memcpy(file->held + file->length, octets, length);
	file->length += length;
}

/*
 * Whether these octets begin a frame that is added.  A header is also written alone, when checksums of frames that are
 * there already are computed anew: such a frame has been read just before.
 */
static bool
is_frame_header(const struct file *file, size_t length, sqlite3_int64 offset)
{
	return file->is_wal && length == FRAME_HEADER && offset != file->read_at;
}

/*
 * SQLite 3.40 loses a transaction that it says is committed, when the process dies next: once a frame is changed in
 * place, it leaves out checksums and computes them at the end, from that frame on; but when a savepoint is undone it
 * goes back to a frame before that one and forgets that what it now adds lies outside.  Such a frame is refused.
 */
static bool
is_frame_lost(struct file *file, const uint8_t *header, sqlite3_int64 offset)
{
	static const uint8_t zero[FRAME_HEADER - FRAME_CHECKSUM] = { 0 };

	if (memcmp(header + FRAME_CHECKSUM, zero, sizeof zero) == 0)
		return offset < file->rewritten_at;
	file->rewritten_at = INT64_MAX;
	return false;
}

static int
write_frame_part(struct file *file, const uint8_t *octets, size_t length, sqlite3_int64 offset)
{
	static const uint8_t zero[4] = { 0 };
	bool is_header = is_frame_header(file, length, offset);

	if (is_header && is_frame_lost(file, octets, offset))
		return SQLITE_IOERR_WRITE;
	hold(file, octets, length, offset);
	if (is_header)
		file->is_committing = memcmp(octets + FRAME_COMMIT, zero, sizeof zero) != 0;
	return !is_header && file->is_committing ? put_held(file) : SQLITE_OK;
}

static void
tell_followers(struct file *file, sqlite3_int64 offset, sqlite3_int64 length)
{
	LIST_FOREACH(&file->followers, link) {
		struct gather_follower *follower = LIST_ENTRY(link, struct gather_follower, link);

		follower->on_written(follower, (uint64_t)offset, (uint64_t)length);
	}
}

static void
end_followers(struct file *file)
{
	struct list *link;

	while ((link = list_pop_front(&file->followers)) != NULL) {
		struct gather_follower *follower = LIST_ENTRY(link, struct gather_follower, link);

		follower->on_closed(follower);
	}
}

static int
write_octets(struct file *file, const void *octets, int length, sqlite3_int64 offset)
{
	bool follows = file->held != NULL && offset == held_end(file);
	bool is_held = is_frame_header(file, length, offset) || (file->is_wal && follows && length != FRAME_HEADER) ||
	    file->is_folding;
	int code = SQLITE_OK;

	ahead_drop(&file->ahead);
	tell_followers(file, offset, length);
	if (!follows || !is_held || file->length + length > HELD_MAX)
		code = put_held(file);
	if (code != SQLITE_OK)
		return code;
	if (file->is_wal && !is_held && length != FRAME_HEADER && offset < file->rewritten_at && offset > 0)
		file->rewritten_at = offset - FRAME_HEADER;
	if (!is_held || length > HELD_MAX)
		return BELOW(file)->xWrite(file->real, octets, length, offset);
	if (file->is_wal)
		return write_frame_part(file, octets, length, offset);
	hold(file, octets, length, offset);
	return SQLITE_OK;
}

static int
on_write(sqlite3_file *base, const void *octets, int length, sqlite3_int64 offset)
{
	int code;

	thread_begin_wait(false);
	code = write_octets((struct file *)base, octets, length, offset);
	thread_end_wait();
	return code;
}

/* Nobody changes the file meanwhile, and nothing that is held lies over it. */
static bool
may_read_ahead(const struct file *file)
{
	return (file->sole.is_sole || file->is_still) && !file->is_wal && !file->is_folding && file->held == NULL;
}

/* What is held lies over what the file below has, and never beyond a gap behind its end. */
static int
read_octets(struct file *file, void *octets, int length, sqlite3_int64 offset)
{
	sqlite3_int64 end = offset + length, first, last;
	int code = SQLITE_OK;

	file->read_at = offset;
	if (file->is_wal && file->held == NULL && file->database->is_folding && length <= FRAMES_OCTETS)
		return frames_read(&file->database->frames, file->real, octets, length, offset);
	first = file->held != NULL && file->at > offset ? file->at : offset;
	last = held_end(file) < end ? held_end(file) : end;
	if (file->held == NULL || first >= last || first > offset || last < end)
		code = ahead_read(&file->ahead, file->real, may_read_ahead(file), octets, length, offset);
	if (file->held == NULL || first >= last)
		return code;
	if (code != SQLITE_OK && (code != SQLITE_IOERR_SHORT_READ || last < end))
		return code;
	memcpy((uint8_t *)octets + (first - offset), file->held + (first - file->at), (size_t)(last - first));
	return SQLITE_OK;
}

bool
gather_may_read(const struct gather_reading *reading)
{
	return !atomic_load(&reading->has_moved) && !atomic_load(&reading->is_stopped);
}

static int
on_read(sqlite3_file *base, void *octets, int length, sqlite3_int64 offset)
{
	struct file *file = (struct file *)base;
	int code;

	if (file->reading != NULL) {
		if (!gather_may_read(file->reading))
			return SQLITE_INTERRUPT;
		atomic_fetch_add(&file->reading->octets, (uint64_t)length);
	}
	thread_begin_wait(false);
	code = read_octets(file, octets, length, offset);
	thread_end_wait();
	return code;
}

static int
on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *file = (struct file *)base;
	int code;

	ahead_drop(&file->ahead);
	tell_followers(file, size, 0);
	if (file->held != NULL && size <= file->at)
		drop_held(file);
	reserve_forget(&file->reserve);
	code = put_held(file);
	return code != SQLITE_OK ? code : BELOW(file)->xTruncate(file->real, size);
}

static int
on_sync(sqlite3_file *base, int flags)
{
	struct file *file = (struct file *)base;
	int code = put_held(file);

	if (code != SQLITE_OK)
		return code;
	thread_begin_wait(true);
	code = BELOW(file)->xSync(file->real, flags);
	thread_end_wait();
	return code;
}

static int
on_file_size(sqlite3_file *base, sqlite3_int64 *size_out)
{
	struct file *file = (struct file *)base;
	int code = BELOW(file)->xFileSize(file->real, size_out);

	if (code == SQLITE_OK && file->held != NULL && *size_out < held_end(file))
		*size_out = held_end(file);
	return code;
}

/* What is still held belongs to a transaction that was rolled back, or to a checkpoint that failed. */
static int
on_close(sqlite3_file *base)
{
	struct file *file = (struct file *)base;
	int code = BELOW(file)->xClose(file->real);

	end_followers(file);
	drop_held(file);
	frames_drop(&file->frames);
	ahead_drop(&file->ahead);
	free(file->real);
	file->real = NULL;
	return code;
}

static int
on_file_control(sqlite3_file *base, int operation, void *argument)
{
	struct file *file = (struct file *)base;

	if (operation == GATHER_BE_SOLE) {
		file->sole.may_be_sole = true;
		return SQLITE_OK;
	}
	if (operation == GATHER_IS_SOLE) {
		*(bool *)argument = file->sole.is_sole;
		return SQLITE_OK;
	}
	if (operation == GATHER_FOLLOW) {
		list_push_back(&file->followers, &((struct gather_follower *)argument)->link);
		return SQLITE_OK;
	}
	if (operation == GATHER_READ_BY) {
		file->reading = argument;
		return SQLITE_OK;
	}
	if (operation == SQLITE_FCNTL_CKPT_START)
		file->is_folding = !file->has_reader;
	if (operation == SQLITE_FCNTL_CKPT_DONE && file->is_folding) {
		file->is_folding = false;
		frames_drop(&file->frames);
		file->failure = put_held(file);
	}
	return BELOW(file)->xFileControl(file->real, operation, argument);
}

/*
 * A checkpoint that finds a reader stops where that reader has come to, says so to other programs, and flushes
 * nothing: it has no call in which a held page could still fail.
 */
static int
on_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
	struct file *file = (struct file *)base;
	int code;

	if (flags & SQLITE_SHM_SHARED) {
		if (!(flags & SQLITE_SHM_LOCK))
			ahead_drop(&file->ahead);
		return sole_lock_shared(&file->sole, file->real, offset, count, flags);
	}
	code = sole_lock_exclusive(&file->sole, file->real, offset, count, flags);
	if (offset == LOCK_CHECKPOINT && (flags & SQLITE_SHM_LOCK))
		file->has_reader = false;
	else if (offset >= LOCK_FIRST_READER && code == SQLITE_BUSY)
		file->has_reader = true;
	return code;
}

static int
on_shm_unmap(sqlite3_file *base, int deletes)
{
	struct file *file = (struct file *)base;

	sole_end(&file->sole, file->real);
	return BELOW(file)->xShmUnmap(file->real, deletes);
}

/* The rest as it is below. */

static int
on_lock(sqlite3_file *base, int level)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xLock(file->real, level);
}

static int
on_unlock(sqlite3_file *base, int level)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xUnlock(file->real, level);
}

static int
on_check_reserved_lock(sqlite3_file *base, int *is_reserved_out)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xCheckReservedLock(file->real, is_reserved_out);
}

static int
on_sector_size(sqlite3_file *base)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xSectorSize(file->real);
}

static int
on_device_characteristics(sqlite3_file *base)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xDeviceCharacteristics(file->real) | (file->is_still ? SQLITE_IOCAP_IMMUTABLE : 0);
}

static int
on_shm_map(sqlite3_file *base, int region, int size, int extends, void volatile **memory_out)
{
	struct file *file = (struct file *)base;

	return BELOW(file)->xShmMap(file->real, region, size, extends, memory_out);
}

static void
on_shm_barrier(sqlite3_file *base)
{
	struct file *file = (struct file *)base;

	BELOW(file)->xShmBarrier(file->real);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,			/* without mmap */
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_reserved_lock,
	.xFileControl = on_file_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_device_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int
on_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *flags_out)
{
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);
	struct file *file = (struct file *)base;
	int code;

	(void)vfs;
	memset(file, 0, sizeof *file);
	file->real = memory_new((size_t)below->szOsFile);
	code = below->xOpen(below, path, file->real, flags, flags_out);
	if (code != SQLITE_OK) {
		if (BELOW(file) != NULL)
			BELOW(file)->xClose(file->real);
		free(file->real);
		return code;
	}
	file->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	file->database = file->is_wal ? (struct file *)sqlite3_database_file_object(path) : NULL;
	file->read_at = -1;
	ahead_init(&file->ahead);
	list_init(&file->followers);
	file->rewritten_at = INT64_MAX;
	file->base.pMethods = &methods;
	return SQLITE_OK;
}

/* Who opens a file has followed its links: open.c. */
static int
on_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int
on_open_still(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *flags_out)
{
	int code = on_open(vfs, path, base, flags, flags_out);

	if (code == SQLITE_OK)
		((struct file *)base)->is_still = true;
	return code;
}

static void
make_known(sqlite3_vfs *vfs, const char *name, int (*open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *))
{
	*vfs = *sqlite3_vfs_find(NULL);
	vfs->zName = name;
	vfs->pNext = NULL;
	vfs->szOsFile = sizeof(struct file);
	vfs->xOpen = open;
	vfs->xFullPathname = on_full_path;
	if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK)
		abort();
}

void
gather_register(void)
{
	static sqlite3_vfs vfs, still_vfs;

	make_known(&vfs, GATHER_VFS, on_open);
	make_known(&still_vfs, GATHER_STILL_VFS, on_open_still);
}
