/*
 * Servers of another kind that users are relayed to: how many are there, and what went wrong last.  Loop thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "client.h"

#define SERVERS_MAX 64		/* a directory may name any number: the others are counted as one */

static struct relay_server *
find(struct cas *cas, const char *name)
{
	struct relay_server *server;

	LIST_FOREACH(&cas->relays, link) {
		server = LIST_ENTRY(link, struct relay_server, link);
		if (strcmp(server->name, name) == 0)
			return server;
	}
	if (cas->relay_count >= SERVERS_MAX && strcmp(name, "others") != 0)
		return find(cas, "others");
	server = NEW(struct relay_server);
	server->name = memory_copy_string(name);
	server->figures.server = server->name;
	list_push_back(&cas->relays, &server->link);
	cas->relay_count++;
	return server;
}

struct relay_server *
relays_find(struct cas *cas, const struct link_home *home)
{
	struct relay_server *server;
	struct buffer name = { 0 };

	link_home_write(home, &name);
	server = find(cas, buffer_string(&name));
	buffer_free(&name);
	return server;
}

void
relays_note_failure(struct relay_server *server, const char *reason)
{
	outage_note(&server->figures.outage, reason);
}

void
relays_note_login(struct relay_server *server)
{
	server->figures.outage = (struct cas_outage){ 0 };
	server->figures.logins++;
	server->figures.sessions++;
}

void
relays_forget_failures(struct cas *cas)
{
	LIST_FOREACH(&cas->relays, link)
		LIST_ENTRY(link, struct relay_server, link)->figures.outage = (struct cas_outage){ 0 };
}

void
relays_free(struct cas *cas)
{
	LIST_FOREACH(&cas->relays, link) {
		struct relay_server *server = LIST_ENTRY(link, struct relay_server, link);

		list_remove(&server->link);
		free(server->name);
		free(server);
	}
}

bool
cas_relay(const struct cas *cas, size_t index, struct cas_relay *relay_out)
{
	LIST_FOREACH((struct list *)&cas->relays, link) {
		if (index-- == 0) {
			*relay_out = LIST_ENTRY(link, struct relay_server, link)->figures;
			return true;
		}
	}
	return false;
}
