/*
 * The link between hosts, as the configuration has it: what proves us, which mailbox servers there are, and
 * where others reach ours.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "internal.h"
#include "link/key.h"

/* Who calls says what it is: a key that came to a mailbox server by mistake opens no other one unnoticed. */
static struct tls_context *
key_context(const struct config *config, uid_t owner, bool is_server, char **error_out)
{
	struct link_key key;
	struct buffer identity = { 0 };
	struct tls_context *tls;

	if (!link_key_read(config->link_key, owner, &key, error_out))
		return NULL;
	buffer_printf(&identity, "cas/%s", key.name);
	tls = tls_context_new_psk(span_of(key.octets, sizeof key.octets), buffer_span(&identity), is_server);
	memory_wipe(&key, sizeof key);
	buffer_free(&identity);
	return tls;
}

/* One end of the link.  NULL: *error_out, given, says why. */
static struct tls_context *
link_context(const struct config *config, uid_t owner, const char *server_name, char **error_out)
{
	struct tls_context *tls;

	if (config->link_key != NULL)
		return key_context(config, owner, server_name == NULL, error_out);
	tls = tls_context_new_mutual(config->link_certificate, config->link_private_key, config->link_ca,
	    server_name == NULL, error_out);
	if (tls != NULL && server_name != NULL)
		tls_context_set_server_name(tls, server_name);
	return tls;
}

char *
service_check_links(const struct config *config)
{
	struct tls_context *tls;
	char *error = NULL;

	if (config->link_key == NULL && config->link_certificate == NULL)
		return NULL;
	tls = link_context(config, geteuid(), NULL, &error);
	tls_context_free(&tls);
	return error;
}

static bool
add_servers(struct service *service, uid_t owner, char **error_out)
{
	const struct config_servers *servers = &service->config->mailbox_server;

	for (size_t i = 0; i < servers->count; i++) {
		const struct config_server *server = &servers->at[i];
		struct tls_context *tls = link_context(service->config, owner, server->name, error_out);

		if (tls == NULL)
			return false;
		link_add_server(service->link, span_from_string(server->name), server->address, tls,
		    service->compute);
		tls_context_free(&tls);
	}
	return true;
}

static bool
add_ports(struct service *service, uid_t owner, char **error_out)
{
	const struct config_listeners *wanted = &service->config->link_listen;
	struct tls_context *tls = wanted->count > 0 ? link_context(service->config, owner, NULL, error_out) : NULL;
	struct buffer address = { 0 };

	if (wanted->count > 0 && tls == NULL)
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		buffer_clear(&address);
		config_listener_print(&wanted->at[i], &address);
		link_add_port(service->link, buffer_string(&address), tls, service->compute);
	}
	buffer_free(&address);
	tls_context_free(&tls);
	return true;
}

bool
service_open_links(struct service *service, uid_t owner, char **error_out)
{
	const struct config *config = service->config;
	const struct link_patience patience = { config->mailbox_server_timeout_s * 1000,
		config->link_timeout_s * 1000 };

	link_set_patience(service->link, &patience);
	if ((config->role & CONFIG_ROLE_CAS) && !add_servers(service, owner, error_out))
		return false;
	return !(config->role & CONFIG_ROLE_MAILBOX) || add_ports(service, owner, error_out);
}
