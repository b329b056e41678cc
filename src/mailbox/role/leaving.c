/*
 * A user who leaves for another mailbox server.  The file is copied in slices while its user works.  Then sessions begin no
 * command any more, jobs wait, and what was committed meanwhile follows: so far all of it goes on as before when whoever
 * orders the move is not heard any more.  After "yield" only they know whether the user is here.  Loop thread; the work_
 * functions on workers.
 */
#include <stdlib.h>

#include "../shared/shares.h"
#include "base/base64.h"
#include "leaving.h"
#include "net/stream.h"

static void
on_lost(struct mover *mover)
{
	leaving_give_up(leaving_of(mover));
}

/* ---- beginning ---- */

static enum directory_status
work_describe(struct role_ask *ask, struct directory *directory)
{
	struct leaving *leaving = CONTAINER_OF(ask, struct leaving, ask);

	return directory_describe(directory, directory_name_span(&leaving->mover.name), leaving->arena, &leaving->facts);
}

static void
on_described(struct role_ask *ask)
{
	struct leaving *leaving = CONTAINER_OF(ask, struct leaving, ask);
	struct buffer facts = { 0 };

	if (!leaving_note_asked(leaving))
		return;
	base64_encode(leaving->facts, &facts);
	mover_say(&leaving->mover, "ok %d %llu", store_schema_newest(),
	    (unsigned long long)leaving->pages.pages.file_pages * STORE_PAGE_OCTETS);
	stream_write(leaving->mover.stream, buffer_span(&facts));
	stream_write(leaving->mover.stream, SPAN("\r\n"));
	buffer_free(&facts);
	mover_go_on(&leaving->mover);
}

static enum store_status
work_begin(struct store *store, struct account_job *job)
{
	return store_pages_begin(store, &CONTAINER_OF(job, struct leaving, job)->pages);
}

static void
on_begun(struct account_job *job)
{
	struct leaving *leaving = CONTAINER_OF(job, struct leaving, job);

	if (!leaving_note_home(leaving, job->status))
		return;
	leaving->is_asking = true;
	leaving->ask.work = work_describe;
	leaving->ask.done = on_described;
	role_submit_ask(leaving->mover.role, &leaving->ask);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct leaving *leaving = CONTAINER_OF(lookup, struct leaving, lookup);

	leaving->is_asking = false;
	if (leaving->mover.stream == NULL || lookup->role->is_stopping) {
		leaving_give_up(leaving);
		return;
	}
	if (lookup->status != DIRECTORY_OK) {
		mover_refuse(&leaving->mover, lookup->status == DIRECTORY_ELSEWHERE ?
		    "the user's mail is not here, or another move has not ended" : directory_status_text(lookup->status));
		return;
	}
	leaving->mover.name = lookup->found;
	leaving->account = account_hold(lookup->role->accounts, lookup->mailbox_id, lookup->found.text);
	account_begin_copy(leaving->account);
	leaving->is_working = true;
	leaving_submit(leaving, work_begin, on_begun);
}

/* ---- copying ---- */

static enum store_status
work_read(struct store *store, struct account_job *job)
{
	struct leaving *leaving = CONTAINER_OF(job, struct leaving, job);
	enum store_status status =
	    store_pages_read(store, &leaving->pages, MOVER_FRAME_MAX, &leaving->records, &leaving->is_more);

	leaving->left = store_pages_left(store, &leaving->pages);
	return status;
}

static void on_read(struct account_job *job);

static void
read_more(struct leaving *leaving)
{
	buffer_clear(&leaving->records);
	leaving->is_working = true;
	leaving_submit(leaving, work_read, on_read);
}

/* A transaction may have been long: it goes in pieces. */
static void
send_records(struct leaving *leaving)
{
	const size_t most = MOVER_FRAME_MAX / STORE_PAGE_RECORD * STORE_PAGE_RECORD;
	struct span rest = buffer_span(&leaving->records);

	while (rest.length > 0) {
		struct span piece = span_slice(rest, 0, most);

		mover_say(&leaving->mover, "data %zu", piece.length);
		stream_write(leaving->mover.stream, piece);
		rest = span_from(rest, piece.length);
	}
}

static void
on_read(struct account_job *job)
{
	struct leaving *leaving = CONTAINER_OF(job, struct leaving, job);

	if (!leaving_note_home(leaving, job->status))
		return;
	send_records(leaving);
	leaving->is_sending = leaving->is_more;
	if (!leaving->is_more) {
		mover_say(&leaving->mover, "copied %u %llu", leaving->pages.pages.page_count,
		    (unsigned long long)leaving->left);
		mover_go_on(&leaving->mover);
	} else if (stream_output_length(leaving->mover.stream) <= MOVER_OUTPUT_LOW) {
		read_more(leaving);
	}
}

static void
on_drained(struct mover *mover)
{
	struct leaving *leaving = leaving_of(mover);

	if (leaving->is_sending && !leaving->is_working)
		read_more(leaving);
}

/* ---- what is ordered ---- */

static void
on_line(struct mover *mover, struct span line)
{
	struct leaving *leaving = leaving_of(mover);

	if (span_equals(line, SPAN("copy")))
		read_more(leaving);
	else if (span_equals(line, SPAN("freeze")) && leaving->state == LEAVING_COPYING)
		leaving_freeze(leaving);
	else if (span_starts_with(line, SPAN("yield ")) && leaving->state == LEAVING_FROZEN)
		leaving_yield(leaving, span_from(line, 6));
	else
		mover_refuse(mover, "this is not understood here");
}

const struct mover_kind leaving_kind = { on_line, NULL, on_drained, on_lost };

void
leaving_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish)
{
	struct leaving *leaving = NEW(struct leaving);
	bool is_second = mover_find(role, &leaving_kind, wish->words[1]) != NULL;

	mover_init(&leaving->mover, role, &leaving_kind, stream, wish);
	timer_init(&leaving->timer, role->parts.loop, leaving_on_due, leaving);
	leaving->arena = arena_new();
	if (is_second) {
		mover_refuse(&leaving->mover, "another move of this user is under way");
		return;
	}
	leaving->is_asking = true;
	leaving->lookup.names[0] = leaving->mover.name;
	leaving->lookup.name_count = 1;
	leaving->lookup.done = on_looked_up;
	role_look_up(role, &leaving->lookup);
}

/* ---- how it ended ---- */

bool
leaving_end(struct mailbox_role *role, const struct directory_name *name, const char *move_id, bool is_gone,
    const char *mailbox_id)
{
	struct mover *mover = mover_find(role, &leaving_kind, directory_name_span(name));
	struct leaving *leaving = mover == NULL || strcmp(mover->move_id, move_id) != 0 ? NULL : leaving_of(mover);

	if (mailbox_id[0] != '\0')
		accounts_note_gone(role->accounts, mailbox_id, is_gone);
	if (mailbox_id[0] != '\0' && is_gone)
		shares_forget_owner(role, directory_name_span(name));
	if (leaving == NULL)
		return true;
	stream_free(&mover->stream);
	if (leaving->state == LEAVING_YIELDED && is_gone) {
		leaving_depart(leaving, true);
		return true;
	}
	if (leaving->state == LEAVING_YIELDED)
		leaving_thaw(leaving);
	leaving_give_up(leaving);
	return false;
}
