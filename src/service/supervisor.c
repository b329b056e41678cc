/*
 * What systemd is told of the process: ready, reloading, stopping, how the services are, and that the loop
 * still turns.  Loop thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "internal.h"
#include "net/notify.h"

#define STATUS_MS 5000

/* How many mailbox servers on other hosts are up, if there are any. */
static void
add_servers(const struct link *link, char *text, size_t size)
{
	struct link_server_state server;
	unsigned count = 0, up = 0;
	size_t used = strlen(text);

	for (; link_server_state(link, count, &server); count++)
		up += server.state == LINK_SERVER_UP;
	if (count > 0)
		snprintf(text + used, size - used, ", %u of %u mailbox servers up", up, count);
}

static void
add_role(const struct role *role, char *text, size_t size)
{
	size_t used = strlen(text);
	struct role_figures figures;

	if (!role->is_played)
		return;
	if (role->state != ROLE_RUNNING || role->kind->bit != CONFIG_ROLE_CAS) {
		snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "", role->kind->name,
		    role_state_name(role->state));
		return;
	}
	role->kind->count(role->service, &figures);
	snprintf(text + used, size - used, "%s%s: %llu sessions", used > 0 ? ", " : "", role->kind->name,
	    (unsigned long long)figures.sessions);
	add_servers(role->service->link, text, size);
}

void
supervisor_tell_status(struct service *service)
{
	char text[sizeof service->status] = "", lines[sizeof text + 16];

	if (!notify_is_wanted())
		return;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		add_role(&service->roles[i], text, sizeof text);
	if (strcmp(text, service->status) == 0)
		return;
	strcpy(service->status, text);
	snprintf(lines, sizeof lines, "STATUS=%s", text);
	notify_send(lines);
}

static uint64_t
interval_ms(void)
{
	uint64_t half_ms = notify_watchdog_us() / 2000;

	if (half_ms == 0 || half_ms > STATUS_MS)
		return STATUS_MS;
	return half_ms;
}

static void
on_tick(void *context)
{
	struct service *service = context;

	if (notify_watchdog_us() > 0)
		notify_send("WATCHDOG=1");
	supervisor_tell_status(service);
	timer_start_ms(&service->tick, interval_ms());
}

void
supervisor_begin(struct service *service)
{
	if (!notify_is_wanted())
		return;
	timer_init(&service->tick, service->loop, on_tick, service);
	notify_send("READY=1");
	on_tick(service);
}

void
supervisor_tell_reload(bool is_begun)
{
	char lines[64];

	if (!is_begun) {
		notify_send("READY=1");
		return;
	}
	/* Newer systemd, with Type=notify-reload, wants to know that this reload is its own. */
	snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_monotonic_us());
	notify_send(lines);
}

void
supervisor_end(struct service *service)
{
	notify_send("STOPPING=1");
	supervisor_tell_status(service);
}
