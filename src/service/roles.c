/*
 * A service that can be started, drained and stopped while the process runs.  Requests set what is wanted;
 * role_advance() alone enters states.  Loop thread, but for the preparation, which a worker does.
 */
#include "internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define BIT(state) (1u << (state))

static const struct {
	const char *name;
	unsigned next;
} states[] = {
	[ROLE_STOPPED] = { "stopped", BIT(ROLE_STARTING) },
	[ROLE_STARTING] = { "starting", BIT(ROLE_RUNNING) | BIT(ROLE_FAILED) | BIT(ROLE_STOPPED) },
	[ROLE_RUNNING] = { "running", BIT(ROLE_DRAINING) },
	[ROLE_DRAINING] = { "draining", BIT(ROLE_STOPPED) },
	[ROLE_FAILED] = { "failed", BIT(ROLE_STOPPED) },
};

bool
role_is_open(const struct role *role)
{
	return role->state == ROLE_RUNNING || role->state == ROLE_DRAINING;
}

const char *
role_state_name(enum role_state state)
{
	return states[state].name;
}

static void
enter(struct role *role, enum role_state next)
{
	assert(states[role->state].next & BIT(next));
	log_info("service", log_text("service", role->kind->name), log_text("state", states[next].name),
	    log_text("by", role->memo.asked_by), log_text("reason", next == ROLE_FAILED ? role->error : NULL));
	role->state = next;
	role->since_s = clock_calendar_s();
	supervisor_tell_status(role->service);
}

static bool
is_wanted(const struct role *role)
{
	return role->is_played && role->memo.is_wanted && !role->service->is_stopping;
}

bool
role_is_at_rest(const struct role *role)
{
	switch (role->state) {
	case ROLE_STOPPED:
		return !is_wanted(role);
	case ROLE_RUNNING:
		return is_wanted(role) && !role->must_restart;
	case ROLE_FAILED:
		return true;
	default:
		return false;
	}
}

static void
advance_later(struct role *role)
{
	deferred_schedule(role->service->loop, &role->again);
}

static void
fail(struct role *role, char *error)
{
	free(role->error);
	role->error = error != NULL ? error : memory_copy_string("unknown");
	role->must_restart = false;
	enter(role, ROLE_FAILED);
}

/* The ports, after what only one process may have. */
static void
open_part(struct role *role)
{
	char *error = NULL;

	role->is_prepared = false;
	if (!role->kind->open(role->service, &role->lock, &error)) {
		fail(role, error);
		return;
	}
	free(role->error);
	role->error = NULL;
	role->must_restart = false;
	enter(role, ROLE_RUNNING);
}

static void
work_prepare(struct job *job)
{
	struct role *role = CONTAINER_OF(job, struct role, prepare);

	role->is_prepared = role->kind->prepare(role->data_directory, &role->lock, &role->prepare_error);
}

static void
on_prepared(struct job *job)
{
	struct role *role = CONTAINER_OF(job, struct role, prepare);

	role->service->jobs--;
	if (!role->is_prepared) {
		fail(role, role->prepare_error);
		role->prepare_error = NULL;
	} else if (is_wanted(role)) {
		open_part(role);
	} else {
		close(role->lock.descriptor);
		role->is_prepared = false;
		enter(role, ROLE_STOPPED);
	}
	advance_later(role);
}

static void
start(struct role *role)
{
	enter(role, ROLE_STARTING);
	role->data_directory = role->service->config->data_directory;
	if (role->kind->prepare == NULL) {
		open_part(role);
		advance_later(role);
		return;
	}
	role->prepare.work = work_prepare;
	role->prepare.done = on_prepared;
	role->service->jobs++;
	workers_submit(role->service->storage, &role->prepare);
}

/* The part calls from its last breath: it is freed behind it. */
static void
on_stopped(void *context)
{
	struct role *role = context;

	role->is_gone = true;
	advance_later(role);
}

/* A command of a client's should find both services, so that of two the cas goes first. */
static bool
must_wait(const struct role *role)
{
	const struct role *cas = &role->service->roles[ROLE_CAS];

	return role->is_behind_cas && role != cas && cas->state == ROLE_DRAINING;
}

static void
drain(struct role *role)
{
	if (must_wait(role))
		return;
	role->must_restart = role->is_behind_cas = false;
	enter(role, ROLE_DRAINING);
	role->kind->drain(role->service, role->over_ms, on_stopped, role);
}

static void
finish_stop(struct role *role)
{
	struct role *mailbox = &role->service->roles[ROLE_MAILBOX];

	role->is_gone = false;
	role->kind->close(role->service);
	enter(role, ROLE_STOPPED);
	if (role != mailbox)
		advance_later(mailbox);
}

static void
role_advance(void *context)
{
	struct role *role = context;

	if (role->is_gone)
		finish_stop(role);
	if (role->state == ROLE_STOPPED && is_wanted(role))
		start(role);
	else if (role->state == ROLE_RUNNING && !role_is_at_rest(role))
		drain(role);
	if (!role_is_at_rest(role))
		return;
	if (!role->memo.is_writing)	/* the answer holds for the next start, too */
		requests_answer(role);
	if (role->service->is_stopping)
		service_end(role->service);
}

void
role_init(struct role *role, struct service *service, const struct role_kind *kind)
{
	*role = (struct role){ .service = service, .kind = kind, .since_s = clock_calendar_s() };
	role->is_played = (service->config->role & (int)kind->bit) != 0;
	list_init(&role->waits);
	deferred_init(&role->again, role_advance, role);
}

void
role_fini(struct role *role)
{
	if (role->kind == NULL)
		return;
	deferred_cancel(&role->again);
	if (role->is_prepared)
		close(role->lock.descriptor);
	free(role->error);
	memo_fini(&role->memo);
}

bool
role_prepare_now(struct role *role, char **error_out)
{
	memo_read(&role->memo, role->service->config->data_directory, role->kind->name);
	if (!role->memo.is_known)
		role->memo.is_wanted = role->service->config->start_services;
	if (role->memo.is_known && !role->memo.is_wanted)
		role->since_s = role->memo.since_s;
	if (!is_wanted(role) || role->kind->prepare == NULL)
		return true;
	role->is_prepared = role->kind->prepare(role->service->config->data_directory, &role->lock, error_out);
	return role->is_prepared;
}

bool
role_open_now(struct role *role, char **error_out)
{
	if (!is_wanted(role)) {
		role->kind->close(role->service);
		return true;
	}
	role->is_prepared = false;
	if (!role->kind->open(role->service, &role->lock, error_out))
		return false;
	role->state = ROLE_RUNNING;
	return true;
}

void
role_ask(struct role *role, bool wanted, bool must_restart, uint64_t over_ms, const char *asked_by)
{
	struct memo *memo = &role->memo;

	memo->is_known = true;
	memo->is_wanted = wanted;
	memo->since_s = clock_calendar_s();
	snprintf(memo->asked_by, sizeof memo->asked_by, "%s", asked_by);
	memo_write(role);
	role->over_ms = over_ms;
	role->must_restart = must_restart && role->state == ROLE_RUNNING;
	if (role->state == ROLE_FAILED)
		enter(role, ROLE_STOPPED);
	if (role->state == ROLE_DRAINING && !role->is_gone && (!wanted || must_restart))
		role->kind->drain(role->service, over_ms, on_stopped, role);
	advance_later(role);
}

void
role_end(struct role *role)
{
	role->over_ms = 0;
	if (role->state == ROLE_DRAINING && !role->is_gone)
		role->kind->drain(role->service, 0, on_stopped, role);
	advance_later(role);
}
