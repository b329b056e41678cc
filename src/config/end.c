/*
 * What values of each kind hold, and its end.  Pure.
 */
#include <stdlib.h>

#include "options.h"

static void
free_strings(struct config_uris *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->at[i]);
	free(strings->at);
}

static void
free_servers(struct config_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		free(servers->at[i].name);
		free(servers->at[i].address);
	}
	free(servers->at);
}

static void
free_certificates(struct config_certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++) {
		free(certificates->at[i].name);
		free(certificates->at[i].certificate);
		free(certificates->at[i].key);
	}
	free(certificates->at);
}

static void
free_listeners(struct config_listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		free(listeners->at[i].path);
		free(listeners->at[i].host);
	}
	free(listeners->at);
}

static void
free_directory(struct config *config)
{
	free_strings(&config->ldap_servers);
	free(config->directory_server);
}

void
option_fini(const struct option *option, struct config *config)
{
	void *value = option_place(option, config);

	if (option_is_string(option))
		free(*(char **)value);
	else if (option->kind == DIRECTORY)
		free_directory(config);
	else if (option->kind == SERVER)
		free_servers(value);
	else if (option->kind == CERTIFICATE)
		free_certificates(value);
	else if (option->kind == NETWORK)
		free(((struct config_networks *)value)->at);
	else if (option->kind == NAMES || option->kind == WORDS)
		free_strings(value);
	else if (option->kind == ISSUER)
		issuers_free(value);
	else if (option->kind == MASK)
		masks_free(value);
	else if (option_is_listener(option))
		free_listeners(value);
}
