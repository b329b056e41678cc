/*
 * A user who leaves for another mailbox server.  The file is copied in slices while its user works.  Then sessions begin no
 * command any more, jobs wait, and what was committed meanwhile follows: so far all of it goes on as before when whoever
 * orders the move is not heard any more.  After "yield" only they know whether the user is here.  Loop thread; the work_
 * functions on workers.
 */
#include <stdlib.h>

#include "../session/ground.h"
#include "../session/session.h"
#include "../shared/shares.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "life.h"
#include "movers.h"
#include "store/pages.h"

#define LOOK_MS	    2		/* whether all are between two commands */
#define HALT_US	    400000	/* so long they are waited for */
#define FROZEN_MS   5000	/* so long for all that follows, up to "yield" */
#define DOUBT_MS    10000	/* so long clients wait when whoever ordered the move is not heard any more behind that */

enum leaving_state {
	LEAVING_COPYING,	/* and waits for orders */
	LEAVING_HALTING,	/* commands are not begun; those under way end */
	LEAVING_FROZEN,		/* nothing is done in the account */
	LEAVING_YIELDED,	/* and only who ordered the move knows how it goes on */
};

struct leaving {
	struct mover mover;
	struct role_lookup lookup;
	struct role_ask ask;
	struct account *account;	/* NULL: not yet, or no more */
	struct account_job job;
	struct store_pages pages;
	struct buffer records;
	bool is_more, is_working, is_asking, is_sending;
	uint64_t left;			/* octets that were committed and not read */
	struct arena *arena;
	struct span facts, target;	/* in the arena */
	enum leaving_state state;
	uint64_t halted_us;
	struct timer timer;
};

static struct leaving *
leaving_of(struct mover *mover)
{
	return CONTAINER_OF(mover, struct leaving, mover);
}

/* ---- beginning and ending ---- */

static void
wake_sessions(struct mailbox_role *role, const struct account *account)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session_knows(session, account))
			session_schedule(session);
	}
}

/* Whoever has waited goes on as if nothing had been. */
static void
thaw(struct leaving *leaving)
{
	timer_stop(&leaving->timer);
	if (leaving->state == LEAVING_COPYING)
		return;
	leaving->state = LEAVING_COPYING;
	account_open(leaving->account);
	wake_sessions(leaving->mover.role, leaving->account);
}

static void
leaving_free(struct leaving *leaving)
{
	timer_stop(&leaving->timer);
	if (leaving->account != NULL) {
		account_end_copy(leaving->account);
		account_release(&leaving->account);
	}
	buffer_free(&leaving->records);
	buffer_free(&leaving->lookup.groups);
	arena_free(&leaving->arena);
	mover_fini(&leaving->mover);
	free(leaving);
}

static enum store_status
work_let_fold(struct store *store, struct account_job *job)
{
	(void)job;
	store_pages_end(store);
	return STORE_OK;
}

static void
on_ended(struct account_job *job)
{
	leaving_free(CONTAINER_OF(job, struct leaving, job));
}

static void
submit(struct leaving *leaving, enum store_status (*work)(struct store *store, struct account_job *job),
    void (*done)(struct account_job *job))
{
	leaving->job.kind = ACCOUNT_IMAGE;
	leaving->job.work = work;
	leaving->job.done = done;
	account_submit_inside(leaving->account, &leaving->job);
}

static enum store_status
work_nothing(struct store *store, struct account_job *job)
{
	(void)store;
	(void)job;
	return STORE_OK;
}

static void
say_farewell(struct mailbox_role *role, const struct account *account)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->account == account)
			session_bye(session, METRIC_KICKED, "UNAVAILABLE", "your mail has moved to another server, please log in again");
		else if (session->view != NULL && session->view->state->account == account)
			session_bye(session, METRIC_KICKED, "UNAVAILABLE", "the selected mailbox has moved to another server");
	}
}

/* The file is closed, and what still wants it finds nothing; also when nobody knows how the move has ended. */
static void
depart(struct leaving *leaving)
{
	struct account *account = leaving->account;

	timer_stop(&leaving->timer);
	accounts_note_gone(leaving->mover.role->accounts, account_id(account), true);
	say_farewell(leaving->mover.role, account);
	leaving->state = LEAVING_COPYING;
	leaving->is_working = true;
	leaving->job.kind = ACCOUNT_REMOVE;
	leaving->job.work = work_nothing;
	leaving->job.done = on_ended;
	account_submit_inside(account, &leaving->job);
	account_open(account);
}

/* Who said "yield" has gone: the directory remembers it. */
static void
await_verdict(struct leaving *leaving)
{
	if (leaving->mover.role->is_stopping)
		depart(leaving);
	else
		timer_start_ms(&leaving->timer, DOUBT_MS);
}

/* It has come to nothing.  A job or question under way ends first: then this comes again. */
static void
give_up(struct leaving *leaving)
{
	if (leaving->is_working || leaving->is_asking)
		return;
	if (leaving->state == LEAVING_YIELDED) {
		await_verdict(leaving);
		return;
	}
	if (leaving->account == NULL) {
		leaving_free(leaving);
		return;
	}
	thaw(leaving);
	leaving->is_working = true;
	submit(leaving, work_let_fold, on_ended);
}

static void
on_lost(struct mover *mover)
{
	give_up(leaving_of(mover));
}

/* A job has come home.  False: it is over, or was refused. */
static bool
note_home(struct leaving *leaving, enum store_status status)
{
	leaving->is_working = false;
	if (leaving->mover.stream == NULL) {
		give_up(leaving);
		return false;
	}
	if (status != STORE_OK) {
		mover_refuse(&leaving->mover, status == STORE_NOT_FOUND ? "the file was opened anew meanwhile" :
		    status == STORE_UNAVAILABLE ? "another program reads the user's file, or the disk failed" :
		    store_status_text(status));
		return false;
	}
	return true;
}

static bool
note_asked(struct leaving *leaving)
{
	leaving->is_asking = false;
	if (leaving->mover.stream == NULL) {
		give_up(leaving);
		return false;
	}
	if (leaving->ask.status != DIRECTORY_OK) {
		mover_refuse(&leaving->mover, directory_status_text(leaving->ask.status));
		return false;
	}
	return true;
}

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

	if (!note_asked(leaving))
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

	if (!note_home(leaving, job->status))
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
		give_up(leaving);
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
	submit(leaving, work_begin, on_begun);
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
	submit(leaving, work_read, on_read);
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

	if (!note_home(leaving, job->status))
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

/* ---- the pause ---- */

static bool
are_sessions_at_rest(const struct leaving *leaving)
{
	LIST_FOREACH(&leaving->mover.role->sessions, link) {
		const struct session *session = LIST_ENTRY(link, struct session, link);

		if (session_knows(session, leaving->account) && !session_is_closing(session) && !session_is_at_rest(session))
			return false;
	}
	return true;
}

static enum store_status
work_settle(struct store *store, struct account_job *job)
{
	(void)job;
	return store_settle(store);
}

static void
on_settled(struct account_job *job)
{
	struct leaving *leaving = CONTAINER_OF(job, struct leaving, job);

	if (!note_home(leaving, job->status))
		return;
	timer_start_ms(&leaving->timer, FROZEN_MS);
	mover_say(&leaving->mover, "frozen");
	mover_go_on(&leaving->mover);
}

static void
say_busy(struct leaving *leaving)
{
	thaw(leaving);
	mover_say(&leaving->mover, "busy");
	mover_go_on(&leaving->mover);
}

/* Sessions first, by whose commands there still are jobs; then these. */
static void
on_due(void *context)
{
	struct leaving *leaving = context;

	if (leaving->state == LEAVING_FROZEN && !leaving->is_asking) {
		log_warning("move-thawed", log_span("user", directory_name_span(&leaving->mover.name)),
		    log_text("move", leaving->mover.move_id));
		mover_refuse(&leaving->mover, "it has taken too long: the user goes on here");
		return;
	}
	if (leaving->state == LEAVING_YIELDED)
		depart(leaving);
	if (leaving->state != LEAVING_HALTING)
		return;
	if (are_sessions_at_rest(leaving))
		account_shut(leaving->account);
	if (account_is_shut(leaving->account) && account_has_no_jobs(leaving->account)) {
		leaving->state = LEAVING_FROZEN;
		leaving->is_working = true;
		submit(leaving, work_settle, on_settled);
	} else if (clock_monotonic_us() - leaving->halted_us > HALT_US) {
		say_busy(leaving);
	} else {
		timer_start_ms(&leaving->timer, LOOK_MS);
	}
}

static void
freeze(struct leaving *leaving)
{
	leaving->state = LEAVING_HALTING;
	leaving->halted_us = clock_monotonic_us();
	account_halt(leaving->account);
	on_due(leaving);
}

static enum directory_status
work_yield(struct role_ask *ask, struct directory *directory)
{
	struct leaving *leaving = CONTAINER_OF(ask, struct leaving, ask);

	return directory_leave_mailbox(directory, directory_name_span(&leaving->mover.name), account_id(leaving->account),
	    leaving->mover.move_id, leaving->target);
}

/* The stream may be gone meanwhile: then it is in doubt all the same. */
static void
on_yielded(struct role_ask *ask)
{
	struct leaving *leaving = CONTAINER_OF(ask, struct leaving, ask);

	if (ask->status != DIRECTORY_OK) {
		note_asked(leaving);
		return;
	}
	leaving->is_asking = false;
	leaving->state = LEAVING_YIELDED;
	timer_stop(&leaving->timer);
	mover_say(&leaving->mover, "yielded");
	mover_go_on(&leaving->mover);
	if (leaving->mover.stream == NULL)
		give_up(leaving);
}

static void
yield(struct leaving *leaving, struct span target)
{
	leaving->target = arena_copy(leaving->arena, target);
	leaving->is_asking = true;
	leaving->ask.work = work_yield;
	leaving->ask.done = on_yielded;
	role_submit_ask(leaving->mover.role, &leaving->ask);
}

static void
on_line(struct mover *mover, struct span line)
{
	struct leaving *leaving = leaving_of(mover);

	if (span_equals(line, SPAN("copy")))
		read_more(leaving);
	else if (span_equals(line, SPAN("freeze")) && leaving->state == LEAVING_COPYING)
		freeze(leaving);
	else if (span_starts_with(line, SPAN("yield ")) && leaving->state == LEAVING_FROZEN)
		yield(leaving, span_from(line, 6));
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
	timer_init(&leaving->timer, role->parts.loop, on_due, leaving);
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

void
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
		return;
	stream_free(&mover->stream);
	if (leaving->state != LEAVING_YIELDED) {
		give_up(leaving);
		return;
	}
	if (is_gone) {
		depart(leaving);
	} else {
		thaw(leaving);
		give_up(leaving);
	}
}
