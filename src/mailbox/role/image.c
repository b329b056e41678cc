/*
 * The verb image: an image of a user's file (store/image.h) goes out on the operator's connection, in pieces, while the
 * user works.  Who reads slowly is waited for between two pieces, and holds nobody up.  After the answer follow
 *
 *	piece OFFSET LENGTH	and so many octets, which belong there; what came before for the same place is void
 *	whole SIZE STAMP	the file is whole when it is cut to this size; the stamp is for the next call, - if there is none
 *	older SIZE -		likewise, but as it was some time ago: a foreign program reads, and holds up what came since
 *	failed TEXT
 *
 * Loop thread; the work functions on workers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "life.h"
#include "net/stream.h"
#include "store/image.h"
#include "user_verb.h"

#define PIECE_OCTETS (512 * 1024)
#define OUTPUT_LOW   (256 * 1024)	/* another piece is made when no more is left of the one before */
#define SETTLE_MS    30			/* until a file that was just changed can have a stamp */
#define SETTLE_TIMES 3
#define READER_MS    500		/* until a foreign program that reads may have ended */
#define READER_TIMES 10

struct imaging {
	struct user_verb verb;
	struct list link;		/* in role->images */
	char *known;			/* the stamp of what is there already, or empty */
	struct job compare;
	bool is_same;
	struct stream *stream;		/* NULL: not yet taken, or gone */
	struct store_image *image;
	struct store_image_piece piece;
	struct buffer stamp;
	struct timer settle;
	unsigned settled, readers;	/* how often it was waited for that, or for a foreign program */
	bool is_working;		/* a job is under way */
	bool is_given_up;
	bool is_ended;			/* all was written, and has to be read */
};

static void go_on(struct imaging *imaging);

static struct imaging *
imaging_of(struct account_job *job)
{
	return CONTAINER_OF(job, struct imaging, verb.job);
}

static void
free_imaging(struct user_verb *verb)
{
	struct imaging *imaging = CONTAINER_OF(verb, struct imaging, verb);

	timer_stop(&imaging->settle);
	list_remove(&imaging->link);
	store_image_free(&imaging->image);
	buffer_free(&imaging->piece.octets);
	buffer_free(&imaging->stamp);
	stream_free(&imaging->stream);
	free(imaging->known);
	free(imaging);
}

static void
reply(struct imaging *imaging, const char *state)
{
	struct buffer line = { 0 };

	user_verb_begin_line(&imaging->verb, SPAN("image"), &line);
	control_add_field(&line, "state", span_from_string(state));
	control_reply(imaging->verb.call, buffer_span(&line));
	buffer_free(&line);
}

/* The account is let go as soon as the image is whole, however long its end is read. */
static void
let_go(struct imaging *imaging)
{
	if (imaging->verb.account == NULL)
		return;
	account_end_reading(imaging->verb.account);
	account_release(&imaging->verb.account);
}

static void
end(struct imaging *imaging, int code, const char *text)
{
	let_go(imaging);
	user_verb_end(&imaging->verb, code, text);
}

static enum store_status
work_end(struct store *store, struct account_job *job)
{
	(void)store;
	store_image_end(imaging_of(job)->image);
	return STORE_OK;
}

static void
on_end_worked(struct account_job *job)
{
	end(imaging_of(job), EX_OK, NULL);
}

/* Nobody reads any more, or the service stops. */
static void
give_up(struct imaging *imaging)
{
	stream_free(&imaging->stream);
	timer_stop(&imaging->settle);
	imaging->is_given_up = true;
	if (imaging->is_working)
		return;
	if (imaging->is_ended) {
		end(imaging, EX_OK, NULL);
		return;
	}
	imaging->is_working = true;
	user_verb_submit(&imaging->verb, ACCOUNT_IMAGE, work_end, on_end_worked);
}

static void
on_drained(struct stream *stream, void *context)
{
	(void)stream;
	go_on(context);
}

static void
on_stream_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	give_up(context);
}

static const struct stream_events stream_events = { .on_drained = on_drained, .on_end = on_stream_end };

/* What is left is that the other end reads, and closes. */
static void
finish(struct imaging *imaging, const char *word, struct span text)
{
	struct buffer line = { 0 };

	buffer_printf(&line, "%s %.*s\n", word, SPAN_ARGS(text));
	stream_write_buffer(imaging->stream, &line);
	buffer_free(&line);
	stream_end_output(imaging->stream);
	imaging->is_ended = true;
	let_go(imaging);
}

static void
finish_whole(struct imaging *imaging)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "%llu %s", (unsigned long long)imaging->piece.size,
	    imaging->stamp.length > 0 ? buffer_string(&imaging->stamp) : "-");
	finish(imaging, imaging->piece.is_newest ? "whole" : "older", buffer_span(&text));
	buffer_free(&text);
}

static void
send_piece(struct imaging *imaging)
{
	struct store_image_piece *piece = &imaging->piece;
	struct buffer line = { 0 };

	if (piece->octets.length == 0)
		return;
	buffer_printf(&line, "piece %llu %zu\n", (unsigned long long)piece->offset, piece->octets.length);
	stream_write_buffer(imaging->stream, &line);
	stream_write_buffer(imaging->stream, &piece->octets);
	buffer_free(&line);
}

/* A whole image waits for a while for what makes it better. */
static bool
is_final(const struct imaging *imaging)
{
	if (!imaging->piece.is_newest)
		return imaging->readers == READER_TIMES;
	return imaging->stamp.length > 0 || imaging->settled == SETTLE_TIMES;
}

/* Behind the last piece, or behind a failure, the store forgets the image, unless it was closed and has already. */
static enum store_status
work_piece(struct store *store, struct account_job *job)
{
	struct imaging *imaging = imaging_of(job);
	struct store_image_piece *piece = &imaging->piece;
	enum store_status status = store_image_next(store, imaging->image, PIECE_OCTETS, piece);

	buffer_clear(&imaging->stamp);
	if (status == STORE_OK && piece->is_whole && piece->is_newest)
		store_image_stamp(account_path(job->account), true, &imaging->stamp);
	if (status != STORE_OK || (piece->is_whole && is_final(imaging)))
		store_image_end(imaging->image);
	return status;
}

static void
on_piece(struct account_job *job)
{
	struct imaging *imaging = imaging_of(job);

	imaging->is_working = false;
	if (imaging->is_given_up) {
		give_up(imaging);
		return;
	}
	if (job->status != STORE_OK) {
		finish(imaging, "failed", span_from_string(store_status_text(job->status)));
		return;
	}
	send_piece(imaging);
	if (!imaging->piece.is_whole)
		go_on(imaging);
	else if (is_final(imaging))
		finish_whole(imaging);
	else
		timer_start_ms(&imaging->settle, imaging->piece.is_newest ? SETTLE_MS : READER_MS);
}

static void
next_piece(struct imaging *imaging)
{
	imaging->is_working = true;
	user_verb_submit(&imaging->verb, ACCOUNT_IMAGE, work_piece, on_piece);
}

static void
go_on(struct imaging *imaging)
{
	if (!imaging->is_working && !imaging->is_ended && !timer_is_running(&imaging->settle) &&
	    stream_output_length(imaging->stream) <= OUTPUT_LOW)
		next_piece(imaging);
}

/* What has come meanwhile is given, too; it is little. */
static void
on_settled(void *context)
{
	struct imaging *imaging = context;

	if (imaging->piece.is_newest)
		imaging->settled++;
	else
		imaging->readers++;
	next_piece(imaging);
}

static void
begin_pieces(struct imaging *imaging)
{
	reply(imaging, "copied");
	imaging->stream = control_take_stream(imaging->verb.call);
	imaging->verb.call = NULL;
	if (imaging->stream == NULL || imaging->verb.lookup.role->is_stopping) {
		end(imaging, EX_OK, NULL);
		return;
	}
	list_push_back(&imaging->verb.lookup.role->images, &imaging->link);
	stream_set_low_mark(imaging->stream, OUTPUT_LOW);
	stream_set_events(imaging->stream, &stream_events, imaging);
	next_piece(imaging);
}

/* What a foreign program that reads holds up is not in the file: the stamp says nothing of it. */
static enum store_status
work_fold(struct store *store, struct account_job *job)
{
	struct imaging *imaging = imaging_of(job);
	enum store_status status = store_fold(store);
	uint64_t ignored;

	buffer_clear(&imaging->stamp);
	imaging->is_same = status == STORE_OK && store_wal_octets(store, &ignored) == 0 && store_image_stamp(account_path(job->account), true, &imaging->stamp) &&
	    span_equals(buffer_span(&imaging->stamp), span_from_string(imaging->known));
	return status;
}

static void
end_unchanged(struct imaging *imaging)
{
	reply(imaging, "unchanged");
	end(imaging, EX_OK, NULL);
}

static void
on_folded(struct account_job *job)
{
	struct imaging *imaging = imaging_of(job);

	if (job->status != STORE_OK)
		end(imaging, EX_IOERR, store_status_text(job->status));
	else if (imaging->is_same)
		end_unchanged(imaging);
	else
		begin_pieces(imaging);
}

/* A file that is closed, and has no log, needs not be opened to be found the same. */
static void
work_compare(struct job *job)
{
	struct imaging *imaging = CONTAINER_OF(job, struct imaging, compare);

	imaging->is_same = store_image_stamp(account_path(imaging->verb.account), false, &imaging->stamp) &&
	    span_equals(buffer_span(&imaging->stamp), span_from_string(imaging->known));
}

static void
on_compared(struct job *job)
{
	struct imaging *imaging = CONTAINER_OF(job, struct imaging, compare);

	if (imaging->is_same)
		end_unchanged(imaging);
	else
		user_verb_submit(&imaging->verb, ACCOUNT_IMAGE, work_fold, on_folded);
}

static void
begin(struct user_verb *verb)
{
	struct imaging *imaging = CONTAINER_OF(verb, struct imaging, verb);

	if (!verb->has_file) {
		reply(imaging, verb->lookup.status == DIRECTORY_ELSEWHERE ? "elsewhere" : "none");
		user_verb_end(verb, EX_OK, NULL);
		return;
	}
	account_begin_reading(verb->account);
	imaging->compare.work = work_compare;
	imaging->compare.done = on_compared;
	workers_submit(verb->lookup.role->parts.storage, &imaging->compare);
}

/* NAME [STAMP] */
static void
on_image(struct control_call *call, void *context)
{
	struct mailbox_role *role = context;
	struct imaging *imaging;

	if (control_call_count(call) < 1 || control_call_count(call) > 2) {
		control_finish(call, EX_USAGE, "image NAME [STAMP]");
		return;
	}
	imaging = NEW(struct imaging);
	list_init(&imaging->link);
	timer_init(&imaging->settle, role->parts.loop, on_settled, imaging);
	imaging->known = control_call_count(call) == 2 ? memory_copy_span(control_call_word(call, 1)) :
	    memory_copy_string("");
	imaging->image = store_image_new();
	imaging->verb.is_anywhere = true;
	imaging->verb.begin = begin;
	imaging->verb.free = free_imaging;
	user_verb_take(&imaging->verb, role, call);
}

void
role_stop_images(struct mailbox_role *role)
{
	LIST_FOREACH(&role->images, link)
		give_up(LIST_ENTRY(link, struct imaging, link));
}

void
role_register_image(struct mailbox_role *role, struct control *control)
{
	control_register(control, "image", CONTROL_CHANGE, on_image, role);
}
