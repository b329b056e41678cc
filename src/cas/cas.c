/*
 * The client access role as a whole: its beginning and its settings.  Loop thread.
 */
#include "cas/cas.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "client.h"
#include "moves.h"
#include "renames.h"

#define CACHE_USERS 10000
#define THROTTLE_ENTRIES 10000

static bool
is_at(const struct cas_client *client, struct span server)
{
	return span_equals(link_server_of(client->cas->parts.link, buffer_span(&client->home)), server);
}

/* Its users' commands would never be answered. */
static void
on_lost(struct span server, void *context)
{
	struct cas *cas = context;

	moves_lost(cas, server);
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (is_at(client, server))
			pipe_lost(client);
	}
	LIST_FOREACH(&cas->strangers, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (client->state == RETURNING && is_at(client, server))
			unauthenticate_lost(client);
	}
}

/* What follows from the configuration. */
static void
configure(struct cas *cas)
{
	uint64_t line_octets = cas->parts.config->max_command_size_octets;

	cas->limits = imap_limits_before_login;
	if (line_octets < cas->limits.line_octets)
		cas->limits.line_octets = (size_t)line_octets;
	cas->mechanisms = mechanisms_permitted(cas);
	denied_load(cas);
}

struct cas *
cas_new(const struct cas_parts *parts)
{
	struct cas *cas = NEW(struct cas);

	cas->parts = *parts;
	if (parts->tls != NULL)
		cas->parts.tls = tls_context_hold(parts->tls);
	if (parts->http_tls != NULL)
		cas->parts.http_tls = tls_context_hold(parts->http_tls);
	list_init(&cas->ports);
	list_init(&cas->visitors);
	list_init(&cas->strangers);
	list_init(&cas->users);
	list_init(&cas->relays);
	list_init(&cas->moves);
	list_init(&cas->renames);
	cas->by_address = map_new();
	cas->by_user = map_new();
	if (parts->tokens != NULL)
		cas->parts.tokens = token_rules_hold(parts->tokens);
	configure(cas);
	cas->cache = auth_cache_new((uint32_t)parts->config->auth_cache_time_s, CACHE_USERS);
	cas->throttle = throttle_new(THROTTLE_ENTRIES);
	if (parts->secret.length == sizeof cas->secret)
		memcpy(cas->secret, parts->secret.at, sizeof cas->secret);
	else
		random_fill(cas->secret, sizeof cas->secret);
	timer_init(&cas->grace, parts->loop, cas_on_grace_over, cas);
	timer_init(&cas->drain, parts->loop, cas_drain_on_due, cas);
	deferred_init(&cas->gone, cas_on_gone, cas);
	link_on_lost(parts->link, on_lost, cas);
	return cas;
}

void
cas_reload(struct cas *cas, const struct config *config, struct tls_context *tls, struct tls_context *http_tls,
    struct token_rules *tokens, struct buffer *problems_out)
{
	cas->parts.config = config;
	tls_context_free(&cas->parts.tls);
	if (tls != NULL)
		cas->parts.tls = tls_context_hold(tls);
	tls_context_free(&cas->parts.http_tls);
	if (http_tls != NULL)
		cas->parts.http_tls = tls_context_hold(http_tls);
	token_rules_free(&cas->parts.tokens);
	if (tokens != NULL)
		cas->parts.tokens = token_rules_hold(tokens);
	configure(cas);
	link_relay_forget_authorities(cas->parts.link);
	relays_forget_failures(cas);
	mask_find_all(cas);
	if (cas->is_stopping)
		return;
	ports_reload(cas, problems_out);
	users_send_denied_away(cas);
}

void
cas_free(struct cas **cas)
{
	if (*cas == NULL)
		return;
	assert((*cas)->clients == 0);
	link_on_lost((*cas)->parts.link, NULL, NULL);
	timer_stop(&(*cas)->grace);
	timer_stop(&(*cas)->drain);
	deferred_cancel(&(*cas)->gone);
	ports_close(*cas);
	moves_close(*cas);
	renames_close(*cas);
	map_free(&(*cas)->denied);
	relays_free(*cas);
	map_free(&(*cas)->by_address);
	map_free(&(*cas)->by_user);
	auth_cache_free(&(*cas)->cache);
	throttle_free(&(*cas)->throttle);
	tls_context_free(&(*cas)->parts.tls);
	tls_context_free(&(*cas)->parts.http_tls);
	token_rules_free(&(*cas)->parts.tokens);
	memory_wipe((*cas)->secret, sizeof (*cas)->secret);
	free(*cas);
	*cas = NULL;
}

void
cas_status(const struct cas *cas, struct cas_status *status_out)
{
	*status_out = cas->status;
}
