/*
 * The verb status: is everything there, and who uses it.
 */
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/words.h"
#include "internal.h"

static void
tell_server(const struct service *service, struct control_call *call)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("server"));
	control_add_field(&line, "hostname", span_from_string(service->config->hostname));
	control_add_field(&line, "version", SPAN(VERSION));
	control_add_number(&line, "pid", getpid());
	control_add_number(&line, "seconds", (clock_monotonic_us() - service->began_us) / 1000000);
	if (service->tls != NULL)
		control_add_number(&line, "certificate-days",
		    (tls_context_expires(service->tls) - clock_calendar_s()) / 86400);
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

static bool
is_open(const struct role *role)
{
	return role->state == ROLE_RUNNING || role->state == ROLE_DRAINING;
}

static void
tell_role(const struct role *role, struct control_call *call)
{
	struct role_figures figures = { 0, 0, 0 };
	struct buffer line = { 0 };

	if (is_open(role))
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

/* A word names the one role to tell of. */
static void
on_status(struct control_call *call, void *context)
{
	const struct service *service = context;
	const struct role *roles = service->roles;
	bool is_all = control_call_count(call) == 0 || span_equals(control_call_word(call, 0), SPAN("all"));
	bool is_told[ROLE_COUNT];

	for (size_t i = 0; i < ROLE_COUNT; i++)
		is_told[i] = roles[i].is_played && (is_all ||
		    span_equals(control_call_word(call, 0), span_from_string(roles[i].kind->name)));
	if (is_all)
		tell_server(service, call);
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (is_told[i])
			tell_role(&roles[i], call);
	}
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (is_told[i] && is_open(&roles[i]))
			tell_listeners(&roles[i], call);
	}
	control_finish(call, EX_OK, NULL);
}

void
status_register(struct service *service)
{
	control_register(service->control, "status", CONTROL_VIEW, on_status, service);
}
