/*
 * Whether a configuration can be served with: what a check, a start and a reload look at, all in one pass.  Blocks:
 * before the loop runs, or on a worker.
 */
#include "check.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "imap/capability.h"
#include "service/service.h"

/* Whether there are a user and a group to become. */
static bool
has_identity(const struct config *config)
{
	return (config->user == NULL || getpwnam(config->user) != NULL) &&
	    (config->group == NULL || getgrnam(config->group) != NULL);
}

static void
check_files(const struct check *check)
{
	config_check_files(check->config, check->problems);
	check_certificates(check);
}

/* Files are looked at by whoever will read them, which is the configured user when root can become it. */
static void
check_as_user(struct check *check)
{
	const struct config *config = check->config;
	struct identity identity;

	config_check_identity(config, check->problems);
	if (has_identity(config) && identity_find(config, &identity)) {
		if (identity.is_change && geteuid() == 0 && identity_borrow(&identity)) {
			check_files(check);
			identity_return(&identity);
			return;
		}
		check->is_blind = identity.is_change;
		if (identity.is_change && geteuid() != 0)
			config_complain(check->problems, CONFIG_WARNING,
			    config_place(config, config->user != NULL ? "user" : "group"), 1,
			    "only root can become user %s, so that what it may read was not looked at",
			    config->user != NULL ? config->user : "nobody else");
	}
	check_files(check);
}

static void
check_name(const struct check *check, const char *option, const struct config_place *place, unsigned word,
    struct span host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char *name = memory_copy_span(host);
	struct addrinfo *found = NULL;
	int error = getaddrinfo(name, NULL, &hints, &found);

	if (error != 0)
		config_complain(check->problems, CONFIG_WARNING, place, word, "%s: there is no address for the name %s: %s",
		    option, name, gai_strerror(error));
	else
		freeaddrinfo(found);
	free(name);
}

/* HOST:PORT, or HOST alone; IPv6 in brackets. */
static struct span
host_of(struct span address)
{
	if (address.length > 0 && address.at[0] == '[')
		return span_slice(address, 1, span_find(address, ']') - 1);
	return span_slice(address, 0, span_find(address, ':'));
}

/* Names that others have to know: the server starts without them. */
static void
check_names(const struct check *check)
{
	const struct config *config = check->config;

	for (size_t i = 0; i < config->mailbox_server.count && (config->role & CONFIG_ROLE_CAS); i++)
		if (config->mailbox_server.at[i].address != NULL)
			check_name(check, "mailbox-server", config->mailbox_server.at[i].place, 2,
			    host_of(span_from_string(config->mailbox_server.at[i].address)));
	for (size_t i = 0; i < config->ldap_servers.count && config_is_usable(config, "directory"); i++) {
		struct span uri = span_from_string(config->ldap_servers.at[i]);
		size_t scheme = span_find(uri, ':');

		if (!span_starts_with(uri, SPAN("ldapi")) && config->directory == CONFIG_DIRECTORY_LDAP)
			check_name(check, "directory", config_place(config, "directory"), (unsigned)i + 2,
			    host_of(span_slice(span_from(uri, scheme + 3), 0, span_find(span_from(uri, scheme + 3), '/'))));
	}
}

/* Users who are kept out, by names that nobody can have. */
static void
check_denied(const struct check *check)
{
	const struct config_uris *names = &check->config->deny_users;
	struct directory_name name;
	unsigned word = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct config_place *place = config_name_place(check->config, "deny-users", i, &word);

		if (!directory_prepare_name(span_from_string(names->at[i]), &name))
			config_complain(check->problems, CONFIG_WARNING, place, word,
			    "deny-users: nobody can have the name \"%s\"", names->at[i]);
		else if (strchr(names->at[i], ',') != NULL)
			config_complain(check->problems, CONFIG_WARNING, place, word,
			    "deny-users: \"%s\" is one name; a space parts several, and no comma", names->at[i]);
	}
}

struct config *
service_load(const char *path, const char *role, const struct service_occasion *occasion,
    struct config_problems *problems_out)
{
	struct config *config = config_load(path, config_read_file, NULL, problems_out);
	struct check check = { config, problems_out, occasion, false, { 0 } };

	if (role != NULL)
		config_set_role(config, span_from_string(role), problems_out);
	if (config == NULL)
		return NULL;
	config_check(config, problems_out);
	config_check_masks(config, imap_capability_name, imap_capability_objection, problems_out);
	config_check_sockets(config, problems_out);
	if (!holder_find(config->control_socket, NULL, 0, &check.server))
		check.server = (struct holder){ 0 };
	check_denied(&check);
	check_ports(&check);
	check_as_user(&check);
	if (occasion->is_dry) {
		check_names(&check);
		check_data(&check);
	}
	config_problems_sort(problems_out);
	if (config_problems_count(problems_out, CONFIG_WRONG) > 0)
		config_free(&config);
	return config;
}
