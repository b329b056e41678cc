/*
 * The verb health: one answer, in the words of Exchange's Managed Availability.  What the server says of itself comes by
 * the verb status; the probes come as clients do.
 *
 *	health set	probes and monitors
 *	IMAP		ImapCTPProbe: greeting and CAPABILITY of each port; the certificates; logins that fail without fault
 *	IMAP.Proxy	ImapProxyTestProbe: each mailbox server on another host
 *	IMAP.Protocol	ImapSelfTestProbe: the mailbox service; ImapDeepTestProbe: log in, append, fetch, delete
 *	Store		room on the disk, files of users
 *	MailboxTransport	LmtpProbe: each port that takes mail
 *	Autodiscover, ECP, Monitoring	each port for programs that set themselves up, for the operator's page and for metrics
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/record.h"
#include "../remote/trial.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "control/words.h"
#include "findings.h"
#include "ports.h"
#include "store/store.h"
#include "verbs.h"

#define NOT_RUNNING    3			/* as systemctl status, and our verb status */
#define DAYS_FEW       14			/* until a certificate expires */
#define PROBE_S	       20			/* how long a server may be silent */
#define HEALTH_MAILBOX "healthmailbox-"	/* and digits: a user for as long as the probe takes; directory/sqlite.c knows it */

enum state { HEALTHY, DISABLED, DEGRADED, UNHEALTHY };	/* from good to bad */

static const char *const state_names[] = { "Healthy", "Disabled", "Degraded", "Unhealthy" };

enum set { SET_IMAP, SET_PROXY, SET_PROTOCOL, SET_STORE, SET_TRANSPORT, SET_AUTODISCOVER, SET_ECP, SET_MONITORING, SET_COUNT };

static const char *const set_names[SET_COUNT] = { "IMAP", "IMAP.Proxy", "IMAP.Protocol", "Store", "MailboxTransport", "Autodiscover",
	"ECP", "Monitoring" };

struct rtt {
	struct rtt *next;
	const char *labels;		/* "backend=mbx1" */
	uint64_t us;
};

struct health {
	const struct order *order;
	struct ctl *ctl;
	struct arena *arena;
	struct findings probes, components;
	enum state sets[SET_COUNT];
	bool is_asked[SET_COUNT];	/* there is such a thing here */
	char cas[32], mailbox[32];	/* states of the services; empty: not played here */
	struct span *listeners;		/* "imaps 127.0.0.1:993" */
	size_t listener_count;
	uint64_t free_octets;		/* UINT64_MAX: not known */
	struct rtt *rtts;		/* of the last answers of mailbox servers */
	char trouble[400];		/* of a trial */
	uint64_t us;
};

static void
add(struct health *health, enum set set, const char *name, const char *target, enum state state, uint64_t us,
    const char *error)
{
	struct buffer line = { 0 };

	health->is_asked[set] = true;
	if (state > health->sets[set] && state != DISABLED)
		health->sets[set] = state;
	control_add_word(&line, SPAN("probe"));
	control_add_field(&line, "health-set", span_from_string(set_names[set]));
	control_add_field(&line, "name", span_from_string(name));
	control_add_field(&line, "target", span_from_string(target));
	control_add_field(&line, "state", span_from_string(state_names[state]));
	control_add_number(&line, "ms", (int64_t)((us + 999) / 1000));
	control_add_field(&line, "error", span_from_string(error));
	findings_add(&health->probes, &line);
	buffer_free(&line);
}

static const char *
field(struct health *health, struct span line, const char *kind, const char *key)
{
	struct span value;

	return record_field(line, health->arena, kind, key, &value) ? arena_copy_string(health->arena, value) : NULL;
}

static uint64_t
number(const char *text)
{
	uint64_t value = 0;

	return text != NULL && span_to_number(span_from_string(text), INT64_MAX, &value) ? value : 0;
}

/* Get-ServerComponentState's words. */
static void
add_component(struct health *health, const char *name, const char *state)
{
	struct buffer line = { 0 };
	const char *word = strcmp(state, "running") == 0 ? "Active" : strcmp(state, "draining") == 0 ? "Draining" : "Inactive";

	control_add_word(&line, SPAN("component"));
	control_add_field(&line, "name", span_from_string(name));
	control_add_field(&line, "state", span_from_string(word));
	findings_add(&health->components, &line);
	buffer_free(&line);
}

static void
take_role(struct health *health, struct span line)
{
	const char *name = field(health, line, "role", "name"), *state = field(health, line, "role", "state");
	bool is_cas = name != NULL && strcmp(name, "cas") == 0;

	if (name == NULL)
		return;
	snprintf(is_cas ? health->cas : health->mailbox, sizeof health->cas, "%s", state);
	add_component(health, is_cas ? "ImapProxy" : "ImapBackEnd", state);
	add(health, is_cas ? SET_IMAP : SET_PROTOCOL, is_cas ? "ImapServiceMonitor" : "ImapSelfTestProbe", name,
	    strcmp(state, "running") == 0 ? HEALTHY : UNHEALTHY, 0, strcmp(state, "running") == 0 ? "" : state);
}

static void
take_listener(struct health *health, struct span line)
{
	const char *role = field(health, line, "listener", "role");

	if (role == NULL || strcmp(role, "cas") != 0)
		return;
	health->listeners = memory_resize(health->listeners, health->listener_count + 1, sizeof health->listeners[0]);
	health->listeners[health->listener_count++] = span_from_string(field(health, line, "listener", "address"));
}

static void
take_certificate(struct health *health, struct span line)
{
	const char *name = field(health, line, "certificate", "name"), *trouble = field(health, line, "certificate", "trouble");
	const char *days = field(health, line, "certificate", "days");
	bool is_over = days != NULL && days[0] == '-', is_short = number(days) < DAYS_FEW;
	char text[64];

	if (name == NULL)
		return;
	snprintf(text, sizeof text, "expires in %s days", days);
	add(health, SET_IMAP, "CertificateMonitor", name, is_over ? UNHEALTHY : is_short || trouble[0] != '\0' ? DEGRADED : HEALTHY,
	    0, trouble[0] != '\0' ? trouble : is_short ? text : "");
}

/* How long it took for its last answer; 0: not known. */
static uint64_t
rtt_of(const struct health *health, const char *server)
{
	const struct rtt *rtt = health->rtts;

	while (rtt != NULL && (strncmp(rtt->labels, "backend=", 8) != 0 || strcmp(rtt->labels + 8, server) != 0))
		rtt = rtt->next;
	return rtt == NULL ? 0 : rtt->us;
}

static void
take_server(struct health *health, struct span line)
{
	const char *name = field(health, line, "mailbox-server", "name"), *state = field(health, line, "mailbox-server", "state");
	bool is_up = name != NULL && strcmp(state, "up") == 0;

	if (name != NULL)
		add(health, SET_PROXY, "ImapProxyTestProbe", name, is_up ? HEALTHY : UNHEALTHY, is_up ? rtt_of(health, name) : 0,
		    is_up ? "" : field(health, line, "mailbox-server", "reason"));
}

/* What hurts one user leaves the others well. */
static void
take_problem(struct health *health, struct span line)
{
	const char *kind = field(health, line, "problem", "kind"), *service = field(health, line, "problem", "service");
	const char *user = field(health, line, "problem", "user"), *text = field(health, line, "problem", "text");

	if (kind == NULL || strcmp(kind, "certificate") == 0)
		return;
	add(health, strcmp(service, "cas") == 0 ? SET_IMAP : SET_STORE, "ProblemMonitor", user[0] != '\0' ? user : kind,
	    user[0] != '\0' || strcmp(kind, "crash") == 0 ? DEGRADED : UNHEALTHY, 0, text[0] != '\0' ? text : kind);
}

static void
take_status(struct health *health, const struct answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		take_role(health, answer->lines[i]);
		take_listener(health, answer->lines[i]);
		take_certificate(health, answer->lines[i]);
		take_server(health, answer->lines[i]);
		take_problem(health, answer->lines[i]);
	}
}

static void
take_series(struct health *health, struct span line)
{
	const char *name = field(health, line, "series", "name");
	struct rtt *rtt;

	if (name == NULL)
		return;
	if (strcmp(name, "imapd_storage_free_bytes") == 0)
		health->free_octets = number(field(health, line, "series", "value"));
	if (strcmp(name, "imapd_backend_rtt_seconds") != 0)
		return;
	rtt = ARENA_NEW(health->arena, struct rtt);
	*rtt = (struct rtt){ health->rtts, field(health, line, "series", "labels"), number(field(health, line, "series", "value-us")) };
	health->rtts = rtt;
}

static void
take_stats(struct health *health, const struct answer *answer)
{
	health->free_octets = UINT64_MAX;
	for (size_t i = 0; i < answer->line_count; i++)
		take_series(health, answer->lines[i]);
}

/* The reserve is what imapd-metrics(7) says of /readyz; below ten times as much somebody should look. */
static void
look_at_disk(struct health *health)
{
	uint64_t free_octets = health->free_octets, reserve = STORE_KEPT_FREE_OCTETS;
	char text[64];

	if (health->mailbox[0] == '\0' || free_octets == UINT64_MAX)
		return;
	snprintf(text, sizeof text, "%llu MiB are free", (unsigned long long)(free_octets >> 20));
	add(health, SET_STORE, "DiskSpaceMonitor", "data-directory",
	    free_octets < reserve ? UNHEALTHY : free_octets < 10 * reserve ? DEGRADED : HEALTHY, 0,
	    free_octets < 10 * reserve ? text : "");
}

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

static void
probe_listener(struct health *health, struct span listener)
{
	char *target = arena_copy_string(health->arena, listener);
	struct url url;

	if (!url_of(listener, NULL, &url)) {
		add(health, SET_IMAP, "ImapCTPProbe", target, DISABLED, 0, "takes connections of a balancer alone");
		return;
	}
	add(health, SET_IMAP, "ImapCTPProbe", target,
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
			add(health, SET_IMAP, "ImapCTPProbe", buffer_string(&target), UNHEALTHY, 0,
			    "the configuration has it, and the server does not listen there");
	}
	buffer_free(&target);
}

static void
on_port(const struct port_report *report, void *context)
{
	static const enum state states[] = { [PORT_ANSWERS] = HEALTHY, [PORT_IS_SILENT] = UNHEALTHY, [PORT_NOT_TRIED] = DISABLED };
	enum set set = SET_IMAP;

	while (strcmp(set_names[set], report->health_set) != 0)
		set++;
	add(context, set, report->probe, report->target, states[report->result], report->us, report->error);
}

static void
probe_configured(struct health *health)
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
		const char *name = field(health, answer->lines[i], "user", "name");

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
		add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", DISABLED, 0, "no port takes logins from this host");
		return;
	}
	add(health, SET_PROTOCOL, "ImapDeepTestProbe", url.host,
	    try(health, &url, password, TRIAL_ALL) == EX_OK ? HEALTHY : UNHEALTHY, health->us, health->trouble);
	url_free(&url);
}

/* A user for this alone, with a password that nobody else knows, who is gone afterwards with all mail. */
static void
probe_deeply(struct health *health)
{
	char user[64] = HEALTH_MAILBOX, password[33];
	const struct answer *answer;
	struct span word;

	if (strcmp(health->cas, "running") != 0 || strcmp(health->mailbox, "running") != 0) {
		add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", DISABLED, 0,
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
		add(health, SET_PROTOCOL, "ImapDeepTestProbe", "", is_ours ? UNHEALTHY : DISABLED, 0, health->trouble);
		return;
	}
	log_in_as(health, user, span_from_string(password));
	remove_user(health, word);
}

static void
tell_sets(struct health *health, struct findings *all)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < SET_COUNT; i++) {
		if (!health->is_asked[i])
			continue;
		control_add_word(&line, SPAN("health-set"));
		control_add_field(&line, "name", span_from_string(set_names[i]));
		control_add_field(&line, "state", span_from_string(state_names[health->sets[i]]));
		findings_add(all, &line);
	}
	buffer_free(&line);
}

static void
tell_lines(const struct findings *from, struct findings *all)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < from->answer.line_count; i++) {
		buffer_add_span(&line, from->answer.lines[i]);
		findings_add(all, &line);
	}
	buffer_free(&line);
}

static int
tell(struct health *health)
{
	struct findings all = { .arena = NULL };
	int code = EX_OK;

	tell_sets(health, &all);
	tell_lines(&health->components, &all);
	tell_lines(&health->probes, &all);
	records_print(health->order, &all.answer);
	for (size_t i = 0; i < SET_COUNT; i++)
		if (health->sets[i] == UNHEALTHY)
			code = 1;
	findings_free(&all);
	return code;
}

static int
examine(struct health *health)
{
	const struct answer *answer;

	take_stats(health, ctl_call(health->ctl, "stats", NULL, 0, (struct span){ NULL, 0 }));
	answer = ctl_call(health->ctl, "status", NULL, 0, (struct span){ NULL, 0 });
	if (answer->code != EX_OK)
		return ctl_report(answer);
	take_status(health, answer);
	look_at_disk(health);
	for (size_t i = 0; i < health->listener_count; i++)
		probe_listener(health, health->listeners[i]);
	probe_configured(health);
	if (!order_has(health->order, OPTION_LIGHT))
		probe_deeply(health);
	return tell(health);
}

int
run_health(const struct order *order)
{
	struct health health = { .order = order };
	int code;

	if ((health.ctl = ctl_open(order, &code)) == NULL)
		return code == EX_UNAVAILABLE ? NOT_RUNNING : code;
	health.arena = arena_new();
	code = examine(&health);
	ctl_close(&health.ctl);
	arena_free(&health.arena);
	findings_free(&health.probes);
	findings_free(&health.components);
	free(health.listeners);
	return code;
}
