/*
 * How the role ends: nobody comes in any more, strangers leave at once, users when their last replies have gone
 * through the pipes.  Loop thread.
 */
#include "client.h"
#include "moves.h"

void
cas_on_grace_over(void *context)
{
	struct cas *cas = context;

	LIST_FOREACH(&cas->users, link)
		client_close(LIST_ENTRY(link, struct cas_client, link), METRIC_SERVER_STOPS, "server stops");
}

void
cas_on_gone(void *context)
{
	struct cas *cas = context;

	timer_stop(&cas->grace);
	timer_stop(&cas->drain);
	cas->on_stopped(cas->stopped_context);
}

void
cas_close(struct cas *cas)
{
	cas->is_stopping = true;
	ports_close(cas);
	moves_close(cas);
	LIST_FOREACH(&cas->strangers, link)
		client_bye(LIST_ENTRY(link, struct cas_client, link), METRIC_SERVER_STOPS, NULL, "Server stops");
	cas_check_gone(cas);
}

void
cas_stop(struct cas *cas, cas_stopped *on_stopped, void *context)
{
	cas->on_stopped = on_stopped;
	cas->stopped_context = context;
	timer_start_ms(&cas->grace, STOP_GRACE_MS);
	cas_close(cas);
}
