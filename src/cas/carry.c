/*
 * A session whose user has moved to another mailbox server: the one before has handed it over, between two commands or in
 * IDLE, and it goes on at the other one (src/link/README, "Moving a user").  Meanwhile the client's octets wait.  Loop
 * thread; work_find() on a worker.
 */
#include <stdlib.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "login.h"

#define LINE_OCTETS_MAX	((size_t)64 * 1024)	/* the state, in base64 */
#define AGAIN_MS	50
#define PATIENCE_US	UINT64_C(10000000)	/* as long as the other server may take to be told that the user is there */

/* Where the user lives now. */
struct finding {
	struct job job;
	struct cas_client *client;	/* loop thread only */
	struct directory *directory;
	struct directory_name name;
	struct arena *arena;		/* of the user */
	struct directory_user user;
	enum directory_status status;
};

static void find(struct cas_client *client);

static void
give_up(struct cas_client *client)
{
	pipe_end(client, METRIC_LINK_LOST, "UNAVAILABLE", "Your mail has moved to another server, please log in again");
}

static void
try_again(struct cas_client *client)
{
	if (clock_monotonic_us() - client->carried_us > PATIENCE_US)
		give_up(client);
	else
		timer_start_ms(&client->carry_timer, AGAIN_MS);
}

/* ---- the other server ---- */

static void
on_linked(const struct link_result *result, void *context)
{
	struct cas_client *client = context;
	bool is_for_now = result->status == LINK_UNREACHABLE || result->status == LINK_TIMEOUT ||
	    (result->status == LINK_REFUSED && span_starts_with_nocase(result->text, SPAN("[UNAVAILABLE]")));

	client->attempt = NULL;
	if (result->status == LINK_OK) {
		log_info("session-moved", log_text("sid", client->sid), log_span("user", directory_name_span(&client->user)),
		    log_span("server", link_server_of(client->cas->parts.link, buffer_span(&client->home))),
		    log_number("ms", (int64_t)(clock_monotonic_us() - client->carried_us) / 1000));
		client->mailbox = result->stream;
		buffer_free(&client->carried);
		stream_resume_input(client->stream);
		pipe_join(client);
	} else if (is_for_now) {
		try_again(client);
	} else {
		give_up(client);
	}
}

static void
connect(struct cas_client *client)
{
	struct buffer capability = { 0 };
	struct link_facts facts = admission_facts(client, &capability);

	client->attempt = link_connect_carried(client->cas->parts.link, buffer_span(&client->home),
	    directory_name_span(&client->user), buffer_span(&client->carried), &facts, on_linked, client);
	buffer_free(&capability);
}

/* ---- the directory ---- */

static void
work_find(struct job *job)
{
	struct finding *finding = CONTAINER_OF(job, struct finding, job);

	finding->status = directory_lookup(finding->directory, directory_name_span(&finding->name), finding->arena,
	    &finding->user);
}

static void
finding_free(struct finding *finding)
{
	arena_free(&finding->arena);
	free(finding);
}

static void
on_found(struct job *job)
{
	struct finding *finding = CONTAINER_OF(job, struct finding, job);
	struct cas_client *client = finding->client;

	client->jobs--;
	client_wake(client);
	if (client->state != MOVING) {
		finding_free(finding);
		return;
	}
	if (finding->status == DIRECTORY_OK) {
		buffer_clear(&client->home);
		buffer_add_span(&client->home, finding->user.home);
	}
	if (finding->status == DIRECTORY_OK && !directory_home_is_foreign(finding->user.home))
		connect(client);
	else if (finding->status == DIRECTORY_UNAVAILABLE)
		try_again(client);
	else
		give_up(client);
	finding_free(finding);
}

static void
find(struct cas_client *client)
{
	struct finding *finding = NEW(struct finding);

	finding->client = client;
	finding->directory = client->cas->parts.directory;
	finding->name = client->user;
	finding->arena = arena_new();
	finding->job.work = work_find;
	finding->job.done = on_found;
	if (job_queue_submit(client->cas->parts.directory_queue, &finding->job)) {
		client->jobs++;
		return;
	}
	finding_free(finding);
	try_again(client);
}

static void
on_due(void *context)
{
	find(context);
}

/* ---- what comes back ---- */

static void
on_rest(struct stream *stream, void *context)
{
	if (stream_input_length(stream) > RETURNED_MAX)
		pipe_end(context, METRIC_LIMIT, "LIMIT", "Too much while your mail has moved to another server");
}

/* All has come back: what the client has sent stands in its input, in order. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct cas_client *client = context;

	if (reason != STREAM_EOF || client->carried.length == 0) {
		give_up(client);
		return;
	}
	client->octets_in += stream_input_length(stream);	/* they were counted before */
	stream_take_input(client->stream, stream);
	stream_free(&client->mailbox);
	client_enter(client, MOVING);
	find(client);
}

static const struct stream_events rest_events = { on_rest, NULL, on_end };

static void
on_state(struct stream *stream, void *context)
{
	struct cas_client *client = context;
	struct span input = stream_input_whole(stream);
	size_t end = span_find(input, '\n');

	if (end == input.length && end <= LINE_OCTETS_MAX)
		return;
	if (!base64_decode(span_without_line_end(span_slice(input, 0, end + 1)), &client->carried) ||
	    client->carried.length > LINK_STATE_MAX) {
		give_up(client);
		return;
	}
	stream_consume(stream, end + 1);
	stream_set_events(stream, &rest_events, client);
}

static const struct stream_events state_events = { on_state, NULL, on_end };

void
carry_begin(struct cas_client *client)
{
	buffer_clear(&client->carried);
	client->carried_us = clock_monotonic_us();
	timer_init(&client->carry_timer, client->cas->parts.loop, on_due, client);
	if (client->is_leaving) {
		pipe_end(client, client->farewell_reason, client->farewell_code, client->farewell);
		return;
	}
	stream_set_events(client->mailbox, &state_events, client);
	stream_end_output(client->mailbox);
}
