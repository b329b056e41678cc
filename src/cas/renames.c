/*
 * Users who get another name, where other hosts have their mail: every mailbox server is asked whether it can be, then the
 * directory is changed, and then every server is told, again and again until each knows; so it goes on with the next process
 * (src/link/README, "Renaming a user").  Loop thread; the work_ functions on workers.
 */
#include "renames.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "link/move.h"

#define RETRY_LEAST_MS 50
#define RETRY_MOST_MS  5000
#define LINE_MAX_OCTETS 512

enum phase { ASKING, SWITCHING, TELLING };

struct cas_rename {
	struct list link;		/* in cas->renames */
	struct cas *cas;
	struct directory_rename row;
	enum phase phase;
	size_t server;			/* that is asked or told, by its place in the configuration */
	bool *is_told;			/* of each server */
	struct link_attempt *attempt;
	struct stream *stream;
	bool has_failed;		/* it does not happen: error says why */
	bool is_one_silent;		/* in this round */
	char error[320];
	struct job job;
	enum directory_status status;
	bool is_found_switched;		/* the job's: the row is the loop's, which others ask about meanwhile */
	bool is_asking;
	struct timer timer;
	unsigned tries;
	struct list waits;
};

struct rename_wait {
	struct list link;
	cas_renamed *on_renamed;
	void *context;
};

static void go_on(struct cas_rename *rename);

static struct span
old_name(const struct cas_rename *rename)
{
	return directory_name_span(&rename->row.name);
}

static struct span
new_name(const struct cas_rename *rename)
{
	return directory_name_span(&rename->row.new_name);
}

static void
say(struct cas_rename *rename, enum cas_renaming outcome)
{
	struct list waits;

	list_init(&waits);
	list_move_all(&waits, &rename->waits);
	while (!list_is_empty(&waits)) {
		struct rename_wait *wait = LIST_ENTRY(list_pop_front(&waits), struct rename_wait, link);

		if (outcome == CAS_RENAME_SWITCHED)
			list_push_back(&rename->waits, &wait->link);
		wait->on_renamed(outcome, rename->error, wait->context);
		if (outcome != CAS_RENAME_SWITCHED)
			free(wait);
	}
}

static void
hang_up(struct cas_rename *rename)
{
	link_cancel(&rename->attempt);
	stream_free(&rename->stream);
}

static void
rename_free(struct cas_rename *rename)
{
	hang_up(rename);
	timer_stop(&rename->timer);
	list_remove(&rename->link);
	free(rename->is_told);
	free(rename);
}

/* The role ends: what has been switched goes on with the next one, and what has not is taken back by it. */
static void
leave(struct cas_rename *rename)
{
	bool is_refused = !rename->row.is_switched && !rename->has_failed;

	snprintf(rename->error, sizeof rename->error, is_refused ? "the service cas is being stopped: order it again when it runs" :
	    "the mailbox servers have still to be told");
	say(rename, is_refused ? CAS_RENAME_REFUSED : CAS_RENAME_WAITS);
	rename_free(rename);
}

/* ---- the directory -------------------------------------------------------------------------------------- */

static void
ask(struct cas_rename *rename, void (*work)(struct job *job), void (*done)(struct job *job))
{
	rename->is_asking = true;
	rename->job.work = work;
	rename->job.done = done;
	rename->cas->asking_moves++;
	if (job_queue_submit(rename->cas->parts.directory_queue, &rename->job))
		return;
	rename->status = DIRECTORY_UNAVAILABLE;
	done(&rename->job);
}

/* False: the role has ended meanwhile, and this with it. */
static bool
answered(struct cas_rename *rename)
{
	struct cas *cas = rename->cas;

	rename->is_asking = false;
	cas->asking_moves--;
	if (!cas->are_moves_closed)
		return true;
	leave(rename);
	cas_check_gone(cas);
	return false;
}

static void
work_end(struct job *job)
{
	struct cas_rename *rename = CONTAINER_OF(job, struct cas_rename, job);
	struct directory *directory = rename->cas->parts.directory;

	rename->status = rename->row.is_switched ? directory_rename_told(directory, &rename->row) :
	    directory_rename_drop(directory, &rename->row);
}

static void
on_end_noted(struct job *job)
{
	struct cas_rename *rename = CONTAINER_OF(job, struct cas_rename, job);

	if (!answered(rename))
		return;
	if (rename->status != DIRECTORY_OK) {
		timer_start_ms(&rename->timer, RETRY_MOST_MS);
		return;
	}
	log_info("rename-ended", log_span("user", new_name(rename)), log_span("former", old_name(rename)),
	    log_text("rename", rename->row.rename_id), log_text("verdict", rename->row.is_switched ? "renamed" : "taken back"));
	say(rename, CAS_RENAME_TOLD);
	rename_free(rename);
}

/* What was not written may be written all the same: what stands there counts. */
static void
work_switch(struct job *job)
{
	struct cas_rename *rename = CONTAINER_OF(job, struct cas_rename, job);
	struct directory *directory = rename->cas->parts.directory;
	struct arena *arena = arena_new();
	struct directory_rename *rows;
	enum directory_hindrance hindrance;
	size_t count = 0;

	directory_rename_switch(directory, &rename->row, &hindrance);
	rename->status = directory_rename_list(directory, arena, &rows, &count);
	rename->is_found_switched = false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].rename_id, rename->row.rename_id) == 0)
			rename->is_found_switched = rows[i].is_switched;
	arena_free(&arena);
}

static void
begin_telling(struct cas_rename *rename)
{
	rename->phase = TELLING;
	rename->server = 0;
	rename->is_one_silent = false;
	go_on(rename);
}

static void
on_switched(struct job *job)
{
	struct cas_rename *rename = CONTAINER_OF(job, struct cas_rename, job);

	rename->row.is_switched = rename->is_found_switched;
	if (!answered(rename))
		return;
	if (rename->status != DIRECTORY_OK || !rename->row.is_switched) {
		timer_start_ms(&rename->timer, RETRY_MOST_MS);
		return;
	}
	say(rename, CAS_RENAME_SWITCHED);
	begin_telling(rename);
}

/* ---- the servers ---------------------------------------------------------------------------------------- */

/* Nothing was changed anywhere: whoever has heard of it is told that it does not happen. */
static void
fail(struct cas_rename *rename, const char *server, struct span why)
{
	rename->has_failed = true;
	snprintf(rename->error, sizeof rename->error, "%s: %.*s", server, SPAN_ARGS(why));
	log_warning("rename-refused", log_span("user", old_name(rename)), log_span("wanted", new_name(rename)),
	    log_text("reason", rename->error));
	say(rename, CAS_RENAME_REFUSED);
	begin_telling(rename);
}

static void
take_answer(struct cas_rename *rename, bool is_done, struct span why)
{
	struct link_server_state state;

	hang_up(rename);
	if (!link_server_state(rename->cas->parts.link, rename->server, &state))
		state.name = "";
	if (!is_done && rename->phase == ASKING) {
		fail(rename, state.name, why);
		return;
	}
	rename->is_one_silent |= !is_done;
	if (!is_done && rename->tries % 20 == 10)
		log_warning("rename-waits", log_span("user", new_name(rename)), log_span("former", old_name(rename)),
		    log_text("server", state.name));
	if (!is_done)
		snprintf(rename->error, sizeof rename->error, "%s has still to be told: %.*s", state.name, SPAN_ARGS(why));
	if (is_done && rename->phase == TELLING)
		rename->is_told[rename->server] = true;
	rename->server++;
	go_on(rename);
}

static void
on_input(struct stream *stream, void *context)
{
	struct cas_rename *rename = context;
	struct span input = stream_input_whole(stream);
	size_t end = span_find(input, '\n');
	struct buffer line = { 0 };

	if (end == input.length && end < LINE_MAX_OCTETS)
		return;
	buffer_add_span(&line, span_without_line_end(span_slice(input, 0, end + 1)));
	take_answer(rename, span_equals(buffer_span(&line), SPAN("done")),
	    span_starts_with(buffer_span(&line), SPAN("no ")) ? span_from(buffer_span(&line), 3) : SPAN("it is not understood there"));
	buffer_free(&line);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	take_answer(context, false, SPAN("it does not answer"));
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
on_connected(const struct link_result *result, void *context)
{
	struct cas_rename *rename = context;

	rename->attempt = NULL;
	if (result->status != LINK_OK) {
		take_answer(rename, false, result->status == LINK_DENIED || result->status == LINK_REFUSED ?
		    SPAN("its version renames no users") : SPAN("it does not answer"));
		return;
	}
	rename->stream = result->stream;
	stream_set_events(rename->stream, &events, rename);
}

static void
connect_to(struct cas_rename *rename, const char *server)
{
	const char *op = rename->phase == ASKING ? "rename-ask" : rename->row.is_switched ? "rename" : "rename-not";
	struct buffer wish = { 0 };

	buffer_add_octet(&wish, 0);
	buffer_add_string(&wish, op);
	buffer_add_octet(&wish, 0);
	buffer_add_span(&wish, old_name(rename));
	buffer_add_octet(&wish, 0);
	buffer_add_string(&wish, rename->row.rename_id);
	buffer_add_octet(&wish, 0);
	buffer_add_span(&wish, new_name(rename));
	buffer_add_octet(&wish, 0);
	buffer_add_string(&wish, rename->row.is_alias ? "alias" : "");
	rename->attempt = link_connect_to_move(rename->cas->parts.link, span_from_string(server), buffer_span(&wish),
	    on_connected, rename);
	buffer_free(&wish);
}

/* All were told, or as many as answer. */
static void
end_round(struct cas_rename *rename)
{
	uint64_t wait_ms = (uint64_t)RETRY_LEAST_MS << (rename->tries < 8 ? rename->tries : 8);

	if (!rename->is_one_silent) {
		ask(rename, work_end, on_end_noted);
		return;
	}
	say(rename, CAS_RENAME_WAITS);
	rename->tries++;
	timer_start_ms(&rename->timer, wait_ms < RETRY_MOST_MS ? wait_ms : RETRY_MOST_MS);
}

/* The next server, or what comes behind the last one. */
static void
go_on(struct cas_rename *rename)
{
	struct link_server_state state;

	while (link_server_state(rename->cas->parts.link, rename->server, &state)) {
		if (rename->phase == ASKING || !rename->is_told[rename->server]) {
			connect_to(rename, state.name);
			return;
		}
		rename->server++;
	}
	if (rename->phase == TELLING) {
		end_round(rename);
		return;
	}
	rename->phase = SWITCHING;
	ask(rename, work_switch, on_switched);
}

static void
on_due(void *context)
{
	struct cas_rename *rename = context;

	if (rename->phase == SWITCHING)
		ask(rename, work_switch, on_switched);
	else
		begin_telling(rename);
}

/* ---- which there are ------------------------------------------------------------------------------------ */

static struct cas_rename *
find(struct cas *cas, const char *rename_id)
{
	LIST_FOREACH(&cas->renames, link) {
		struct cas_rename *rename = LIST_ENTRY(link, struct cas_rename, link);

		if (strcmp(rename->row.rename_id, rename_id) == 0)
			return rename;
	}
	return NULL;
}

static struct cas_rename *
rename_new(struct cas *cas, const struct directory_rename *row)
{
	struct cas_rename *rename = NEW(struct cas_rename);
	struct link_server_state state;
	size_t count = 0;

	while (link_server_state(cas->parts.link, count, &state))
		count++;
	rename->cas = cas;
	rename->row = *row;
	rename->is_told = memory_new_array(count + 1, sizeof *rename->is_told);
	list_init(&rename->waits);
	timer_init(&rename->timer, cas->parts.loop, on_due, rename);
	list_push_back(&cas->renames, &rename->link);
	return rename;
}

void
cas_rename(struct cas *cas, const struct directory_rename *row, cas_renamed *on_renamed, void *context)
{
	struct cas_rename *rename = find(cas, row->rename_id);
	struct rename_wait *wait = NEW(struct rename_wait);
	bool is_new = rename == NULL;

	if (is_new)
		rename = rename_new(cas, row);
	wait->on_renamed = on_renamed;
	wait->context = context;
	list_push_back(&rename->waits, &wait->link);
	if (rename->has_failed) {
		snprintf(rename->error, sizeof rename->error, "an earlier attempt is being taken back: try again");
		say(rename, CAS_RENAME_REFUSED);
	} else if (!is_new && rename->row.is_switched) {
		say(rename, CAS_RENAME_SWITCHED);
	} else if (is_new && row->is_switched) {
		say(rename, CAS_RENAME_SWITCHED);
		begin_telling(rename);
	} else if (is_new) {
		rename->phase = ASKING;
		go_on(rename);
	}
}

/* ---- what another process has left ---------------------------------------------------------------------- */

void
renames_take_up(struct cas *cas, const struct directory_rename *row)
{
	struct cas_rename *rename;

	if (row->is_told || find(cas, row->rename_id) != NULL)
		return;
	rename = rename_new(cas, row);
	rename->has_failed = !row->is_switched;
	begin_telling(rename);
}

void
renames_close(struct cas *cas)
{
	LIST_FOREACH(&cas->renames, link) {
		struct cas_rename *rename = LIST_ENTRY(link, struct cas_rename, link);

		hang_up(rename);
		timer_stop(&rename->timer);
		if (!rename->is_asking)
			leave(rename);
	}
}
