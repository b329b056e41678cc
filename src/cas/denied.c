/*
 * Who cannot log in by the configuration.  Nobody is told it apart from a wrong password.  Loop thread.
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
	}
}

static bool
has(const struct cas *cas, const struct directory_name *user)
{
	return user->length > 0 && map_get(cas->denied, directory_name_span(user)) != NULL;
}

/* Without a directory here the mailbox server takes the name apart: it is nobody who may not log in, however. */
static bool
has_part_of(const struct cas *cas, const struct directory_name *name)
{
	const struct directory_claim claim = { .name = directory_name_span(name),
		.separator = config_master_separator(cas->parts.config) };
	struct directory_name names[DIRECTORY_CLAIM_NAMES];
	size_t count = directory_claim_names(&claim, names);

	for (size_t i = 0; i < count; i++)
		if (has(cas, &names[i]))
			return true;
	return false;
}

bool
denied_client(const struct cas_client *client)
{
	const struct cas *cas = client->cas;

	return has(cas, &client->user) || has(cas, &client->prover) ||
	    (directory_asks_home(cas->parts.directory) && has_part_of(cas, &client->prover));
}
