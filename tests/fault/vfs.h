/*
 * A disk that fails on demand: SQLite's own VFS behind a counter of writes, syncs, truncations and
 * deletions.  The chosen one fails, or the power goes there: all that was not synced is then lost. 
 * One thread, few and small files: each sync keeps a copy of the whole file.
 */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

enum fault {
	FAULT_NONE,
	FAULT_IO_ONCE,		/* one operation fails */
	FAULT_IO_STICKY,	/* it and all after it fail */
	FAULT_FULL_ONCE,	/* one write finds the disk full */
	FAULT_SHORT_ONCE,	/* so does one write, in its middle */
	FAULT_POWER,		/* nothing works any more; fault_vfs_restore() shows what was synced */
};

#define FILE_COUNT 8

struct file {
	sqlite3_file base;
	char path[128];
	sqlite3_file real[];		/* as large as the real VFS wants it */
};

static struct {
	sqlite3_vfs vfs, *real;
	enum fault fault;
	unsigned at, count, writes, reads;
	int longest;		/* write, in octets */
	int read_max;		/* 0, or longer reads fail */
	bool has_failed;
	struct { char path[128]; struct buffer synced; } files[FILE_COUNT];
} disk;

#define REAL(base_file) (((struct file *)(base_file))->real)

/* Count one operation: SQLITE_OK, or how it fails. */
static int
count_operation(int io_code, bool is_write)
{
	bool is_hit = ++disk.count == disk.at;

	if (disk.fault == FAULT_NONE)
		return SQLITE_OK;
	if (disk.fault == FAULT_FULL_ONCE || disk.fault == FAULT_SHORT_ONCE) {
		disk.has_failed |= is_hit && is_write;
		return is_hit && is_write ? SQLITE_FULL : SQLITE_OK;
	}
	disk.has_failed |= is_hit;
	if (is_hit || (disk.has_failed && disk.fault != FAULT_IO_ONCE))
		return io_code;
	return SQLITE_OK;
}

static void
keep_synced(const char *path)
{
	struct buffer *synced = NULL;
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert(fd >= 0 && fstat(fd, &about) == 0);
	for (size_t i = 0; synced == NULL; i++) {
		assert(i < FILE_COUNT);
		if (disk.files[i].path[0] == '\0')
			strcpy(disk.files[i].path, path);
		if (strcmp(disk.files[i].path, path) == 0)
			synced = &disk.files[i].synced;
	}
	buffer_clear(synced);
	assert(read(fd, buffer_reserve(synced, about.st_size + 1), about.st_size) == about.st_size);
	synced->length = about.st_size;
	close(fd);
}

static int
on_close(sqlite3_file *file)
{
	return REAL(file)->pMethods->xClose(REAL(file));
}

static int
on_read(sqlite3_file *file, void *octets, int length, sqlite3_int64 offset)
{
	disk.reads++;
	if (disk.read_max > 0 && length > disk.read_max)
		return SQLITE_IOERR_READ;
	return REAL(file)->pMethods->xRead(REAL(file), octets, length, offset);
}

static int
on_write(sqlite3_file *file, const void *octets, int length, sqlite3_int64 offset)
{
	int code = count_operation(SQLITE_IOERR_WRITE, true);

	disk.writes++;
	if (length > disk.longest)
		disk.longest = length;
	if (code != SQLITE_OK && disk.fault == FAULT_SHORT_ONCE)
		REAL(file)->pMethods->xWrite(REAL(file), octets, length / 2, offset);
	return code != SQLITE_OK ? code
				 : REAL(file)->pMethods->xWrite(REAL(file), octets, length, offset);
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = count_operation(SQLITE_IOERR_TRUNCATE, false);

	return code != SQLITE_OK ? code : REAL(file)->pMethods->xTruncate(REAL(file), size);
}

/* The files are on a file system that stays up: the real sync would only cost time. */
static int
on_sync(sqlite3_file *file, int flags)
{
	int code = count_operation(SQLITE_IOERR_FSYNC, false);

	(void)flags;
	if (code == SQLITE_OK && disk.fault == FAULT_POWER)
		keep_synced(((struct file *)file)->path);
	return code;
}

static int
on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int
on_lock(sqlite3_file *file, int level)
{
	return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int
on_unlock(sqlite3_file *file, int level)
{
	return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int
on_check_reserved_lock(sqlite3_file *file, int *result)
{
	return REAL(file)->pMethods->xCheckReservedLock(REAL(file), result);
}

static int
on_file_control(sqlite3_file *file, int operation, void *argument)
{
	return REAL(file)->pMethods->xFileControl(REAL(file), operation, argument);
}

static int
on_sector_size(sqlite3_file *file)
{
	return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int
on_device_characteristics(sqlite3_file *file)
{
	return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int
on_shm_map(sqlite3_file *file, int page, int size, int extends, void volatile **memory)
{
	return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extends, memory);
}

static int
on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}

static void
on_shm_barrier(sqlite3_file *file)
{
	REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int
on_shm_unmap(sqlite3_file *file, int deletes)
{
	return REAL(file)->pMethods->xShmUnmap(REAL(file), deletes);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
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
on_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base_file, int flags, int *flags_out)
{
	struct file *file = (struct file *)base_file;
	int code;

	(void)vfs;
	memset(file, 0, sizeof *file);
	code = disk.real->xOpen(disk.real, path, file->real, flags, flags_out);
	if (code == SQLITE_OK) {
		assert(path != NULL && strlen(path) < sizeof file->path);
		strcpy(file->path, path);
		file->base.pMethods = &methods;
	}
	return code;
}

static int
on_delete(sqlite3_vfs *vfs, const char *path, int syncs)
{
	int code = count_operation(SQLITE_IOERR_DELETE, false);

	(void)vfs;
	if (code != SQLITE_OK)
		return code;
	for (size_t i = 0; i < FILE_COUNT; i++)
		if (strcmp(disk.files[i].path, path) == 0)
			buffer_clear(&disk.files[i].synced);
	return disk.real->xDelete(disk.real, path, syncs);
}

/* Become SQLite's default; once a process. */
static inline void
fault_vfs_install(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "fault";
	disk.vfs.pNext = NULL;
	disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
	disk.vfs.xOpen = on_open;
	disk.vfs.xDelete = on_delete;
	sqlite3_vfs_register(&disk.vfs, 1);
}

/* Count from 1 again and fail operation number at. */
static inline void
fault_vfs_plan(enum fault fault, unsigned at)
{
	disk.fault = fault;
	disk.at = at;
	disk.count = 0;
	disk.has_failed = false;
	for (size_t i = 0; i < FILE_COUNT && fault != FAULT_NONE; i++) {
		disk.files[i].path[0] = '\0';
		buffer_free(&disk.files[i].synced);
	}
}

/* Whether the planned operation was reached. */
static inline bool
fault_vfs_has_failed(void)
{
	return disk.has_failed;
}

/* Put back into every file what its last sync saw.  All files are closed. */
static inline void
fault_vfs_restore(void)
{
	for (size_t i = 0; i < FILE_COUNT && disk.files[i].path[0] != '\0'; i++) {
		struct span synced = buffer_span(&disk.files[i].synced);
		int fd = open(disk.files[i].path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert(fd >= 0 && write(fd, synced.at, synced.length) == (ssize_t)synced.length);
		close(fd);
	}
}

#endif
