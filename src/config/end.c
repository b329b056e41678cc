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

void
option_fini(const struct option *option, struct config *config)
{
	void *value = option_place(option, config);

	switch (option->kind) {
	case STRING:
	case HOST:
	case PATH:
	case TEXT:
		free(*(char **)value);
		break;
	case DIRECTORY:
		free_strings(&config->ldap_servers);
		free(config->directory_server);
		break;
	case SERVER:
		free_servers(value);
		break;
	case CERTIFICATE:
		free_certificates(value);
		break;
	case NETWORK:
		free(((struct config_networks *)value)->at);
		break;
	case NAMES:
	case WORDS:
		free_strings(value);
		break;
	case ISSUER:
		issuers_free(value);
		break;
	case MASK:
		masks_free(value);
		break;
	case LISTEN:
	case LMTP_LISTEN:
	case LINK_LISTEN:
		free_listeners(value);
		break;
	default:
		break;
	}
}
