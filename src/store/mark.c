/*
 * The file of a mark: one record of less than a disk's sector, written over itself.  The kernel keeps what was
 * written when the process dies; it is flushed when the store is closed, and once in SYNC_CHANGES changes.  Worker
 * threads.
 */
#include "mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "internal.h"

#define TEXT_MAX     512
#define SYNC_CHANGES 32768	/* far below MARK_JUMP: more are never lost with the power */

/* FNV-1a: against a record that is torn, not against an enemy. */
static uint64_t
checksum(const char *text, size_t length)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
	return sum;
}

static size_t
format(const struct mark_record *record, char text[TEXT_MAX])
{
	int length = snprintf(text, TEXT_MAX, "era %020" PRIu64 "\nkept %020" PRIu64 "\ntold %020" PRIu64
	    "\nuidvalidity %010" PRIu64 "\nmade %" PRIu64 "\n", record->era, record->kept, record->told,
	    record->next_uidvalidity, record->is_made);

	return (size_t)(length + snprintf(text + length, TEXT_MAX - (size_t)length, "sum %016" PRIx64 "\n",
	    checksum(text, (size_t)length)));
}

static bool
parse(const char *text, struct mark_record *record_out)
{
	char again[TEXT_MAX];

	if (sscanf(text, "era %" SCNu64 "\nkept %" SCNu64 "\ntold %" SCNu64 "\nuidvalidity %" SCNu64 "\nmade %" SCNu64,
	    &record_out->era, &record_out->kept, &record_out->told, &record_out->next_uidvalidity,
	    &record_out->is_made) != 5)
		return false;
	format(record_out, again);
	return strcmp(text, again) == 0;
}

static enum mark_state
state_unopened(int error)
{
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		return MARK_UNREAD;
	return error == ENOENT || error == ENOTDIR ? MARK_NONE : MARK_BROKEN;
}

enum mark_state
mark_read(const char *path, struct mark_record *record_out)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[TEXT_MAX];
	ssize_t length;

	*record_out = (struct mark_record){ 0 };
	if (descriptor < 0)
		return state_unopened(errno);
	length = read(descriptor, text, sizeof text - 1);
	close(descriptor);
	text[length < 0 ? 0 : length] = '\0';
	return parse(text, record_out) ? MARK_READ : MARK_BROKEN;
}

static bool
write_record(int descriptor, const struct mark_record *record)
{
	char text[TEXT_MAX];
	size_t length = format(record, text);

	return pwrite(descriptor, text, length, 0) == (ssize_t)length;
}

/* -1: errno says why. */
static int
open_mark(const char *path)
{
	if (!store_make_folder_of(path))
		return -1;
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

bool
mark_write(const char *path, const struct mark_record *record, bool is_durable)
{
	int descriptor = open_mark(path);
	bool is_good = descriptor >= 0 && write_record(descriptor, record) &&
	    (!is_durable || (fsync(descriptor) == 0 && store_sync_folder_of(path)));

	if (descriptor >= 0)
		close(descriptor);
	return is_good;
}

/* Once for each time that the store is open: what goes wrong with the mark takes nothing back. */
static void
complain(struct mark *mark)
{
	if (!mark->has_failed)
		log_error("mark-failed", log_text("path", mark->path), log_text("reason", strerror(errno)));
	mark->has_failed = true;
}

void
mark_attach(struct store *store, const char *path, const struct mark_record *before, const struct mark_record *record)
{
	bool is_another = before == NULL || before->era != record->era || before->is_made != record->is_made;
	struct mark *mark = NEW(struct mark);

	mark->path = memory_copy_string(path);
	mark->record = *record;
	mark->synced = record->told;
	mark->descriptor = -1;
	if (is_another && !mark_write(path, record, true))
		complain(mark);
	mark->descriptor = open_mark(path);
	mark->is_dirty = before == NULL || memcmp(before, record, sizeof *record) != 0;
	if (mark->descriptor < 0 || (mark->is_dirty && !write_record(mark->descriptor, record)))
		complain(mark);
	store->mark = mark;
}

static void
flush(struct mark *mark)
{
	if (fdatasync(mark->descriptor) != 0)
		complain(mark);
	mark->synced = mark->record.told;
	mark->is_dirty = false;
}

void
mark_follow(struct store *store, bool is_durable)
{
	struct mark *mark = store->mark;
	struct mark_record record;

	if (mark == NULL || mark->descriptor < 0)
		return;
	record = mark->record;
	record.told = store->committed.changes;
	record.next_uidvalidity = store->committed.next_uidvalidity;
	if (is_durable)
		record.kept = record.told;
	if (memcmp(&record, &mark->record, sizeof record) == 0)
		return;
	mark->record = record;
	mark->is_dirty = true;
	if (!write_record(mark->descriptor, &record))
		complain(mark);
	if (record.told - mark->synced >= SYNC_CHANGES)
		flush(mark);
}

void
mark_detach(struct store *store)
{
	struct mark *mark = store->mark;

	if (mark == NULL)
		return;
	store->mark = NULL;
	if (mark->descriptor >= 0) {
		if (mark->is_dirty)
			flush(mark);
		close(mark->descriptor);
	}
	free(mark->path);
	free(mark);
}
