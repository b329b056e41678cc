#include "ports.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../remote/knock.h"
#include "base/clock.h"
#include "base/memory.h"

#define HTTP_REQUEST "GET / HTTP/1.0\r\n\r\n"

enum listens { AT_MAILBOX, AT_CAS, AT_PROCESS };	/* what does; the process always runs */

static const struct {
	const char *option;
	size_t listeners;		/* where they are in struct config */
	enum listens who;
	const char *health_set, *probe;
	const char *say, *expected;	/* the link answers nobody who has no key: that it takes the connection has to do */
} kinds[] = {
	{ "lmtp", offsetof(struct config, lmtp_listen), AT_MAILBOX, "MailboxTransport", "LmtpProbe", NULL, "220 " },
	{ "link", offsetof(struct config, link_listen), AT_MAILBOX, "IMAP.Protocol", "LinkPortProbe", NULL, NULL },
	{ "autoconfig", offsetof(struct config, autoconfig_listen), AT_CAS, "Autodiscover", "AutoconfigProbe", HTTP_REQUEST, "HTTP/" },
	{ "admin", offsetof(struct config, admin_listen), AT_PROCESS, "ECP", "AdminPageProbe", HTTP_REQUEST, "HTTP/" },
	{ "metrics", offsetof(struct config, metrics_listen), AT_PROCESS, "Monitoring", "MetricsProbe", HTTP_REQUEST, "HTTP/" },
};

static void
knock_at(size_t kind, const struct config_listener *listener, unsigned timeout_s, struct port_report *report, struct buffer *trouble)
{
	const struct knock order = { .at = listener, .is_tls = listener->is_tls && kinds[kind].expected != NULL, .say = kinds[kind].say,
		.expected = kinds[kind].expected, .timeout_s = timeout_s };
	uint64_t began_us = clock_monotonic_us();
	int code = knock(&order, trouble);

	report->us = clock_monotonic_us() - began_us;
	report->result = code == EX_OK ? PORT_ANSWERS : code == EX_NOPERM ? PORT_NOT_TRIED : PORT_IS_SILENT;
	report->error = code == EX_OK ? "" : buffer_string(trouble);
}

static void
try_port(size_t kind, const struct config_listener *listener, bool is_running, unsigned timeout_s, port_told *told, void *context)
{
	struct port_report report = { .health_set = kinds[kind].health_set, .probe = kinds[kind].probe,
		.result = PORT_NOT_TRIED, .error = "its service does not run" };
	struct buffer target = { 0 }, trouble = { 0 };

	buffer_printf(&target, "%s ", kinds[kind].option);
	config_listener_print(listener, &target);
	report.target = buffer_string(&target);
	if (is_running)
		knock_at(kind, listener, timeout_s, &report, &trouble);
	told(&report, context);
	buffer_free(&target);
	buffer_free(&trouble);
}

void
ports_try(const struct config *config, const char *cas, const char *mailbox, unsigned timeout_s, port_told *told, void *context)
{
	const char *const states[] = { [AT_MAILBOX] = mailbox, [AT_CAS] = cas, [AT_PROCESS] = "running" };

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct config_listeners *listeners = (const void *)((const char *)config + kinds[i].listeners);
		const char *state = states[kinds[i].who];

		for (size_t j = 0; state[0] != '\0' && j < listeners->count; j++)
			if (listeners->at[j].path != NULL || listeners->at[j].port != 0)	/* 0: which one, only the system knows */
				try_port(i, &listeners->at[j], strcmp(state, "running") == 0, timeout_s, told, context);
	}
}
