/*
 * Trying whether what was wrong with a disk is over, for users who do nothing themselves: some of them are tried
 * every now and then.  Loop thread; the work function on a worker.
 */
#include <sys/statvfs.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../shared/fault.h"
#include "life.h"

#define EVERY_MS   5000
#define AT_A_TIME  16
#define LEAST_FREE (UINT64_C(16) * 1024 * 1024)	/* octets: below, the next message may find the disk full again */

#define OF_DISK (FAULT_BIT(FAULT_FULL) | FAULT_BIT(FAULT_FAILED))

struct trial {
	struct account_job job;
	struct account *account;
	const char *path;		/* the data directory */
};

static bool
has_room(const char *path)
{
	struct statvfs about;

	return statvfs(path, &about) == 0 && (uint64_t)about.f_bavail * about.f_frsize >= LEAST_FREE;
}

static enum store_status
work(struct store *store, struct account_job *job)
{
	return has_room(CONTAINER_OF(job, struct trial, job)->path) ? store_touch(store) : STORE_FULL;
}

static void
on_tried(struct account_job *job)
{
	struct trial *trial = CONTAINER_OF(job, struct trial, job);

	account_release(&trial->account);
	free(trial);
}

static void
try_one(struct mailbox_role *role, const char *id, const char *user)
{
	struct trial *trial = NEW(struct trial);

	trial->account = account_hold(role->accounts, id, user);
	trial->path = role->data_directory;
	trial->job.kind = ACCOUNT_DURABLE;
	trial->job.is_trial = true;
	trial->job.work = work;
	trial->job.done = on_tried;
	account_submit(trial->account, &trial->job);
}

/* Whether the disk takes what comes in: as a message does, a file without a name. */
static void
work_disk(struct job *job)
{
	struct mailbox_role *role = CONTAINER_OF(job, struct mailbox_role, disk_trial);
	static const char octets[65536];
	int file;

	role->is_disk_good = false;
	if (!has_room(role->data_directory))
		return;
	file = open(role->data_directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0)
		return;
	role->is_disk_good = write(file, octets, sizeof octets) == sizeof octets && fsync(file) == 0;
	close(file);
}

static void
on_disk_tried(struct job *job)
{
	struct mailbox_role *role = CONTAINER_OF(job, struct mailbox_role, disk_trial);

	role->is_disk_tried = false;
	if (role->is_disk_good)
		faults_end(role->faults, "", OF_DISK, 0);
	role->jobs--;
	role->on_ended(role);
}

static void
try_disk(struct mailbox_role *role)
{
	if (role->is_disk_tried || (faults_of(role->faults, "") & OF_DISK) == 0)
		return;
	role->is_disk_tried = true;
	role->jobs++;
	role->disk_trial.work = work_disk;
	role->disk_trial.done = on_disk_tried;
	workers_submit(role->parts.storage, &role->disk_trial);
}

void
role_on_trials_due(void *context)
{
	struct mailbox_role *role = context;
	const char *first = NULL, *id, *user;

	try_disk(role);
	for (size_t i = 0; i < AT_A_TIME && (id = faults_next_to_try(role->faults, &user)) != first; i++) {
		if (first == NULL)
			first = id;
		try_one(role, id, user);
	}
	timer_start_ms(&role->trials, EVERY_MS);
}
