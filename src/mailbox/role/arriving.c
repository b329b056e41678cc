/*
 * A user who comes from another mailbox server: pages are written to a file under the id of the move, in which nobody
 * looks before it is whole, on the disk, and the directory says so.  Loop thread; the work_ functions on workers.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "life.h"
#include "movers.h"
#include "net/stream.h"
#include "store/acl.h"
#include "store/mark.h"
#include "store/pages.h"

#define SPARE_OCTETS (UINT64_C(64) * 1024 * 1024)	/* of the disk, beside the file */

struct arriving {
	struct mover mover;
	struct role_ask ask;
	struct job job;
	char old_id[DIRECTORY_ID_LENGTH + 1];
	uint64_t octets, schema;
	int descriptor;			/* of the copy; -1: not open yet, or whole */
	char *folder, *copy, *path, *mark, *old_path;
	struct buffer records, facts;
	uint64_t pages;
	char *error;			/* of a job; static */
	struct buffer text;
	bool is_working, is_asking;
	bool is_noted;			/* in the directory */
};

static struct arriving *
arriving_of(struct mover *mover)
{
	return CONTAINER_OF(mover, struct arriving, mover);
}

static void
arriving_free(struct arriving *arriving)
{
	if (arriving->descriptor >= 0)
		close(arriving->descriptor);
	free(arriving->folder);
	free(arriving->copy);
	free(arriving->path);
	free(arriving->mark);
	free(arriving->old_path);
	buffer_free(&arriving->records);
	buffer_free(&arriving->facts);
	buffer_free(&arriving->text);
	mover_fini(&arriving->mover);
	free(arriving);
}

/* The copy and its row stay until whoever ordered the move has said how it ended. */
static void
on_lost(struct mover *mover)
{
	struct arriving *arriving = arriving_of(mover);

	if (!arriving->is_working && !arriving->is_asking)
		arriving_free(arriving);
}

/* False: it is over. */
static bool
note_home(struct arriving *arriving)
{
	arriving->is_working = arriving->is_asking = false;
	if (arriving->mover.stream == NULL) {
		arriving_free(arriving);
		return false;
	}
	if (arriving->text.length > 0) {
		mover_refuse(&arriving->mover, buffer_string(&arriving->text));
		return false;
	}
	return true;
}

static void
submit(struct arriving *arriving, void (*work)(struct job *job), void (*done)(struct job *job))
{
	arriving->is_working = true;
	arriving->job.work = work;
	arriving->job.done = done;
	workers_submit(arriving->mover.role->parts.storage, &arriving->job);
}

static void
ask(struct arriving *arriving, enum directory_status (*work)(struct role_ask *ask, struct directory *directory),
    void (*done)(struct role_ask *ask))
{
	arriving->is_asking = true;
	arriving->ask.work = work;
	arriving->ask.done = done;
	role_submit_ask(arriving->mover.role, &arriving->ask);
}

static void
fail(struct arriving *arriving, const char *what)
{
	buffer_clear(&arriving->text);
	if (errno == ENOSPC || errno == EDQUOT)
		buffer_add_string(&arriving->text, "its disk is full");
	else
		buffer_printf(&arriving->text, "%s: %s", what, strerror(errno));
}

/* ---- beginning ---- */

static char *
path_of(const struct arriving *arriving, const char *format, const char *id)
{
	struct buffer path = { 0 };
	char *copy;

	buffer_printf(&path, format, arriving->mover.role->data_directory, id, id);
	copy = memory_copy_string(buffer_string(&path));
	buffer_free(&path);
	return copy;
}

/* Mail that somebody has here under the name already would be hidden by the other. */
static bool
has_mail(const struct arriving *arriving)
{
	struct stat about;

	return arriving->old_path != NULL && stat(arriving->old_path, &about) == 0 && about.st_size > 0;
}

static bool
has_room(const struct arriving *arriving)
{
	struct statvfs disk;

	return statvfs(arriving->mover.role->data_directory, &disk) != 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize >= arriving->octets + SPARE_OCTETS;
}

static bool
make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void
work_open(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);
	char *group = path_of(arriving, "%s/data/%.2s", arriving->mover.move_id);

	if (has_mail(arriving))
		buffer_add_string(&arriving->text, "there is mail of this user already: `imapctl user del` or export it there first");
	else if (!has_room(arriving))
		buffer_add_string(&arriving->text, "its disk has too little room");
	else if (!make_folder(group) || !make_folder(arriving->folder) ||
	    (arriving->descriptor = open(arriving->copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		fail(arriving, "a file cannot be made");
	free(group);
}

static void
on_opened(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);

	if (!note_home(arriving))
		return;
	mover_say(&arriving->mover, "ok");
	mover_go_on(&arriving->mover);
}

static enum directory_status
work_expect(struct role_ask *ask, struct directory *directory)
{
	struct arriving *arriving = CONTAINER_OF(ask, struct arriving, ask);

	return directory_expect(directory, directory_name_span(&arriving->mover.name), arriving->mover.move_id, arriving->old_id);
}

static void
on_expected(struct role_ask *ask)
{
	struct arriving *arriving = CONTAINER_OF(ask, struct arriving, ask);

	if (ask->status == DIRECTORY_EXISTS)
		buffer_add_string(&arriving->text, "another move of this user has not ended there");
	else if (ask->status != DIRECTORY_OK)
		buffer_add_string(&arriving->text, directory_status_text(ask->status));
	if (!note_home(arriving))
		return;
	arriving->folder = path_of(arriving, "%s/data/%.2s/%s", arriving->mover.move_id);
	arriving->copy = path_of(arriving, "%s/data/%.2s/%s/copy.db", arriving->mover.move_id);
	arriving->path = path_of(arriving, "%s/data/%.2s/%s/mail.db", arriving->mover.move_id);
	arriving->mark = path_of(arriving, "%s/marks/%.2s/%s", arriving->mover.move_id);
	if (arriving->old_id[0] != '\0')
		arriving->old_path = path_of(arriving, "%s/data/%.2s/%s/mail.db", arriving->old_id);
	submit(arriving, work_open, on_opened);
}

/* ---- pages ---- */

static uint32_t
number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void
work_write(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);
	struct span rest = buffer_span(&arriving->records);

	for (; rest.length >= STORE_PAGE_RECORD; rest = span_from(rest, STORE_PAGE_RECORD)) {
		uint32_t number = number_at(rest.at);

		errno = EINVAL;
		if (number == 0 || !file_write_at(arriving->descriptor, span_slice(rest, 4, STORE_PAGE_OCTETS),
		    (off_t)(number - 1) * STORE_PAGE_OCTETS)) {
			fail(arriving, "a page cannot be written");
			return;
		}
	}
}

static void
on_written(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);

	if (note_home(arriving))
		mover_go_on(&arriving->mover);
}

static void
on_octets(struct mover *mover, struct span octets)
{
	struct arriving *arriving = arriving_of(mover);

	buffer_clear(&arriving->records);
	buffer_add_span(&arriving->records, octets);
	submit(arriving, work_write, on_written);
}

/* ---- the whole ---- */

/* Whether it is a file that can be used; and who is given rights in it. */
static void
inspect(struct arriving *arriving)
{
	struct store_opening opening = { .path = arriving->path, .mark_path = arriving->mark,
		.era = arriving->mover.role->lock.era };
	struct arena *arena = arena_new();
	struct store *store = NULL;
	struct span *names;
	size_t count = 0;
	enum store_status status = store_open_marked(&opening, &store);

	if (status == STORE_OK)
		status = store_acl_identifiers(store, arena, &names, &count);
	for (size_t i = 0; status == STORE_OK && i < count; i++)
		buffer_printf(&arriving->facts, "share %.*s\n", SPAN_ARGS(names[i]));
	if (store_close(&store) != STORE_OK && status == STORE_OK)
		status = STORE_UNAVAILABLE;
	if (status != STORE_OK)
		buffer_printf(&arriving->text, "the copy cannot be used: %s", store_status_text(status));
	free(opening.error);
	arena_free(&arena);
}

/* From here on it is the user's file, to which no page of the other server's is written. */
static void
close_copy(struct arriving *arriving)
{
	close(arriving->descriptor);
	arriving->descriptor = -1;
}

static void
work_prepare(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);

	if (has_mail(arriving))
		buffer_add_string(&arriving->text, "there is mail of this user by now");
	else if (ftruncate(arriving->descriptor, (off_t)arriving->pages * STORE_PAGE_OCTETS) != 0 ||
	    !store_pages_adopt(arriving->copy, arriving->path))
		fail(arriving, "the copy cannot be kept");
	else
		close_copy(arriving);
	if (arriving->descriptor < 0)
		inspect(arriving);
}

static enum directory_status
work_whole(struct role_ask *ask, struct directory *directory)
{
	struct arriving *arriving = CONTAINER_OF(ask, struct arriving, ask);

	return directory_expect_whole(directory, directory_name_span(&arriving->mover.name), arriving->mover.move_id,
	    buffer_span(&arriving->facts));
}

static void
on_whole(struct role_ask *ask)
{
	struct arriving *arriving = CONTAINER_OF(ask, struct arriving, ask);

	if (ask->status != DIRECTORY_OK)
		buffer_add_string(&arriving->text, directory_status_text(ask->status));
	if (!note_home(arriving))
		return;
	mover_say(&arriving->mover, "prepared");
	mover_go_on(&arriving->mover);
}

static void
on_prepared(struct job *job)
{
	struct arriving *arriving = CONTAINER_OF(job, struct arriving, job);

	if (note_home(arriving))
		ask(arriving, work_whole, on_whole);
}

/* How many pages, and what is said of the user. */
static bool
read_whole(struct arriving *arriving, struct span text)
{
	size_t space = span_find(text, ' ');

	return span_to_number(span_slice(text, 0, space), UINT32_MAX, &arriving->pages) && arriving->pages > 0 &&
	    base64_decode(span_from(text, space + 1), &arriving->facts);
}

static void
on_line(struct mover *mover, struct span line)
{
	struct arriving *arriving = arriving_of(mover);
	uint64_t octets;

	if (arriving->descriptor < 0)
		mover_refuse(mover, "nothing more is expected there");
	else if (span_starts_with(line, SPAN("data ")) &&
	    span_to_number(span_from(line, 5), MOVER_FRAME_MAX, &octets) && octets > 0 && octets % STORE_PAGE_RECORD == 0)
		mover_expect(mover, (size_t)octets);
	else if (span_starts_with(line, SPAN("prepare ")) && read_whole(arriving, span_from(line, 8)))
		submit(arriving, work_prepare, on_prepared);
	else
		mover_refuse(mover, "this is not understood there");
}

const struct mover_kind arriving_kind = { on_line, on_octets, NULL, on_lost };

/* What comes: the schema of the file, and how long it is about. */
static bool
read_announcement(const struct mover_wish *wish, struct arriving *arriving)
{
	return wish->count == 5 && span_to_number(wish->words[3], INT32_MAX, &arriving->schema) &&
	    span_to_number(wish->words[4], INT64_MAX, &arriving->octets);
}

void
arriving_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish)
{
	struct arriving *arriving = NEW(struct arriving);

	arriving->descriptor = -1;
	mover_init(&arriving->mover, role, &arriving_kind, stream, wish);
	if (!read_announcement(wish, arriving))
		mover_refuse(&arriving->mover, "this is not understood there");
	else if (arriving->schema > (uint64_t)store_schema_newest())
		mover_refuse(&arriving->mover, "its version is older than that of the other server: update it first");
	else
		ask(arriving, work_expect, on_expected);
}

bool
arriving_end(struct mailbox_role *role, const struct directory_name *name, const char *move_id)
{
	struct mover *mover = mover_find(role, &arriving_kind, directory_name_span(name));
	struct arriving *arriving;

	if (mover == NULL || strcmp(mover->move_id, move_id) != 0)
		return true;
	arriving = arriving_of(mover);
	if (arriving->is_working || arriving->is_asking) {
		stream_free(&mover->stream);
		return false;
	}
	stream_free(&mover->stream);
	arriving_free(arriving);
	return true;
}
