/*
 * What an operator may ask of the services: start, stop, drain, restart.  A
 * call is answered when all services it names have come to rest.  Loop thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

enum order { ORDER_START, ORDER_STOP, ORDER_DRAIN, ORDER_RESTART };

struct request {
	struct control_call *call;
	enum role_state goal;
	unsigned waiting;		/* roles that are not at rest */
	int code;
	char text[320];			/* why not */
};

struct wait {
	struct list link;
	struct request *request;
};

static void
finish(struct request *request)
{
	if (request->waiting > 0)
		return;
	control_finish(request->call, request->code, request->code == EX_OK ? NULL : request->text);
	free(request);
}

static void
note_outcome(struct request *request, const struct role *role)
{
	if (role->state == request->goal)
		return;
	request->code = EX_UNAVAILABLE;
	if (role->state == ROLE_FAILED)
		snprintf(request->text, sizeof request->text, "%s did not start: %s", role->kind->name,
		    role->error);
	else
		snprintf(request->text, sizeof request->text, "%s is %s: somebody has asked otherwise meanwhile",
		    role->kind->name, role_state_name(role->state));
}

void
requests_answer(struct role *role)
{
	LIST_FOREACH(&role->waits, link) {
		struct wait *wait = LIST_ENTRY(link, struct wait, link);

		list_remove(link);
		note_outcome(wait->request, role);
		wait->request->waiting--;
		finish(wait->request);
		free(wait);
	}
}

/* Whether the first word names this role; "all" names each that is played. */
static bool
is_named(const struct role *role, const struct control_call *call)
{
	struct span word = control_call_word(call, 0);

	if (span_equals(word, SPAN("all")))
		return role->is_played;
	return span_equals(word, span_from_string(role->kind->name));
}

static void
ask(struct role *role, const struct control_call *call, enum order order)
{
	uint64_t drain_ms = role->service->config->drain_time_s * 1000;

	role->is_behind_cas = span_equals(control_call_word(call, 0), SPAN("all"));
	role_ask(role, order == ORDER_START || order == ORDER_RESTART, order == ORDER_RESTART,
	    order == ORDER_DRAIN ? drain_ms : 0, control_call_peer(call));
}

static void
wait_for(struct role *role, struct request *request)
{
	struct wait *wait = NEW(struct wait);

	wait->request = request;
	request->waiting++;
	list_push_back(&role->waits, &wait->link);
}

/* NULL: they can be asked. */
static const char *
refusal(const struct service *service, const struct control_call *call)
{
	bool is_known = false;

	if (service->is_stopping)
		return "the server is stopping";
	if (control_call_count(call) < 1)
		return "which service: cas, mailbox or all?";
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (!is_named(&service->roles[i], call))
			continue;
		is_known = true;
		if (!service->roles[i].is_played)
			return "this process does not have that service: its option role says so";
	}
	return is_known ? NULL : "there are the services cas and mailbox, and all for both";
}

/* With the word no-wait the answer comes at once: a console has more to do. */
static void
carry_out(struct service *service, struct control_call *call, enum order order)
{
	bool is_waiting = control_call_count(call) < 2 ||
	    !span_equals(control_call_word(call, 1), SPAN("no-wait"));
	const char *why = refusal(service, call);
	struct request *request;

	if (why != NULL) {
		control_finish(call, EX_USAGE, why);
		return;
	}
	request = NEW(struct request);
	request->call = call;
	request->goal = order == ORDER_START || order == ORDER_RESTART ? ROLE_RUNNING : ROLE_STOPPED;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (!is_named(&service->roles[i], call))
			continue;
		ask(&service->roles[i], call, order);
		if (is_waiting)
			wait_for(&service->roles[i], request);
	}
	finish(request);	/* unless somebody is waited for */
}

static void
on_start(struct control_call *call, void *context)
{
	carry_out(context, call, ORDER_START);
}

static void
on_stop(struct control_call *call, void *context)
{
	carry_out(context, call, ORDER_STOP);
}

static void
on_drain(struct control_call *call, void *context)
{
	carry_out(context, call, ORDER_DRAIN);
}

static void
on_restart(struct control_call *call, void *context)
{
	carry_out(context, call, ORDER_RESTART);
}

static void
tell_service(const struct role *role, struct control_call *call)
{
	struct role_figures figures = { 0, 0, 0 };
	struct buffer line = { 0 };

	if (role->state == ROLE_RUNNING || role->state == ROLE_DRAINING)
		role->kind->count(role->service, &figures);
	control_add_word(&line, SPAN("service"));
	control_add_field(&line, "name", span_from_string(role->kind->name));
	control_add_field(&line, "state", span_from_string(role_state_name(role->state)));
	status_add_time(&line, "since", role->since_s);
	control_add_field(&line, "asked-by", span_from_string(role->memo.asked_by));
	control_add_number(&line, "sessions", figures.sessions);
	control_add_field(&line, "error", span_from_string(role->error == NULL ? "" : role->error));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static void
on_services(struct control_call *call, void *context)
{
	const struct service *service = context;

	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (service->roles[i].is_played)
			tell_service(&service->roles[i], call);
	}
	control_finish(call, EX_OK, NULL);
}

void
requests_register(struct service *service)
{
	control_register(service->control, "start", CONTROL_CHANGE, on_start, service);
	control_register(service->control, "stop", CONTROL_CHANGE, on_stop, service);
	control_register(service->control, "drain", CONTROL_CHANGE, on_drain, service);
	control_register(service->control, "restart", CONTROL_CHANGE, on_restart, service);
	control_register(service->control, "services", CONTROL_VIEW, on_services, service);
}
