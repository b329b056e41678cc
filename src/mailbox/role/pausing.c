/*
 * The pause in which a user leaves: nothing is begun, and what is under way ends, or it is put off.  Loop thread; the work_
 * functions on workers.
 */
#include "../session/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "leaving.h"

#define LOOK_MS	    2		/* whether all are between two commands */
#define HALT_US	    400000	/* so long they are waited for */
#define PART_US	    200000	/* so long for the rest of what has come in part */
#define FROZEN_MS   5000	/* so long for all that follows, up to "yield" */

/* A command of which only a part has come is waited for, too, but not for long: then it is cut. */
static bool
are_sessions_at_rest(const struct leaving *leaving)
{
	bool is_patient = clock_monotonic_us() - leaving->halted_us < PART_US;

	LIST_FOREACH(&leaving->mover.role->sessions, link) {
		const struct session *session = LIST_ENTRY(link, struct session, link);

		if (!session_knows(session, leaving->account) || session_is_closing(session))
			continue;
		if (!session_is_at_rest(session) || (is_patient && session_is_within_command(session)))
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

	if (!leaving_note_home(leaving, job->status))
		return;
	timer_start_ms(&leaving->timer, FROZEN_MS);
	mover_say(&leaving->mover, "frozen");
	mover_go_on(&leaving->mover);
}

static void
say_busy(struct leaving *leaving)
{
	leaving_thaw(leaving);
	mover_say(&leaving->mover, "busy");
	mover_go_on(&leaving->mover);
}

/* Sessions first, by whose commands there still are jobs; then these. */
void
leaving_on_due(void *context)
{
	struct leaving *leaving = context;

	if (leaving->state == LEAVING_FROZEN && !leaving->is_asking) {
		log_warning("move-thawed", log_span("user", directory_name_span(&leaving->mover.name)),
		    log_text("move", leaving->mover.move_id));
		mover_refuse(&leaving->mover, "it has taken too long: the user goes on here");
		return;
	}
	if (leaving->state == LEAVING_YIELDED)
		leaving_depart(leaving, false);
	if (leaving->state != LEAVING_HALTING)
		return;
	if (are_sessions_at_rest(leaving))
		account_shut(leaving->account);
	if (account_is_shut(leaving->account) && account_has_no_jobs(leaving->account)) {
		leaving->state = LEAVING_FROZEN;
		leaving->is_working = true;
		leaving_submit(leaving, work_settle, on_settled);
	} else if (clock_monotonic_us() - leaving->halted_us > HALT_US) {
		say_busy(leaving);
	} else {
		timer_start_ms(&leaving->timer, LOOK_MS);
	}
}

void
leaving_freeze(struct leaving *leaving)
{
	leaving->state = LEAVING_HALTING;
	leaving->halted_us = clock_monotonic_us();
	account_halt(leaving->account);
	leaving_on_due(leaving);
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
		leaving_note_asked(leaving);
		return;
	}
	leaving->is_asking = false;
	leaving->state = LEAVING_YIELDED;
	timer_stop(&leaving->timer);
	mover_say(&leaving->mover, "yielded");
	mover_go_on(&leaving->mover);
	if (leaving->mover.stream == NULL)
		leaving_give_up(leaving);
}

void
leaving_yield(struct leaving *leaving, struct span target)
{
	leaving->target = arena_copy(leaving->arena, target);
	leaving->is_asking = true;
	leaving->ask.work = work_yield;
	leaving->ask.done = on_yielded;
	role_submit_ask(leaving->mover.role, &leaving->ask);
}
