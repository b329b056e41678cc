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

bool
denied_has(const struct cas *cas, const struct directory_name *user)
{
	return user->length > 0 && map_get(cas->denied, directory_name_span(user)) != NULL;
}
