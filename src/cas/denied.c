/*
 * Who cannot log in by the configuration, and such as may not stay.  Those are not told apart from a wrong password.
 * Loop thread.
 */
#include "base/map.h"
#include "client.h"

void
denied_load(struct cas *cas)
{
	const struct config_uris *names = &cas->parts.config->deny_users;
	struct directory_name name;

	map_free(&cas->denied);
	cas->denied = map_new();
	for (size_t i = 0; i < names->count; i++) {
		if (directory_prepare_name(span_from_string(names->at[i]), &name))
			map_put(cas->denied, directory_name_span(&name), cas);
		else
			log_warning("deny-users", log_text("user", names->at[i]),
			    log_text("reason", "nobody can have this name"));
	}
}

bool
denied_has(const struct cas *cas, const struct directory_name *user)
{
	return user->length > 0 && map_get(cas->denied, directory_name_span(user)) != NULL;
}

void
denied_send_away(struct cas *cas)
{
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (denied_has(cas, &client->user))
			pipe_leave(client, NULL, "Logged out by the administrator");
	}
}

static bool
is_about_to_log_in(const struct cas_client *client)
{
	return client->state == ANSWERING || client->state == VERIFYING || client->state == LINKING;
}

void
cas_end_user(struct cas *cas, struct span user)
{
	LIST_FOREACH(&cas->strangers, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (is_about_to_log_in(client) && span_equals(directory_name_span(&client->user), user))
			client_bye(client, NULL, "Logged out by the administrator");
	}
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (span_equals(directory_name_span(&client->user), user) &&
		    link_server_of(cas->parts.link, buffer_span(&client->home)).length > 0)
			pipe_leave(client, NULL, "Logged out by the administrator");
	}
}
