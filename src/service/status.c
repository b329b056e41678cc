/*
 * The verb status: is everything there, and who uses it.  Loop thread.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

#define ROUND_MS 20
#define ROUNDS	 175	/* 3.5 s: a try to reach a mailbox server ends before */

static void
tell_server(const struct service *service, struct control_call *call)
{
	struct buffer line = { 0 };
	int64_t days;

	control_add_word(&line, SPAN("server"));
	control_add_field(&line, "hostname", span_from_string(service->config->hostname));
	control_add_field(&line, "version", SPAN(VERSION));
	control_add_number(&line, "pid", getpid());
	control_add_number(&line, "seconds", (clock_monotonic_us() - service->began_us) / 1000000);
	if ((int)log_get_level() != service->config->log_level)
		control_add_field(&line, "log-level", span_from_string(log_level_name(log_get_level())));
	if (certificates_end(service, &days))
		control_add_number(&line, "certificate-days", days);
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

void
status_add_time(struct buffer *line, const char *key, int64_t calendar_s)
{
	time_t moment = (time_t)calendar_s;
	char text[32];
	struct tm parts;

	gmtime_r(&moment, &parts);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	control_add_field(line, key, span_from_string(text));
}

static void
tell_role(const struct role *role, struct control_call *call)
{
	struct role_figures figures = { 0, 0, 0 };
	struct buffer line = { 0 };

	if (role_is_open(role))
		role->kind->count(role->service, &figures);
	control_add_word(&line, SPAN("role"));
	control_add_field(&line, "name", span_from_string(role->kind->name));
	control_add_field(&line, "state", span_from_string(role_state_name(role->state)));
	status_add_time(&line, "since", role->since_s);
	control_add_field(&line, "asked-by", span_from_string(role->memo.asked_by));
	control_add_number(&line, "connections", figures.connections);
	control_add_number(&line, "sessions", figures.sessions);
	control_add_number(&line, "logins", figures.logins);
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static void
tell_listener(struct control_call *call, const char *role, const char *address)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("listener"));
	control_add_field(&line, "role", span_from_string(role));
	control_add_field(&line, "address", span_from_string(address));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static void
tell_listeners(const struct role *role, struct control_call *call)
{
	const char *address;

	for (size_t i = 0; (address = role->kind->listener(role->service, i)) != NULL; i++)
		tell_listener(call, role->kind->name, address);
}

/* Whether the call is about this service: a word names one, or all. */
static bool
is_told(const struct role *role, const struct control_call *call)
{
	struct span word = control_call_count(call) == 0 ? SPAN("all") : control_call_word(call, 0);

	return role->is_played &&
	    (span_equals(word, SPAN("all")) || span_equals(word, span_from_string(role->kind->name)));
}

static void
tell_each(const struct service *service, struct control_call *call,
    void (*tell)(const struct role *role, struct control_call *call), bool is_about_open)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (is_told(&service->roles[i], call) && (!is_about_open || role_is_open(&service->roles[i])))
			tell(&service->roles[i], call);
	}
}

/* Once, whichever services are asked about: it was the process. */
static void
tell_crashes(const struct service *service, struct control_call *call)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (!is_told(&service->roles[i], call))
			continue;
		problems_tell_crashes(&service->roles[i], call);
		return;
	}
}

static void
tell_all(const struct service *service, struct control_call *call)
{
	if (control_call_count(call) == 0 || span_equals(control_call_word(call, 0), SPAN("all")))
		tell_server(service, call);
	tell_each(service, call, tell_role, false);
	tell_each(service, call, tell_listeners, true);
	tell_each(service, call, certificates_tell, false);
	tell_each(service, call, problems_tell_servers, true);
	tell_each(service, call, problems_tell_relays, true);
	tell_each(service, call, problems_tell, true);
	tell_crashes(service, call);
	control_finish(call, EX_OK, NULL);
}

/* A call that waits for what mailbox servers answer. */
struct wait {
	struct list link;
	struct service *service;
	struct control_call *call;
	struct timer timer;
	unsigned rounds;
};

static bool
is_anybody_asked(const struct service *service)
{
	struct link_server_state server;

	for (size_t i = 0; link_server_state(service->link, i, &server); i++) {
		if (server.is_asked)
			return true;
	}
	return false;
}

static void
wait_free(struct wait *wait)
{
	list_remove(&wait->link);
	timer_stop(&wait->timer);
	free(wait);
}

static void
on_round(void *context)
{
	struct wait *wait = context;

	if (is_anybody_asked(wait->service) && wait->rounds++ < ROUNDS) {
		timer_start_ms(&wait->timer, ROUND_MS);
		return;
	}
	tell_all(wait->service, wait->call);
	wait_free(wait);
}

/* A mailbox server that was down a while ago may be up by now, so it is asked before anything is said. */
static void
on_status(struct control_call *call, void *context)
{
	struct service *service = context;
	struct wait *wait;

	if (is_told(&service->roles[ROLE_CAS], call))
		link_hurry(service->link);
	if (!is_anybody_asked(service)) {
		tell_all(service, call);
		return;
	}
	wait = NEW(struct wait);
	wait->service = service;
	wait->call = call;
	timer_init(&wait->timer, service->loop, on_round, wait);
	list_push_back(&service->statuses, &wait->link);
	timer_start_ms(&wait->timer, ROUND_MS);
}

void
status_register(struct service *service)
{
	control_register(service->control, "status", CONTROL_VIEW, on_status, service);
}

void
status_forget(struct service *service)
{
	LIST_FOREACH(&service->statuses, link) {
		struct wait *wait = LIST_ENTRY(link, struct wait, link);

		control_finish(wait->call, EX_TEMPFAIL, "the server is stopping");
		wait_free(wait);
	}
}
