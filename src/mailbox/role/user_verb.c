#include <stdlib.h>
#include <sysexits.h>

#include "life.h"
#include "user_verb.h"

#define CALL_US	 (1 * UINT64_C(1000000))
#define WATCH_MS 200

void
user_verb_end(struct user_verb *verb, int code, const char *text)
{
	struct mailbox_role *role = verb->lookup.role;

	user_verb_unwatch(verb);
	if (verb->call != NULL)
		control_finish(verb->call, code, text);
	account_release(&verb->account);
	verb->free(verb);
	role->jobs--;
	role->on_ended(role);
}

void
user_verb_end_with(struct user_verb *verb, enum store_status status)
{
	if (status == STORE_OK)
		user_verb_end(verb, EX_OK, NULL);
	else
		user_verb_end(verb, EX_IOERR, store_status_text(status));
}

void
user_verb_end_cut_off(struct user_verb *verb)
{
	user_verb_end(verb, EX_TEMPFAIL, "not now, try again");
}

static void
on_looked(struct job *job)
{
	struct user_verb *verb = CONTAINER_OF(job, struct user_verb, look);
	struct mailbox_role *role = verb->lookup.role;

	if (role->is_stopping) {
		user_verb_end_cut_off(verb);
		return;
	}
	if (verb->has_file)
		verb->account = account_hold(role->accounts, verb->lookup.mailbox_id, verb->lookup.found.text);
	verb->begin(verb);
}

static void
work_look(struct job *job)
{
	struct user_verb *verb = CONTAINER_OF(job, struct user_verb, look);
	struct buffer path = { 0 };
	uint64_t size_octets;

	verb->has_file = mailbox_file(verb->lookup.role->data_directory, verb->lookup.mailbox_id, &path, &size_octets);
	buffer_free(&path);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct user_verb *verb = CONTAINER_OF(lookup, struct user_verb, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND) {
		user_verb_end(verb, EX_NOUSER, "there is no such user");
	} else if (lookup->status == DIRECTORY_ELSEWHERE && verb->is_anywhere) {
		verb->lookup.found = verb->lookup.names[0];
		verb->begin(verb);
	} else if (lookup->status == DIRECTORY_ELSEWHERE) {
		user_verb_end(verb, EX_UNAVAILABLE, "the user's mail is on another server");
	} else if (lookup->status != DIRECTORY_OK) {
		user_verb_end_cut_off(verb);
	} else {
		verb->look.work = work_look;
		verb->look.done = on_looked;
		workers_submit(lookup->role->parts.storage, &verb->look);
	}
}

static void
on_watch_due(void *context)
{
	struct user_verb *verb = context;

	timer_start_ms(&verb->watch, WATCH_MS);
	verb->on_watch(verb);
}

void
user_verb_watch(struct user_verb *verb)
{
	timer_start_ms(&verb->watch, WATCH_MS);
}

void
user_verb_unwatch(struct user_verb *verb)
{
	timer_stop(&verb->watch);
}

void
user_verb_take(struct user_verb *verb, struct mailbox_role *role, struct control_call *call)
{
	role->jobs++;
	verb->call = call;
	timer_init(&verb->watch, role->parts.loop, on_watch_due, verb);
	verb->until_us = clock_monotonic_us() + CALL_US;
	verb->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &verb->lookup.names[0]) ? 1 : 0;
	verb->lookup.done = on_looked_up;
	role_look_up(role, &verb->lookup);
}

void
user_verb_submit(struct user_verb *verb, enum account_kind kind,
    enum store_status (*work)(struct store *store, struct account_job *job), void (*done)(struct account_job *job))
{
	verb->job.kind = kind;
	verb->job.work = work;
	verb->job.done = done;
	account_submit_quietly(verb->account, &verb->job);
}

bool
user_verb_is_time_up(const struct user_verb *verb)
{
	return clock_monotonic_us() >= verb->until_us || user_verb_is_cut_off(verb);
}

bool
user_verb_is_cut_off(const struct user_verb *verb)
{
	return verb->lookup.role->is_stopping || control_call_is_gone(verb->call);
}

void
user_verb_begin_line(const struct user_verb *verb, struct span word, struct buffer *line)
{
	buffer_clear(line);
	control_add_word(line, word);
	control_add_field(line, "user", directory_name_span(&verb->lookup.found));
}

int64_t
user_verb_reply_faults(const struct user_verb *verb, struct span findings)
{
	struct buffer line = { 0 };
	int64_t count = 0;

	for (; findings.length > 0; count++) {
		size_t length = span_find(findings, '\n');

		user_verb_begin_line(verb, SPAN("fault"), &line);
		control_add_field(&line, "text", span_slice(findings, 0, length));
		control_reply(verb->call, buffer_span(&line));
		findings = span_from(findings, length + 1);
	}
	buffer_free(&line);
	return count;
}
