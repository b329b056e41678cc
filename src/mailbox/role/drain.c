/*
 * Sending every session away between two of its commands, spread over a time so that clients do not all
 * come back at the same moment.  Loop thread.
 */
#include "../session/session.h"
#include "life.h"

#define TICK_MS 100
#define GRACE_MS 5000	/* for commands that still run at the end */

/* Ask the first so many; those whose command goes on leave by themselves behind it. */
static void
ask(struct mailbox_role *role, uint64_t count)
{
	while (count-- > 0 && !list_is_empty(&role->sessions)) {
		struct session *session = LIST_ENTRY(role->sessions.next, struct session, link);

		session_join(session);
		session_leave(session, METRIC_SERVER_STOPS, "UNAVAILABLE", "the server is stopping");
	}
}

void
role_drain_on_due(void *context)
{
	struct mailbox_role *role = context;
	uint64_t now_us = loop_now_us(role->parts.loop);
	uint64_t left_ms;

	if (now_us >= role->drain_end_us + GRACE_MS * 1000) {
		role_bye_all(role);
		return;
	}
	if (now_us >= role->drain_end_us) {
		ask(role, role->sessions_count);
		timer_start_ms(&role->drain, GRACE_MS);
		return;
	}
	left_ms = (role->drain_end_us - now_us) / 1000 + 1;
	role->drain_share += role->sessions_count * TICK_MS;	/* less than one is left for the next tick */
	ask(role, role->drain_share / left_ms);
	role->drain_share %= left_ms;
	timer_start_ms(&role->drain, left_ms < TICK_MS ? left_ms : TICK_MS);
}

void
mailbox_role_drain(struct mailbox_role *role, uint64_t over_ms, mailbox_stopped *on_stopped, void *context)
{
	role->on_stopped = on_stopped;
	role->stopped_context = context;
	role->drain_end_us = loop_now_us(role->parts.loop) + over_ms * 1000;
	role_drain_on_due(role);
	if (!role->is_stopping)
		role_close(role);
}
