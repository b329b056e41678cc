/*
 * Whether clients who are who they say cannot log in all the same: what an operator must know, who may have no
 * client at hand.  Loop thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client.h"

void
outage_note(struct cas_outage *outage, const char *reason)
{
	if (outage->logins++ == 0)
		outage->since_s = clock_calendar_s();
	snprintf(outage->reason, sizeof outage->reason, "%s", reason);
}

void
outage_note_directory(struct cas *cas, const char *reason)
{
	outage_note(&cas->status.outages[CAS_OUTAGE_DIRECTORY], reason);
}

/* A service that is stopped and a mailbox server that is down are told by those who know them. */
static bool
is_told_elsewhere(const struct cas *cas, struct span server)
{
	struct link_server_state state;

	for (size_t i = 0; link_server_state(cas->parts.link, i, &state); i++) {
		if (span_equals(server, span_from_string(state.name)))
			return state.state == LINK_SERVER_DOWN;
	}
	return server.length == 0;
}

void
outage_note_server(struct cas *cas, struct span home, const char *reason)
{
	if (!is_told_elsewhere(cas, link_server_of(cas->parts.link, home)))
		outage_note(&cas->status.outages[CAS_OUTAGE_MAILBOX_SERVER], reason);
}

void
outage_end(struct cas *cas, enum cas_outage_cause cause)
{
	cas->status.outages[cause] = (struct cas_outage){ 0 };
}
