/*
 * What is wrong with users' files and the disk, for the log and the operator: an entry for each user and kind of
 * fault, until it is over or an operator takes it off.  Loop thread.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailbox/mailbox.h"

enum fault_kind {
	FAULT_DAMAGED,	/* over when another file is there */
	FAULT_MISSING,	/* over when it is there again */
	FAULT_FULL,		/* over when something was written durably */
	FAULT_FAILED,		/* reading, writing or flushing; over when any of it succeeds */
	FAULT_DIRECTORY,	/* nobody can be looked up; the directory itself logs that */
	FAULT_KIND_COUNT
};
#define FAULT_BIT(kind) (1u << (kind))

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults **faults);

/* Texts are borrowed until return; those that do not apply are NULL. */
struct fault {
	enum fault_kind kind;
	const char *id;		/* of the mailbox; empty: no user's alone */
	const char *user, *path;
	const char *error;	/* what the system or SQLite says */
	uint64_t file;		/* its inode, with FAULT_DAMAGED */
};

/* Keep it, and log it unless that was done less than a minute ago. */
void faults_note(struct faults *faults, const struct fault *fault);

/* The disk did not take what came in for a user: it is full, or has failed with an errno. */
void faults_note_disk(struct faults *faults, const char *user, const char *path, bool is_full, int error);

/* The kinds that a mailbox has, as bits. */
unsigned faults_of(const struct faults *faults, const char *id);

/* So many of these kinds are over; damage only if its file was another one. */
void faults_end(struct faults *faults, const char *id, unsigned kinds, uint64_t file);

/* The user of a mailbox has another name. */
void faults_rename(struct faults *faults, const char *id, const char *user);

/* Take off what concerns a user, or all with NULL.  Returns how many. */
size_t faults_forget(struct faults *faults, const char *user);

/* Walk them, oldest first; false past the end. */
bool faults_get(const struct faults *faults, size_t index, struct mailbox_fault *fault_out);

/* The next one after a place, round and round, that may be over without anybody's doing; NULL: there is none. */
const char *faults_next_to_try(struct faults *faults, const char **user_out);

#endif
