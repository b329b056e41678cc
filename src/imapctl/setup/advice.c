/*
 * What is left for the operator: the commands that come next, and what the zone of the domain needs.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "../host/program.h"
#include "step.h"

struct advice {
	struct setup *setup;
	struct buffer lines, items;	/* for people, and a list in JSON */
};

static void add(struct advice *advice, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct advice *advice, const char *format, ...)
{
	char text[1200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	buffer_printf(&advice->lines, "    %s\n", text);
	buffer_add_string(&advice->items, advice->items.length > 0 ? "," : "");
	json_add_string(&advice->items, span_from_string(text));
}

/* Print what has come together, under a heading; or add it to the JSON object. */
static void
give(struct advice *advice, const char *heading, const char *member)
{
	struct buffer *json = advice->setup->order->json;

	if (json != NULL)
		buffer_printf(json, ",\"%s\":[%.*s]", member, SPAN_ARGS(buffer_span(&advice->items)));
	else if (advice->lines.length > 0)
		printf("\n%s\n\n%.*s", heading, SPAN_ARGS(buffer_span(&advice->lines)));
	buffer_free(&advice->lines);
	buffer_free(&advice->items);
}

static const char *
role_of(const struct setup *setup)
{
	return setup->has_cas && setup->has_mailbox ? "both" : setup->has_cas ? "cas" : "mailbox";
}

/* This program as it can be typed: its name, where that finds it. */
static const char *
program(struct setup *setup, const char *name)
{
	char *found = program_find(name), path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	const char *word = name;

	if (found == NULL && length > 0) {
		while (length > 0 && path[length - 1] != '/')
			length--;
		word = setup_text(setup, "%.*s%s", (int)length, path, name);
	}
	free(found);
	return word;
}

static void
add_start(struct advice *advice)
{
	struct setup *setup = advice->setup;
	const char *role = role_of(setup);
	bool is_both = strcmp(role, "both") == 0;

	if (setup->is_default_path && access("/run/systemd/system", F_OK) == 0)
		add(advice, "systemctl enable --now imapd%s%s", is_both ? "" : "-", is_both ? "" : role);
	else
		add(advice, "%s%s%s &", program(setup, "imapd"), setup->is_default_path ? "" : " --config=",
		    setup->is_default_path ? "" : setup->path);
}

static void
add_imapctl(struct advice *advice, const char *words)
{
	struct setup *setup = advice->setup;

	add(advice, "%s %s%s%s%s", program(setup, "imapctl"), setup->is_default_path ? "" : "--config=",
	    setup->is_default_path ? "" : setup->path, setup->is_default_path ? "" : " ", words);
}

/* From this host it works whatever the zone says, and the certificate is checked. */
static void
add_login(struct advice *advice)
{
	const struct setup *setup = advice->setup;
	bool is_own = setup->given_certificate == NULL;

	add(advice, "curl --user %s %s%s%s--connect-to ::localhost: imaps://%s%s/", setup->user != NULL ? setup->user : "NAME",
	    is_own ? "--cacert " : "", is_own ? setup->certificate : "", is_own ? " " : "", setup->hostname,
	    setup->is_root ? "" : ":1993");
}

static void
add_commands(struct advice *advice)
{
	const struct setup *setup = advice->setup;

	add_start(advice);
	if (setup->has_mailbox && setup->user == NULL)
		add_imapctl(advice, "user add NAME");
	if (setup->has_cas)
		add_login(advice);
	else
		add(advice, "scp %s CAS-HOST:%s", setup->link_key, setup->link_key);
	add_imapctl(advice, "status");
}

/* RFC 6186 section 3.4, RFC 8314 section 5.1: TLS from the first octet is preferred. */
static void
add_zone(struct advice *advice)
{
	const struct setup *setup = advice->setup;
	const char *domain = setup->domain;

	if (!setup->has_cas)
		return;
	add(advice, "_imaps._tcp.%s. IN SRV 0 1 %s %s.", domain, setup->is_root ? "993" : "1993", setup->hostname);
	add(advice, "_imap._tcp.%s. IN SRV 10 1 %s %s.", domain, setup->is_root ? "143" : "1143", setup->hostname);
}

void
setup_advise(struct setup *setup)
{
	struct advice commands = { .setup = setup }, zone = { .setup = setup };

	add_commands(&commands);
	give(&commands, setup->is_dry ? "Then you would go on with" : "Go on with", "command");
	add_zone(&zone);
	give(&zone, "In the zone of the domain, beside the address of this host, programs look for", "dns");
}
