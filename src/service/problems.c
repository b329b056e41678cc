/*
 * What the verb status tells beside figures: the mailbox servers on other hosts, and what is wrong.  Loop thread.
 */
#include "base/clock.h"
#include "control/words.h"
#include "internal.h"

static struct span
optional(const char *text)
{
	return span_from_string(text == NULL ? "" : text);
}

/* Who is told of each problem. */
struct listener {
	problem_each *each;
	void *context;
};

static void
tell(const struct role *role, const struct problem *problem, const struct listener *listener)
{
	listener->each(role, problem, listener->context);
}

static void
write_problem(const struct role *role, const struct problem *problem, void *call)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("problem"));
	control_add_field(&line, "service", span_from_string(role->kind->name));
	control_add_field(&line, "kind", span_from_string(problem->kind));
	control_add_field(&line, "user", optional(problem->user));
	status_add_time(&line, "since", problem->since_s);
	control_add_number(&line, "times", (int64_t)problem->times);
	control_add_field(&line, "path", optional(problem->path));
	control_add_field(&line, "text", optional(problem->text));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

/* Clients that look at dates do not come in any more. */
static void
tell_certificate(const struct role *role, const char *server_name, const char *path, const struct listener *listener)
{
	struct tls_validity validity;
	struct buffer text = { 0 };

	if (!tls_context_validity(role->service->tls, server_name, NULL, &validity) ||
	    validity.ends_s >= clock_calendar_s())
		return;
	certificate_add_trouble(&validity, NULL, &text);
	tell(role, &(struct problem){ .kind = "certificate", .since_s = validity.ends_s, .times = 1, .path = path,
	    .text = buffer_string(&text) }, listener);
	buffer_free(&text);
}

static void
tell_certificates(const struct role *role, const struct listener *listener)
{
	const struct config *config = role->service->config;

	if (role->service->tls == NULL)
		return;
	tell_certificate(role, NULL, config->tls_certificate, listener);
	for (size_t i = 0; i < config->tls_certificate_for.count; i++)
		tell_certificate(role, config->tls_certificate_for.at[i].name,
		    config->tls_certificate_for.at[i].certificate, listener);
}

/* Fills in what is known of it. */
static void
tell_outage(const struct role *role, struct problem problem, const struct cas_outage *outage, const struct listener *listener)
{
	problem.since_s = outage->since_s;
	problem.times = outage->logins;
	problem.text = outage->reason;
	if (outage->logins > 0)
		tell(role, &problem, listener);
}

static void
tell_cas(const struct role *role, const struct listener *listener)
{
	static const char *const kinds[CAS_OUTAGE_COUNT] = {
		[CAS_OUTAGE_DIRECTORY] = "directory",
		[CAS_OUTAGE_MAILBOX_SERVER] = "mailbox-server",
	};
	struct cas_status status;
	struct cas_relay relay;

	tell_certificates(role, listener);
	cas_status(role->service->cas, &status);
	for (size_t i = 0; i < CAS_OUTAGE_COUNT; i++)
		tell_outage(role, (struct problem){ .kind = kinds[i] }, &status.outages[i], listener);
	for (size_t i = 0; cas_relay(role->service->cas, i, &relay); i++)
		tell_outage(role, (struct problem){ .kind = "relay", .path = relay.server }, &relay.outage, listener);
}

static void
tell_mailbox(const struct role *role, const struct listener *listener)
{
	struct mailbox_fault fault;

	for (size_t i = 0; mailbox_role_fault(role->service->mailbox, i, &fault); i++)
		tell(role, &(struct problem){ fault.kind, fault.user, fault.path, fault.since_s, fault.times,
		    fault.error }, listener);
}

void
problems_walk(const struct role *role, problem_each *each, void *context)
{
	struct listener listener = { each, context };

	if (role->kind->bit == CONFIG_ROLE_CAS)
		tell_cas(role, &listener);
	else
		tell_mailbox(role, &listener);
}

/* The process ended by a fault, whichever service it was. */
void
problems_tell_crashes(const struct role *role, struct control_call *call)
{
	const struct service *service = role->service;

	if (crashes_are_recent(service))
		write_problem(role, &(struct problem){ .kind = "crash", .since_s = service->crashes.last_s, .times = service->crashes.recent,
		    .path = service->crashes.path, .text = "the process ended by a fault; `imapctl sysreport` collects what developers need" },
		    call);
}

void
problems_tell(const struct role *role, struct control_call *call)
{
	problems_walk(role, write_problem, call);
}

void
problems_tell_servers(const struct role *role, struct control_call *call)
{
	static const char *const words[] = {
		[LINK_SERVER_UNKNOWN] = "unknown",
		[LINK_SERVER_UP] = "up",
		[LINK_SERVER_DOWN] = "down",
	};
	struct link_server_state server;

	if (role->kind->bit != CONFIG_ROLE_CAS)
		return;
	for (size_t i = 0; link_server_state(role->service->link, i, &server); i++) {
		struct buffer line = { 0 };

		control_add_word(&line, SPAN("mailbox-server"));
		control_add_field(&line, "name", span_from_string(server.name));
		control_add_field(&line, "address", span_from_string(server.address));
		control_add_field(&line, "state", span_from_string(words[server.state]));
		status_add_time(&line, "since", server.since_s);
		control_add_field(&line, "reason", span_from_string(server.reason));
		control_reply(call, buffer_span(&line));
		buffer_free(&line);
	}
}

void
problems_tell_relays(const struct role *role, struct control_call *call)
{
	struct cas_relay relay;

	if (role->kind->bit != CONFIG_ROLE_CAS)
		return;
	for (size_t i = 0; cas_relay(role->service->cas, i, &relay); i++) {
		struct buffer line = { 0 };

		control_add_word(&line, SPAN("relay"));
		control_add_field(&line, "server", span_from_string(relay.server));
		control_add_number(&line, "sessions", (int64_t)relay.sessions);
		control_add_number(&line, "logins", (int64_t)relay.logins);
		control_reply(call, buffer_span(&line));
		buffer_free(&line);
	}
}
