/*
 * The folder of a backup, as the operator who calls may write it: one file for each user, and the manifest.  A file is
 * made beside the one of before and takes its name when it is whole and on the disk, so that a run which dies leaves what
 * there was.  Links in the folder are not followed.  Blocking.
 */
#ifndef BACKUP_FOLDER_H
#define BACKUP_FOLDER_H

#include "../ctl/order.h"

struct folder {
	int descriptor;			/* below 0: it is not open */
	const char *path;		/* borrowed */
};

/*
 * Open a folder to write a backup into it; makes it, mode 0700, if it is missing.  It belongs to one run at a time.
 *
 * Gives an exit code; what is wrong was said: another run is under way, or the folder is within the server's own.
 */
int folder_open_for_writing(struct folder *folder, const struct order *order, const char *path);

/* The same to read what is there. */
int folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);

/* The name of a user's file: the user's name where a file may be called so. */
void folder_file_name(struct span user, struct buffer *name_out);

/* A file on its way in. */
struct folder_file {
	const struct folder *folder;
	struct buffer name, partial;	/* as it is called at the end, and before */
	int descriptor;			/* below 0: there is none */
};

/* Each false: what is wrong was said. */
bool folder_file_begin(struct folder_file *file, const struct folder *folder, struct span name);
bool folder_file_write(struct folder_file *file, uint64_t offset, struct span octets);

/* Cut it to its length, and have it on the disk; it can still be read by its descriptor. */
bool folder_file_finish(struct folder_file *file, uint64_t size);

/* Give it its name, in place of the one before, and forget it. */
bool folder_file_keep(struct folder_file *file);

/* Remove what was not kept; harmless behind keeping. */
void folder_file_drop(struct folder_file *file);

/* Open a file to read it; below 0, errno says why. */
int folder_read(const struct folder *folder, struct span name);

/*
 * The same for a user's file; the one that a run which died has not given its name yet will do, as whoever reads compares
 * it with its digest.
 */
int folder_read_user(const struct folder *folder, struct span name);

/*
 * The size and the digest of a file, in hexadecimal.
 *
 *	offset_of	NULL, or is told how far it has come
 *
 * False: reading failed, errno says why; EINTR: a signal has come.
 */
#define FOLDER_DIGEST_SIZE 65
bool folder_digest(int descriptor, uint64_t *size_out, char digest_out[FOLDER_DIGEST_SIZE]);

#endif
