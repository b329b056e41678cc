/*
 * Octets of a whole file on their way in, and the file's way to its place.  Loop thread; the work functions on workers.
 */
#include "restoring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "net/stream.h"
#include "store/place.h"

#define INPUT_OCTETS (256 * 1024)

static void read_on(struct restoring *restoring);
static void place(struct restoring *restoring);

const char *
restoring_name(const struct restoring *restoring)
{
	return restoring->is_user_there ? restoring->lookup.found.text : restoring->lookup.names[0].text;
}

void
restoring_submit(struct restoring *restoring, void (*work)(struct job *job), void (*done)(struct job *job))
{
	restoring->is_working = true;
	restoring->job.work = work;
	restoring->job.done = done;
	restoring->job.is_long = true;
	workers_submit(restoring->lookup.role->parts.storage, &restoring->job);
}

static void
free_restoring(struct restoring *restoring)
{
	struct mailbox_role *role = restoring->lookup.role;
	uint8_t ignored[DIGEST_LENGTH];

	list_remove(&restoring->link);
	account_release(&restoring->account);
	if (restoring->digest != NULL)
		digest_finish(&restoring->digest, ignored);
	buffer_free(&restoring->octets);
	stream_free(&restoring->stream);
	free(restoring->trouble);
	free(restoring);
	role->jobs--;
	role->on_ended(role);
}

/* Worker: nothing is left of what was not placed. */
static void
work_drop(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);

	if (restoring->descriptor >= 0) {
		close(restoring->descriptor);
		unlink(restoring->path);
	}
	restoring->descriptor = -1;
}

static void
on_dropped(struct job *job)
{
	free_restoring(CONTAINER_OF(job, struct restoring, job));
}

void
restoring_end(struct restoring *restoring)
{
	restoring->job.work = work_drop;
	restoring->job.done = on_dropped;
	restoring->is_working = true;
	workers_submit(restoring->lookup.role->parts.storage, &restoring->job);
}

void
restoring_give_up(struct restoring *restoring)
{
	stream_free(&restoring->stream);
	restoring->is_given_up = true;
	if (!restoring->is_working)
		restoring_end(restoring);
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

/* What is left is that the other end reads, and closes. */
static void
tell(struct restoring *restoring, struct span line)
{
	restoring->is_ended = true;
	if (restoring->is_given_up) {
		restoring_end(restoring);
		return;
	}
	stream_write(restoring->stream, line);
	stream_write(restoring->stream, SPAN("\n"));
	stream_end_output(restoring->stream);
	stream_discard_input(restoring->stream);
	stream_resume_input(restoring->stream);
}

static void
fail(struct restoring *restoring, int code, const char *text)
{
	struct buffer line = { 0 };

	buffer_printf(&line, "failed %d %s", code, text);
	tell(restoring, buffer_span(&line));
	buffer_free(&line);
}

static void
fail_on_disk(struct restoring *restoring)
{
	fail(restoring, restoring->error == ENOSPC || restoring->error == EDQUOT ? EX_CANTCREAT : EX_IOERR,
	    strerror(restoring->error));
}

static void
fail_to_place(struct restoring *restoring, enum store_status status)
{
	struct buffer text = { 0 };

	if (status == STORE_EXISTS) {
		fail(restoring, EX_CANTCREAT, RESTORE_HAS_MAIL);
		return;
	}
	if (status == STORE_NOT_FOUND) {
		fail(restoring, EX_TEMPFAIL, "the user has moved to another server or was deleted meanwhile");
		return;
	}
	buffer_add_string(&text, status == STORE_CORRUPT ? "the file is damaged, or of a later version" : store_status_text(status));
	if (restoring->trouble != NULL)
		buffer_printf(&text, ": %s", restoring->trouble);
	fail(restoring, status == STORE_FULL ? EX_CANTCREAT : status == STORE_CORRUPT ? EX_DATAERR : EX_IOERR, buffer_string(&text));
	buffer_free(&text);
}

/* ---- its place -------------------------------------------------------------------------------------------- */

/* What may be overwritten: of a user what was asked for; of nobody what an earlier call has left. */
static enum store_placing
placing_of(const struct restoring *restoring)
{
	if (!restoring->is_user_there)
		return STORE_PLACE_LEFTOVER;
	return restoring->may_replace ? STORE_PLACE_OVER : STORE_PLACE_NEW;
}

static enum store_status
work_place(struct store *store, struct account_job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, place);

	(void)store;
	return store_place(restoring->path, account_path(job->account), account_mark_path(job->account), placing_of(restoring),
	    &restoring->messages, &restoring->trouble);
}

static void
log_placed(const struct restoring *restoring)
{
	log_info("restored", log_text("user", restoring_name(restoring)), log_text("mailbox-id", restoring->id),
	    log_number("messages", (int64_t)restoring->messages), log_number("octets", (int64_t)restoring->size));
}

static void
on_placed(struct account_job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, place);
	struct buffer line = { 0 };

	restoring->is_working = false;
	account_release(&restoring->account);
	if ((job->status == STORE_EXISTS || job->status == STORE_NOT_FOUND) && !restoring->is_user_there) {
		random_hex(restoring->id, DIRECTORY_ID_LENGTH);		/* what lies there is, or was, somebody's mail */
		place(restoring);
		return;
	}
	if (job->status != STORE_OK) {
		fail_to_place(restoring, job->status);
		return;
	}
	log_placed(restoring);
	buffer_printf(&line, "placed %s %llu", restoring->id, (unsigned long long)restoring->messages);
	tell(restoring, buffer_span(&line));
	buffer_free(&line);
}

static void
place(struct restoring *restoring)
{
	struct mailbox_role *role = restoring->lookup.role;

	free(restoring->trouble);
	restoring->trouble = NULL;
	restoring->is_working = true;
	restoring->account = account_hold(role->accounts, restoring->id, restoring_name(restoring));
	if (account_is_orphan(restoring->account)) {		/* somebody else still looks at what was deleted */
		account_release(&restoring->account);
		random_hex(restoring->id, DIRECTORY_ID_LENGTH);
		restoring->account = account_hold(role->accounts, restoring->id, restoring_name(restoring));
	}
	restoring->place.kind = ACCOUNT_ASIDE;
	restoring->place.work = work_place;
	restoring->place.done = on_placed;
	account_submit_quietly(restoring->account, &restoring->place);
}

/* ---- octets ----------------------------------------------------------------------------------------------- */

static void
work_write(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);
	struct span octets = buffer_span(&restoring->octets);

	digest_add(restoring->digest, octets);
	if (restoring->error == 0 && !file_write(restoring->descriptor, octets))
		restoring->error = errno;
}

static void
on_written(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);

	restoring->is_working = false;
	buffer_clear(&restoring->octets);
	if (restoring->is_given_up)
		restoring_end(restoring);
	else if (restoring->error != 0)
		fail_on_disk(restoring);
	else
		read_on(restoring);
}

static void
work_finish(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);
	uint8_t digest[DIGEST_LENGTH];

	digest_finish(&restoring->digest, digest);
	restoring->is_as_said = memcmp(digest, restoring->sha256, sizeof digest) == 0;
	if (restoring->is_as_said && fsync(restoring->descriptor) != 0)
		restoring->error = errno;
}

static void
on_finished(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);

	restoring->is_working = false;
	if (restoring->is_given_up)
		restoring_end(restoring);
	else if (restoring->error != 0)
		fail_on_disk(restoring);
	else if (!restoring->is_as_said)
		fail(restoring, EX_DATAERR, "what came is not what was said: its digest is another");
	else
		place(restoring);
}

/* Take what is there, and let more wait while it is written. */
static void
read_on(struct restoring *restoring)
{
	if (restoring->is_working || restoring->is_ended)
		return;
	while (restoring->octets.length < INPUT_OCTETS && restoring->received < restoring->size) {
		struct span piece = span_slice(stream_input(restoring->stream), 0, (size_t)(restoring->size - restoring->received));

		if (piece.length == 0)
			break;
		buffer_add_span(&restoring->octets, piece);
		restoring->received += piece.length;
		stream_consume(restoring->stream, piece.length);
	}
	if (restoring->octets.length > 0)
		restoring_submit(restoring, work_write, on_written);
	else if (restoring->received == restoring->size)
		restoring_submit(restoring, work_finish, on_finished);
}

static void
on_input(struct stream *stream, void *context)
{
	struct restoring *restoring = context;

	if (restoring->is_ended)
		stream_discard_input(stream);
	else
		read_on(restoring);
}

static void
on_stream_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	restoring_give_up(context);
}

static const struct stream_events stream_events = { .on_input = on_input, .on_end = on_stream_end };

void
restoring_begin(struct restoring *restoring)
{
	restoring->digest = digest_new();
	stream_set_input_limit(restoring->stream, INPUT_OCTETS);
	stream_set_events(restoring->stream, &stream_events, restoring);
	read_on(restoring);
}
