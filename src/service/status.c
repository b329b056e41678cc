/*
 * The verb status: is everything there, and who uses it.
 */
#include <sysexits.h>
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
	control_add_number(&line, "pid", (uint64_t)getpid());
	control_add_number(&line, "seconds", (clock_monotonic_us() - service->began_us) / 1000000);
	if (service->tls != NULL)
		control_add_number(&line, "certificate-days",
		    (uint64_t)((tls_context_expires(service->tls) - clock_calendar_s()) / 86400));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static void
tell_role(struct control_call *call, const char *name, uint64_t connections, uint64_t sessions,
    uint64_t logins)
{
	control_replyf(call, "role name=%s state=running connections=%llu sessions=%llu logins=%llu", name,
	    (unsigned long long)connections, (unsigned long long)sessions, (unsigned long long)logins);
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
on_status(struct control_call *call, void *context)
{
	const struct service *service = context;
	struct cas_status cas;
	struct mailbox_status mailbox;
	const char *address;

	tell_server(service, call);
	cas_status(service->cas, &cas);
	mailbox_role_status(service->mailbox, &mailbox);
	tell_role(call, "cas", cas.connections, cas.sessions, cas.logins);
	tell_role(call, "mailbox", mailbox.sessions + mailbox.deliveries, mailbox.sessions,
	    mailbox.logins);
	for (size_t i = 0; (address = cas_listener(service->cas, i)) != NULL; i++)
		tell_listener(call, "cas", address);
	for (size_t i = 0; (address = mailbox_role_listener(service->mailbox, i)) != NULL; i++)
		tell_listener(call, "mailbox", address);
	control_finish(call, EX_OK, NULL);
}

void
status_register(struct service *service)
{
	control_register(service->control, "status", CONTROL_VIEW, on_status, service);
}
