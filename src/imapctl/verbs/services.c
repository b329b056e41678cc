/*
 * The verbs that start, stop, drain and restart a service, also by the names that Exchange Server has for
 * the two.
 */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "verbs.h"

static const struct {
	const char *typed, *service, *title;
} exchange_names[] = {
	{ "imap4", "cas", "MSExchangeIMAP4" },
	{ "MSExchangeIMAP4", "cas", "MSExchangeIMAP4" },
	{ "imap4be", "mailbox", "MSExchangeIMAP4BE" },
	{ "MSExchangeIMAP4BE", "mailbox", "MSExchangeIMAP4BE" },
};

bool
service_is_known(struct span word)
{
	return span_equals(word, SPAN("cas")) || span_equals(word, SPAN("mailbox")) ||
	    span_equals(word, SPAN("all"));
}

/* How the services named are now. */
static void
tell_services(const struct order *order, struct ctl *ctl, struct span name)
{
	const struct answer *answer = ctl_call(ctl, "services", NULL, 0, (struct span){ NULL, 0 });
	struct arena *arena = arena_new();
	struct answer named = { .lines = memory_new_array(answer->line_count, sizeof(struct span)) };
	struct span value;

	for (size_t i = 0; i < answer->line_count; i++) {
		if (span_equals(name, SPAN("all")) ||
		    (record_field(answer->lines[i], arena, "service", "name", &value) && span_equals(value, name)))
			named.lines[named.line_count++] = answer->lines[i];
	}
	records_print(order, &named);
	free(named.lines);
	arena_free(&arena);
}

/* Ask and wait until it is so. */
static int
change(const struct order *order, const char *verb, const char *service)
{
	struct span word = span_from_string(service);
	struct ctl *ctl;
	int code;

	if (!service_is_known(word)) {
		complain("no such service: %s; there are cas, mailbox, and all for both", service);
		return EX_USAGE;
	}
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = ctl_report(ctl_call(ctl, verb, &word, 1, (struct span){ NULL, 0 }));
	if (order->json != NULL)
		tell_services(order, ctl, word);
	ctl_close(&ctl);
	return code;
}

/* As change(), and say that it is so. */
static int
change_and_say(const struct order *order, const char *verb, const char *state)
{
	const char *service = order->words[0];
	int code = change(order, verb, service);

	if (code == EX_OK && strcmp(service, "all") == 0)
		order_say(order, "all services are %s", state);
	else if (code == EX_OK)
		order_say(order, "%s is %s", service, state);
	return code;
}

int
run_start(const struct order *order)
{
	return change_and_say(order, "start", "running");
}

int
run_stop(const struct order *order)
{
	return change_and_say(order, "stop", "stopped");
}

int
run_drain(const struct order *order)
{
	return change_and_say(order, "drain", "stopped");
}

int
run_restart(const struct order *order)
{
	return change_and_say(order, "restart", "running");
}

/* What `net` of Windows does and says. */
static int
net(const struct order *order, const char *verb, const char *done)
{
	struct span typed = span_from_string(order->words[0]);

	for (size_t i = 0; i < COUNT_OF(exchange_names); i++) {
		int code;

		if (!span_equals_nocase(typed, span_from_string(exchange_names[i].typed)))
			continue;
		code = change(order, verb, exchange_names[i].service);
		if (code == EX_OK)
			order_say(order, "The %s service (%s) was %s successfully.", exchange_names[i].title,
			    exchange_names[i].service, done);
		return code;
	}
	complain("The service name is invalid: %s; there are imap4 (MSExchangeIMAP4) and "
		 "imap4be (MSExchangeIMAP4BE)", order->words[0]);
	return EX_USAGE;
}

int
run_net_start(const struct order *order)
{
	return net(order, "start", "started");
}

int
run_net_stop(const struct order *order)
{
	return net(order, "stop", "stopped");
}

/* A terminal that can be drawn on, at both ends. */
static bool
is_drawable(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
}

int
run_services(const struct order *order)
{
	struct ctl *ctl;
	int code;

	if (order->json != NULL || !is_drawable())
		return ctl_print(order, "services", NULL, 0);
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = console_run(ctl);
	ctl_close(&ctl);
	return code;
}
