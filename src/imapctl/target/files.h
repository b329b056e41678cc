/*
 * Files and folders that are whole or not there, whatever happens: written under another name, made safe on the disk,
 * then called what they shall be called.  Mode 0600 and 0700.  On failure errno says why.  Blocking.
 */
#ifndef IMAPCTL_FILES_H
#define IMAPCTL_FILES_H

#include "base/buffer.h"

/* Make a folder below another, with those between them; none of them may be a link.  One that is there is taken. */
bool files_make_folder(const char *top, const char *path);

/* Open a new file for writing, in the place of one of that name.  -1: errno. */
int files_create(const char *path);

/* Write a whole file in the place of one of that name: it is safe on the disk afterwards. */
bool files_replace(const char *path, struct span octets);

/*
 * Write a file that gets its real name later, and its time; not safe on the disk before files_sync_all().
 *
 *	is_dated_out	false: the file system has no room for that time
 */
bool files_write_dated(const char *path, struct span octets, int64_t date_s, bool *is_dated_out);

/* What has been written, renamed and removed below a folder is safe on the disk afterwards. */
bool files_sync_all(const char *folder);

/* The same for the names in one folder. */
bool files_sync_folder(const char *folder);

/* Remove files or empty folders, whatever of them is there; ends with NULL.  What cannot be removed stays. */
void files_remove(const char *folder, const char *const *names);

/* Append "folder/name". */
void files_add_path(struct buffer *out, const char *folder, const char *name);

#endif
