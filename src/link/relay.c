/*
 * Logging in at another IMAP server: certificates of authorities are read by a worker when they are needed first, then the
 * server is reached, and dialog.c says what is said.  What it may send until then is limited.  Loop thread; work() on a
 * worker.
 */
#include "link/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dialog.h"
#include "internal.h"
#include "loop/job.h"

#define LINE_MAX_OCTETS  16384
#define TOTAL_MAX_OCTETS ((size_t)128 * 1024)
#define VANISHED_S	 120	/* a server that has gone without a word is noticed: cas/pipe.c says BYE */

struct trust;

struct link_relay {
	struct link *link;
	struct link_home home;
	struct workers *names, *compute;
	uint64_t timeout_ms;
	bool is_insecure;
	struct tls_context *tls;
	struct trust *trust;		/* is being read; NULL: no more */
	struct list waiting;		/* while authorities are being read, among those who wait for them */
	struct connector *connector;
	struct stream *stream;
	struct timer timer;
	struct dialog dialog;
	size_t octets;			/* come so far */
	size_t literal;			/* of them to be passed over: of a string in an answer */
	bool is_continued;		/* the line goes on behind a literal, of which nothing is wanted */
	link_connected *on_connected;
	void *context;
};

/* Authorities are read once for all who need them meanwhile: they are many, and large.  Outlives those. */
struct trust {
	struct job job;
	struct link *link;		/* loop thread only, like the next; NULL: nobody may join any more */
	struct list relays;		/* those who wait */
	char *ca_file;			/* NULL: of the system */
	bool is_insecure;
	struct tls_context *tls;	/* out; NULL: error says why */
	char *error;
};

static void
trust_close(struct trust *trust)
{
	if (trust->link != NULL)
		trust->link->trusts[trust->is_insecure] = NULL;
	trust->link = NULL;
}

void
link_relay_forget_authorities(struct link *link)
{
	for (size_t i = 0; i < COUNT_OF(link->authorities); i++) {
		tls_context_free(&link->authorities[i]);
		if (link->trusts[i] != NULL)
			trust_close(link->trusts[i]);
	}
}

static void
leave_trust(struct link_relay *relay)
{
	struct trust *trust = relay->trust;

	relay->trust = NULL;
	if (trust == NULL)
		return;
	list_remove(&relay->waiting);
	if (list_is_empty(&trust->relays))
		trust_close(trust);
}

void
link_relay_cancel(struct link_relay **relay_pointer)
{
	struct link_relay *relay = *relay_pointer;

	*relay_pointer = NULL;
	if (relay == NULL)
		return;
	leave_trust(relay);
	net_connect_cancel(&relay->connector);
	timer_stop(&relay->timer);
	stream_free(&relay->stream);
	tls_context_free(&relay->tls);
	dialog_fini(&relay->dialog);
	relay->link->attempts--;
	free(relay);
}

static const struct stream_events nobody = { NULL, NULL, NULL };

/* Its owner forgets the attempt in the callback, so it is freed behind it. */
static void
finish(struct link_relay *relay, enum link_status status)
{
	struct dialog *dialog = &relay->dialog;
	struct buffer offer = { 0 };
	struct link_result result = { .status = status, .text = buffer_span(&dialog->text),
		.untagged = buffer_span(&dialog->untagged), .reason = buffer_string(&dialog->reason) };

	if (status == LINK_OK) {
		dialog_write_offer(buffer_span(&dialog->capability), &offer);
		result.capability = buffer_span(&offer);
		result.stream = relay->stream;
		relay->stream = NULL;
		stream_set_events(result.stream, &nobody, NULL);
	}
	relay->on_connected(&result, relay->context);
	buffer_free(&offer);
	link_relay_cancel(&relay);
}

static void
fail(struct link_relay *relay, enum link_status status, const char *reason)
{
	buffer_clear(&relay->dialog.reason);
	buffer_add_string(&relay->dialog.reason, reason);
	finish(relay, status);
}

static void
send(struct link_relay *relay)
{
	stream_write(relay->stream, buffer_span(&relay->dialog.out));
	dialog_sent(&relay->dialog);
}

/* A literal that was announced in plaintext does not go on in what TLS brings. */
static void
start_tls(struct link_relay *relay)
{
	relay->literal = 0;
	relay->is_continued = false;
	stream_start_tls_to(relay->stream, relay->tls, relay->compute, relay->home.host);
}

/* False: the attempt is over, and gone. */
static bool
react(struct link_relay *relay, enum dialog_event event)
{
	if (event == DIALOG_START_TLS) {
		start_tls(relay);
		event = dialog_secured(&relay->dialog);
	}
	if (event == DIALOG_OVER) {
		finish(relay, relay->dialog.status);
		return false;
	}
	send(relay);
	return true;
}

/* How many octets of a literal follow the line: "{5}" at its end. */
static size_t
literal_behind(struct span line)
{
	size_t at = line.length;
	uint64_t octets = 0;

	if (at == 0 || line.at[at - 1] != '}')
		return 0;
	while (at > 0 && line.at[at - 1] != '{')
		at--;
	if (at == 0 || !span_to_number(span_slice(line, at, line.length - 1 - at), TOTAL_MAX_OCTETS, &octets))
		return 0;
	return (size_t)octets;
}

/* One line.  False: the attempt is over, and gone. */
static bool
take_line(struct link_relay *relay, struct span line)
{
	bool is_continued = relay->is_continued;

	relay->literal = literal_behind(line);
	relay->is_continued = relay->literal > 0;
	return is_continued || react(relay, dialog_read(&relay->dialog, line));
}

static bool
pass_over_literal(struct link_relay *relay)
{
	size_t length = stream_input_length(relay->stream);

	length = length < relay->literal ? length : relay->literal;
	stream_consume(relay->stream, length);
	relay->literal -= length;
	relay->octets += length;
	return relay->literal == 0;
}

/* What stands behind the last answer belongs to the session. */
static void
on_input(struct stream *stream, void *context)
{
	struct link_relay *relay = context;
	bool goes_on = true;

	while (goes_on) {
		struct buffer line = { 0 };
		struct span input;
		size_t end;

		if (!pass_over_literal(relay))
			return;
		input = stream_input_whole(stream);
		end = span_find(input, '\n');
		if (end > LINE_MAX_OCTETS || relay->octets + end > TOTAL_MAX_OCTETS) {
			fail(relay, LINK_PROTOCOL, "it says more than belongs before a login");
			return;
		}
		if (end == input.length)
			return;
		buffer_add_span(&line, span_without_line_end(span_slice(input, 0, end + 1)));
		stream_consume(stream, end + 1);
		relay->octets += end + 1;
		goes_on = take_line(relay, buffer_span(&line));
		buffer_free(&line);
	}
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct tls_facts tls;
	char why[200];

	stream_tls_facts(stream, &tls);
	snprintf(why, sizeof why, "%s", tls.error != NULL ? tls.error : reason == STREAM_TIMEOUT ? "timed out" :
	    "it has closed the connection");
	fail(context, LINK_UNREACHABLE, why);
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
on_timeout(void *context)
{
	fail(context, LINK_TIMEOUT, "timed out");
}

static void
on_reached(struct stream *stream, const char *error, void *context)
{
	struct link_relay *relay = context;

	relay->connector = NULL;
	if (stream == NULL) {
		fail(relay, LINK_UNREACHABLE, error);
		return;
	}
	relay->stream = stream;
	stream_set_peer_timeout(stream, VANISHED_S, VANISHED_S);
	stream_set_events(stream, &events, relay);
	if (relay->home.is_tls_first)
		start_tls(relay);
}

static void
reach(struct link_relay *relay)
{
	struct buffer address = { 0 };
	bool is_bracketed = strchr(relay->home.host, ':') != NULL;

	buffer_printf(&address, "%s%s%s:%u", is_bracketed ? "[" : "", relay->home.host, is_bracketed ? "]" : "",
	    relay->home.port);
	relay->connector = net_connect(relay->link->loop, relay->names, buffer_string(&address), relay->timeout_ms,
	    on_reached, relay);
	buffer_free(&address);
}

static void
work(struct job *job)
{
	struct trust *trust = CONTAINER_OF(job, struct trust, job);

	trust->tls = trust->is_insecure || trust->ca_file != NULL ?
	    tls_context_new_client(trust->is_insecure ? NULL : trust->ca_file, &trust->error) :
	    tls_context_new_client_of_system(&trust->error);
}

/* For the next logins, too, unless they are to be read anew. */
static void
share(struct trust *trust)
{
	if (trust->link != NULL && trust->tls != NULL)
		trust->link->authorities[trust->is_insecure] = tls_context_hold(trust->tls);
	trust_close(trust);
}

static void
on_trusted(struct job *job)
{
	struct trust *trust = CONTAINER_OF(job, struct trust, job);

	share(trust);
	while (!list_is_empty(&trust->relays)) {
		struct link_relay *relay = LIST_ENTRY(trust->relays.next, struct link_relay, waiting);

		leave_trust(relay);
		if (trust->tls == NULL) {
			fail(relay, LINK_UNREACHABLE, trust->error);
		} else {
			relay->tls = tls_context_hold(trust->tls);
			reach(relay);
		}
	}
	tls_context_free(&trust->tls);
	free(trust->error);
	free(trust->ca_file);
	free(trust);
}

static struct trust *
read_authorities(const struct link_relay *relay, const char *ca_file)
{
	struct trust *trust = NEW(struct trust);

	trust->link = relay->link;
	list_init(&trust->relays);
	trust->ca_file = ca_file == NULL ? NULL : memory_copy_string(ca_file);
	trust->is_insecure = relay->is_insecure;
	trust->job.work = work;
	trust->job.done = on_trusted;
	workers_submit(relay->names, &trust->job);
	return trust;
}

static void
await_authorities(struct link_relay *relay, const char *ca_file)
{
	struct trust **place = &relay->link->trusts[relay->is_insecure];

	if (*place == NULL)
		*place = read_authorities(relay, ca_file);
	relay->trust = *place;
	list_push_back(&relay->trust->relays, &relay->waiting);
}

struct link_relay *
link_relay(struct link *link, const struct link_relay_wish *wish, link_connected *on_connected, void *context)
{
	struct link_relay *relay = NEW(struct link_relay);

	link->attempts++;
	relay->link = link;
	relay->home = *wish->home;
	relay->names = wish->names;
	relay->compute = wish->compute;
	relay->timeout_ms = wish->timeout_ms;
	relay->is_insecure = wish->is_insecure;
	relay->on_connected = on_connected;
	relay->context = context;
	dialog_init(&relay->dialog, wish);
	timer_init(&relay->timer, link->loop, on_timeout, relay);
	timer_start_ms(&relay->timer, wish->timeout_ms);
	if (link->authorities[wish->is_insecure] == NULL) {
		await_authorities(relay, wish->ca_file);
	} else {
		relay->tls = tls_context_hold(link->authorities[wish->is_insecure]);
		reach(relay);
	}
	return relay;
}
