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
#include "health.h"

#include <stdlib.h>
#include <sysexits.h>

#define NOT_RUNNING 3	/* as systemctl status, and our verb status */

static int
examine(struct health *health)
{
	const struct answer *answer;

	health_take_stats(health, ctl_call(health->ctl, "stats", NULL, 0, (struct span){ NULL, 0 }));
	answer = ctl_call(health->ctl, "status", NULL, 0, (struct span){ NULL, 0 });
	if (answer->code != EX_OK)
		return ctl_report(answer);
	health_take_status(health, answer);
	health_look_at_disk(health);
	for (size_t i = 0; i < health->listener_count; i++)
		health_probe_listener(health, health->listeners[i]);
	health_probe_configured(health);
	if (!order_has(health->order, OPTION_LIGHT))
		health_probe_deeply(health);
	return health_tell(health);
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
