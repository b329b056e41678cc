/*
 * Sending everybody away without cutting a command.  The cas does not look into what it relays, so it
 * half-closes the link of one client after the other; the mailbox role does the rest (pipe.c).  Nobody
 * learns of it at the same moment, so they do not all come back at the same moment.  Loop thread.
 */
#include "client.h"

#define TICK_MS 100

/* Still sending: perhaps in the middle of a message. */
static bool
is_uploading(struct cas_client *client)
{
	uint64_t octets = stream_octets_in(client->stream);
	bool is_more = octets != client->seen_octets;

	client->seen_octets = octets;
	return is_more;
}

/* Ask the first so many; who stays waits for the next round at the end of the list. */
static void
ask(struct cas *cas, uint64_t count, bool is_last_call)
{
	while (count-- > 0 && !list_is_empty(&cas->users)) {
		struct cas_client *client = LIST_ENTRY(cas->users.next, struct cas_client, link);

		client_join(client, &cas->users);
		if (is_last_call || !is_uploading(client))
			pipe_leave(client, METRIC_SERVER_STOPS, "UNAVAILABLE", "Server stops");
	}
}

void
cas_drain_on_due(void *context)
{
	struct cas *cas = context;
	uint64_t now_us = loop_now_us(cas->parts.loop);
	uint64_t users = cas->status.sessions, left_ms;

	if (now_us >= cas->drain_end_us) {
		ask(cas, users, true);
		timer_start_ms(&cas->grace, STOP_GRACE_MS);
		return;
	}
	left_ms = (cas->drain_end_us - now_us) / 1000 + 1;
	cas->drain_share += users * TICK_MS;	/* what is less than one is left for the next tick */
	ask(cas, cas->drain_share / left_ms, false);
	cas->drain_share %= left_ms;
	timer_start_ms(&cas->drain, left_ms < TICK_MS ? left_ms : TICK_MS);
}

void
cas_drain(struct cas *cas, uint64_t over_ms, cas_stopped *on_stopped, void *context)
{
	cas->on_stopped = on_stopped;
	cas->stopped_context = context;
	cas->drain_end_us = loop_now_us(cas->parts.loop) + over_ms * 1000;
	if (!cas->is_stopping) {
		cas_close(cas);
		LIST_FOREACH(&cas->users, link)
			is_uploading(LIST_ENTRY(link, struct cas_client, link));
	}
	cas_drain_on_due(cas);
}
