/*
 * Users who may not stay: such as cannot log in any more, and whom the administrator logs out.  Loop thread.
 */
#include "client.h"

void
users_send_denied_away(struct cas *cas)
{
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (denied_client(client))
			pipe_leave(client, METRIC_KICKED, NULL, "Logged out by the administrator");
	}
}

static bool
is_about_to_log_in(const struct cas_client *client)
{
	return client->state == ANSWERING || client->state == VERIFYING || client->state == LINKING;
}

/* Whether it is the user, or somebody else's session that the user has. */
static bool
is_of(const struct cas_client *client, struct span user)
{
	return span_equals(directory_name_span(&client->user), user) ||
	    span_equals(directory_name_span(&client->prover), user);
}

void
cas_end_user(struct cas *cas, struct span user)
{
	LIST_FOREACH(&cas->strangers, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (is_about_to_log_in(client) && is_of(client, user))
			client_bye(client, METRIC_KICKED, NULL, "Logged out by the administrator");
	}
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (is_of(client, user) &&
		    link_server_of(cas->parts.link, buffer_span(&client->home)).length > 0)
			pipe_leave(client, METRIC_KICKED, NULL, "Logged out by the administrator");
	}
}
