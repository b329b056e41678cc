/*
 * What setup is to make: what was ordered, completed from the configuration that is there and from the host.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "base/arena.h"
#include "base/memory.h"
#include "config/config.h"
#include "step.h"

#define DEFAULT_PATH SYSCONF "/imapd/imapd.conf"
#define LINK_PORT    "1993"

static int
refuse(const char *reason)
{
	complain("%s; `imapctl setup --help` shows how", reason);
	return EX_USAGE;
}

static const char *
absolute(struct setup *setup, const char *path)
{
	char here[PATH_MAX];

	if (path == NULL || path[0] == '/' || getcwd(here, sizeof here) == NULL)
		return path;
	return setup_text(setup, "%s/%s", here, path);
}

/* The operator's configuration, if there is one; what is wrong in it is told by the check. */
static struct config *
find_config(const struct setup *setup)
{
	struct config_problems problems = { 0 };
	struct config *config = setup_is_sample(setup->path) ? NULL :
	    config_load(setup->path, config_read_file, NULL, &problems);

	config_problems_free(&problems);
	return config;
}

static bool
is_said(const struct config *config, const char *option)
{
	return config != NULL && config_place(config, option) != NULL && config_is_usable(config, option);
}

static int
plan_role(struct setup *setup, const struct config *config)
{
	const char *word = order_value(setup->order, OPTION_ROLE);
	int role = is_said(config, "role") ? config->role : CONFIG_ROLE_BOTH;

	if (word != NULL)
		role = strcmp(word, "cas") == 0 ? CONFIG_ROLE_CAS : strcmp(word, "mailbox") == 0 ? CONFIG_ROLE_MAILBOX :
		    strcmp(word, "both") == 0 ? CONFIG_ROLE_BOTH : 0;
	if (role == 0)
		return refuse("--role is cas, mailbox or both");
	setup->has_cas = (role & CONFIG_ROLE_CAS) != 0;
	setup->has_mailbox = (role & CONFIG_ROLE_MAILBOX) != 0;
	return EX_OK;
}

/* The name of this host, when it is one that clients could ask for. */
static const char *
own_name(struct setup *setup)
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
	char name[HOST_NAME_MAX + 1] = "";
	struct addrinfo *found = NULL;
	const char *full = NULL;

	if (gethostname(name, sizeof name - 1) != 0)
		return NULL;
	if (strchr(name, '.') != NULL)
		return setup_text(setup, "%s", name);
	if (getaddrinfo(name, NULL, &hints, &found) == 0) {
		if (found->ai_canonname != NULL && strchr(found->ai_canonname, '.') != NULL)
			full = setup_text(setup, "%s", found->ai_canonname);
		freeaddrinfo(found);
	}
	return full;
}

static int
plan_hostname(struct setup *setup, const struct config *config)
{
	setup->hostname = order_value(setup->order, OPTION_HOSTNAME);
	if (setup->hostname == NULL && is_said(config, "hostname"))
		setup->hostname = setup_text(setup, "%s", config->hostname);
	if (setup->hostname == NULL)
		setup->hostname = own_name(setup);
	if (setup->hostname == NULL)
		return refuse("say by --hostname=NAME what clients call this host");
	return EX_OK;
}

/* That of the user's address; or the host's name without its first label, as long as two remain. */
static void
plan_domain(struct setup *setup)
{
	const char *at = setup->user == NULL ? NULL : strchr(setup->user, '@');
	const char *dot = strchr(setup->hostname, '.');

	if (at != NULL && at[1] != '\0')
		setup->domain = at + 1;
	else if (dot != NULL && strchr(dot + 1, '.') != NULL)
		setup->domain = dot + 1;
	else
		setup->domain = setup->hostname;
}

static int
plan_user(struct setup *setup, const struct config *config)
{
	setup->user = order_value(setup->order, OPTION_USER);
	if (setup->user != NULL && !setup->has_mailbox)
		return refuse("users are made where the mail is: --user is for the mailbox server");
	if (is_said(config, "postmaster"))
		setup->postmaster = setup_text(setup, "%s", config->postmaster);
	else
		setup->postmaster = setup->user;
	plan_domain(setup);
	return EX_OK;
}

/* Of the configuration, of the system, or below the folder in which the configuration lies. */
static void
plan_folders(struct setup *setup, const struct config *config)
{
	const char *folder = setup_text(setup, "%.*s", (int)(strrchr(setup->path, '/') - setup->path), setup->path);

	setup->data = setup->is_default_path ? "/var/lib/imapd" : setup_text(setup, "%s/data", folder);
	setup->control = setup->is_default_path ? "/run/imapd/control" : setup_text(setup, "%s/control", folder);
	if (is_said(config, "data-directory"))
		setup->data = setup_text(setup, "%s", config->data_directory);
	if (is_said(config, "control-socket"))
		setup->control = setup_text(setup, "%s", config->control_socket);
	setup->account = is_said(config, "user") ? setup_text(setup, "%s", config->user) : "imapd";
	setup->tls = setup_text(setup, "%s/tls", folder);
	setup->link_key = is_said(config, "link-key") ? setup_text(setup, "%s", config->link_key) :
	    setup_text(setup, "%s/link.key", folder);
}

/* Whether imapd's user, who may not be there yet, can read a file. */
static bool
can_read(const struct setup *setup, const char *path)
{
	const struct passwd *account = getpwnam(setup->account);
	gid_t *own = NULL;
	int count = 0;
	bool is_readable;

	if (geteuid() != 0)
		return access(path, R_OK) == 0;
	if (account == NULL)
		return false;
	count = getgroups(0, NULL);
	own = memory_new_array((size_t)count + 1, sizeof *own);
	count = getgroups(count, own);
	is_readable = initgroups(setup->account, account->pw_gid) == 0 && setegid(account->pw_gid) == 0 &&
	    seteuid(account->pw_uid) == 0 && euidaccess(path, R_OK) == 0;
	if (seteuid(0) != 0 || setegid(0) != 0 || setgroups((size_t)count, own) != 0)
		abort();	/* who cannot be root again must not go on as somebody else */
	free(own);
	return is_readable;
}

static int
plan_pair(struct setup *setup, const struct config *config)
{
	const char *certificate = absolute(setup, order_value(setup->order, OPTION_CERT));
	const char *key = absolute(setup, order_value(setup->order, OPTION_KEY));

	setup->certificate = setup_text(setup, "%s/fullchain.pem", setup->tls);
	setup->key = setup_text(setup, "%s/key.pem", setup->tls);
	if ((certificate == NULL) != (key == NULL))
		return refuse("--cert and --key go together");
	if (certificate != NULL && (order_has(setup->order, OPTION_SELF_SIGNED) || !setup->has_cas))
		return refuse(setup->has_cas ? "either --cert and --key, or --self-signed" :
			"clients come to the client access server: --cert and --key are for that one");
	setup->given_certificate = certificate;
	setup->given_key = key;
	if (certificate == NULL && is_said(config, "tls-certificate") && is_said(config, "tls-key")) {
		setup->certificate = setup_text(setup, "%s", config->tls_certificate);
		setup->key = setup_text(setup, "%s", config->tls_key);
	}
	if (certificate == NULL)
		return EX_OK;
	if (access(certificate, R_OK) != 0 || access(key, R_OK) != 0) {
		complain("%s: %s", access(certificate, R_OK) != 0 ? certificate : key, strerror(errno));
		return EX_NOINPUT;
	}
	setup->is_pair_copied = !can_read(setup, certificate) || !can_read(setup, key);
	if (!setup->is_pair_copied) {
		setup->certificate = certificate;
		setup->key = key;
	}
	return EX_OK;
}

static int
plan_server(struct setup *setup, const struct config *config)
{
	const char *server = order_value(setup->order, OPTION_MAILBOX_SERVER);

	if (server != NULL && (setup->has_mailbox || !setup->has_cas))
		return refuse("--mailbox-server is for --role=cas, which keeps no mail");
	if (!setup->has_cas || setup->has_mailbox)
		return EX_OK;
	if (server == NULL && is_said(config, "mailbox-server") && config->mailbox_server.at[0].address != NULL)
		server = setup_text(setup, "%s", config->mailbox_server.at[0].address);
	if (server == NULL)
		return refuse("--role=cas needs --mailbox-server=HOST, which says where the mail is");
	setup->server = strrchr(server, ':') != NULL && strchr(server, ']') < strrchr(server, ':') ? server :
	    setup_text(setup, "%s:" LINK_PORT, server);
	return EX_OK;
}

/* Whether sockets can be for IPv6, which takes IPv4 in as well. */
static bool
has_ipv6(void)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_bound = descriptor >= 0 && bind(descriptor, (const struct sockaddr *)&any, sizeof any) == 0;

	if (descriptor >= 0)
		close(descriptor);
	return is_bound;
}

/* In quotes where it needs them. */
static void
add_value(struct buffer *out, const char *option, const char *value)
{
	bool is_quoted = value[0] == '\0' || strpbrk(value, " \t#\"\\") != NULL;

	buffer_printf(out, "%-16s ", option);
	if (is_quoted)
		buffer_add_octet(out, '"');
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, (uint8_t)*value);
	}
	buffer_add_string(out, is_quoted ? "\"\n" : "\n");
}

static void
write_cas(struct setup *setup, const char *any, struct buffer *out)
{
	buffer_printf(out, "listen           imaps %s:%s\n", any, setup->is_root ? "993" : "1993");
	buffer_printf(out, "listen           imap  %s:%s\n", any, setup->is_root ? "143" : "1143");
	add_value(out, "tls-certificate", setup->certificate);
	add_value(out, "tls-key", setup->key);
	if (setup->server != NULL)
		buffer_printf(out, "mailbox-server   mbx1 %s\ndirectory        link mbx1\n", setup->server);
}

static void
write_mailbox(struct setup *setup, const char *any, struct buffer *out)
{
	if (setup->is_root)
		add_value(out, "lmtp-listen", "127.0.0.1:2003");
	else
		add_value(out, "lmtp-listen", setup_text(setup, "%.*s/lmtp", (int)(strrchr(setup->path, '/') - setup->path), setup->path));
	if (setup->postmaster != NULL)
		add_value(out, "postmaster", setup->postmaster);
	if (!setup->has_cas)
		buffer_printf(out, "link-listen      %s:" LINK_PORT "\n", any);
}

static void
write_wanted(struct setup *setup)
{
	const char *any = has_ipv6() ? "[::]" : "0.0.0.0";
	struct buffer *out = &setup->wanted;

	buffer_add_string(out, "# Made by `imapctl setup`; imapd.conf(5) describes every option, the others have safe defaults.\n"
	    "config-version   1\n");
	add_value(out, "hostname", setup->hostname);
	buffer_printf(out, "role             %s\n",
	    setup->has_cas && setup->has_mailbox ? "both" : setup->has_cas ? "cas" : "mailbox");
	add_value(out, "data-directory", setup->data);
	add_value(out, "control-socket", setup->control);
	if (setup->has_cas)
		write_cas(setup, any, out);
	if (setup->has_mailbox)
		write_mailbox(setup, any, out);
	if (!setup->has_cas || !setup->has_mailbox)
		add_value(out, "link-key", setup->link_key);
	if (setup->is_root)
		add_value(out, "user", setup->account);
}

/* A reader for config_load(): the file that is wanted. */
static bool
read_wanted(void *context, const char *path, struct buffer *text_out, struct config_file_id *id_out,
    const char **reason_out)
{
	const struct setup *setup = context;

	(void)path, (void)id_out, (void)reason_out;
	buffer_add_span(text_out, buffer_span(&setup->wanted));
	return true;
}

/* What was said may be no name of a host, for instance: told before anything is touched. */
static int
check_wanted(struct setup *setup)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(setup->path, read_wanted, setup, &problems);
	bool is_good = config_problems_count(&problems, CONFIG_WRONG) == 0;

	for (size_t i = 0; i < problems.count; i++)
		complain("%s", problems.at[i].text);
	config_free(&config);
	config_problems_free(&problems);
	return is_good ? EX_OK : EX_USAGE;
}

int
setup_plan(struct setup *setup)
{
	struct config *config;
	int code;

	setup->path = absolute(setup, setup->order->config_path);
	setup->is_default_path = strcmp(setup->path, DEFAULT_PATH) == 0;
	config = find_config(setup);
	plan_folders(setup, config);
	(void)((code = plan_role(setup, config)) != EX_OK || (code = plan_hostname(setup, config)) != EX_OK ||
	    (code = plan_user(setup, config)) != EX_OK || (code = plan_pair(setup, config)) != EX_OK ||
	    (code = plan_server(setup, config)) != EX_OK);
	config_free(&config);
	if (code != EX_OK)
		return code;
	write_wanted(setup);
	return check_wanted(setup);
}
