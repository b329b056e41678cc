/*
 * Probes of health, which come as clients do.
 */
#include "health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../remote/trial.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "ports.h"

#define PROBE_S	       20			/* how long a server may be silent */
#define HEALTH_MAILBOX "healthmailbox-"	/* and digits: a user for as long as the probe takes; directory/sqlite_change.c knows it */

static void
on_step(const char *scenario, int code, uint64_t us, const char *error, void *context)
{
	struct health *health = context;

	health->us += us;
	if (code != EX_OK)
		snprintf(health->trouble, sizeof health->trouble, "%s: %s", scenario, error);
}

/* A port that listens at all addresses is tried at the loopback. */
static bool
url_of(struct span listener, const char *user, struct url *url_out)
{
	bool is_tls = span_starts_with(listener, SPAN("imaps "));
	struct span address = span_from(listener, is_tls ? 6 : 5);
	struct buffer text = { 0 };
	const char *wrong;

	if (address.length == 0 || address.at[0] == '/' || span_find(address, ' ') < address.length)
		return false;			/* no TCP port, or one that wants a PROXY header */
	buffer_add_string(&text, is_tls ? "imaps://" : "imap://");
	if (user != NULL)
		buffer_printf(&text, "%s@", user);
	if (span_starts_with(address, SPAN("[::]:")) || span_starts_with(address, SPAN("0.0.0.0:")))
		buffer_printf(&text, "localhost:%.*s", SPAN_ARGS(span_from(address, address.at[0] == '[' ? 5 : 8)));
	else
		buffer_add_span(&text, address);
	wrong = url_parse(buffer_string(&text), url_out);
	buffer_free(&text);
	return wrong == NULL;
}

/* The name in a certificate is not that of this host's loopback; what is wrong with it has a monitor. */
static int
try(struct health *health, const struct url *url, struct span password, enum trial_depth depth)
{
	const struct login_settings settings = { .url = url, .is_insecure = true, .timeout_s = PROBE_S, .secret = password };

	health->us = 0;
	health->trouble[0] = '\0';
	return trial_run(&settings, depth, on_step, health);
}

void
health_probe_listener(struct health *health, struct span listener)
{
	char *target = arena_copy_string(health->arena, listener);
	struct url url;

	if (!url_of(listener, NULL, &url)) {
		health_add(health, SET_IMAP, "ImapCTPProbe", target, DISABLED, 0, "takes connections of a balancer alone");
		return;
	}
	health_add(health, SET_IMAP, "ImapCTPProbe", target,
	    try(health, &url, SPAN(""), TRIAL_GREETING) == EX_OK ? HEALTHY : UNHEALTHY, health->us, health->trouble);
	url_free(&url);
}

/* Whether the server says that it listens there. */
static bool
is_told(const struct health *health, struct span target)
{
	for (size_t i = 0; i < health->listener_count; i++) {
		struct span told = health->listeners[i];

		if (span_starts_with(told, target) && (told.length == target.length || told.at[target.length] == ' '))
			return true;
	}
	return false;
}

/* Ports for IMAP are tried where the server says that they are; here are those of which it does not know. */
static void
find_missing(struct health *health, const struct config_listeners *listeners)
{
	struct buffer target = { 0 };

	for (size_t i = 0; strcmp(health->cas, "running") == 0 && i < listeners->count; i++) {
		const struct config_listener *listener = &listeners->at[i];

		buffer_clear(&target);
		buffer_add_string(&target, listener->is_tls ? "imaps " : "imap ");
		config_listener_print(listener, &target);
		if ((listener->path != NULL || listener->port != 0) && !is_told(health, buffer_span(&target)))
			health_add(health, SET_IMAP, "ImapCTPProbe", buffer_string(&target), UNHEALTHY, 0,
			    "the configuration has it, and the server does not listen there");
	}
	buffer_free(&target);
}

static void
on_port(const struct port_report *report, void *context)
{
	static const enum health_state states[] = { [PORT_ANSWERS] = HEALTHY, [PORT_IS_SILENT] = UNHEALTHY, [PORT_NOT_TRIED] = DISABLED };
	enum health_set set = SET_IMAP;

	while (strcmp(health_set_names[set], report->health_set) != 0)
		set++;
	health_add(context, set, report->probe, report->target, states[report->result], report->us, report->error);
}

void
health_probe_configured(struct health *health)
{
	struct config *config = order_find_server(health->order);

	if (config == NULL)
		return;
	find_missing(health, &config->listen);
	ports_try(config, health->cas, health->mailbox, PROBE_S, on_port, health);
	config_free(&config);
}

static int
ask(struct health *health, const char *verb, struct span word, struct span more, struct span body)
{
	const struct span words[] = { word, more };

	return ctl_call(health->ctl, verb, words, more.length > 0 ? 2 : 1, body)->code;
}

static void
remove_user(struct health *health, struct span name)
{
	ask(health, "user del", name, SPAN("purge"), (struct span){ NULL, 0 });
}

/* Of probes that were killed. */
static void
remove_leftovers(struct health *health)
{
	const struct answer *answer = ctl_call(health->ctl, "user list", NULL, 0, (struct span){ NULL, 0 });
	size_t count = 0;
	struct span *names = memory_new_array(answer->line_count + 1, sizeof *names);

	for (size_t i = 0; i < answer->line_count; i++) {
		const char *name = health_field(health, answer->lines[i], "user", "name");

		if (name != NULL && strncmp(name, HEALTH_MAILBOX, strlen(HEALTH_MAILBOX)) == 0)
			names[count++] = span_from_string(name);
	}
	for (size_t i = 0; i < count; i++)
		remove_user(health, names[i]);
	free(names);
}

/* The first port at which somebody can log in: with TLS. */
static bool
find_port(struct health *health, const char *user, struct url *url_out)
{
	for (size_t i = 0; i < health->listener_count; i++) {
		if (span_starts_with(health->listeners[i], SPAN("imaps ")) && url_of(health->listeners[i], user, url_out))
			return true;
	}
	for (size_t i = 0; i < health->listener_count; i++) {
		if (url_of(health->listeners[i], user, url_out))
			return true;
	}
	return false;
}

static void
log_in_as(struct health *health, const char *user, struct span password)
{
	struct url url;

	if (!find_port(health, user, &url)) {
		health_add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", DISABLED, 0, "no port takes logins from this host");
		return;
	}
	health_add(health, SET_PROTOCOL, "ImapDeepTestProbe", url.host,
	    try(health, &url, password, TRIAL_ALL) == EX_OK ? HEALTHY : UNHEALTHY, health->us, health->trouble);
	url_free(&url);
}

/* A user for this alone, with a password that nobody else knows, who is gone afterwards with all mail. */
void
health_probe_deeply(struct health *health)
{
	char user[64] = HEALTH_MAILBOX, password[33];
	const struct answer *answer;
	struct span word;

	if (strcmp(health->cas, "running") != 0 || strcmp(health->mailbox, "running") != 0) {
		health_add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", DISABLED, 0,
		    "takes both services in one process; elsewhere there is test-connectivity");
		return;
	}
	random_hex(user + strlen(user), 16);
	random_hex(password, 32);
	remove_leftovers(health);
	word = span_from_string(user);
	answer = ctl_call(health->ctl, "user add", &word, 1, span_from_string(password));
	if (answer->code != EX_OK) {
		bool is_ours = answer->code == EX_TEMPFAIL || answer->code == EX_IOERR;

		snprintf(health->trouble, sizeof health->trouble, "%.*s", SPAN_ARGS(answer->text));
		health_add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", is_ours ? UNHEALTHY : DISABLED, 0, health->trouble);
		return;
	}
	log_in_as(health, user, span_from_string(password));
	remove_user(health, word);
}
