/*
 * Whether ports can be listened at, and if not, who does so or which addresses there are.  What a process of ours
 * has is free: it is the one that will reload, or be restarted.
 */
#include "check.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/holder.h"

#define INIT 1	/* systemd keeps the ports of a socket unit */

struct port {
	const struct check *check;
	const char *option;
	const struct config_listener *listener;
	const char *address;
	enum config_gravity gravity;
};

static void
complain(const struct port *port, const char *reason)
{
	config_complain(port->check->problems, port->gravity, port->listener->place,
	    config_listener_word(port->check->config, port->listener), "%s: %s %s", port->option, port->address, reason);
}

static void
add_user(uid_t uid, struct buffer *out)
{
	const struct passwd *user = getpwuid(uid);

	if (user != NULL)
		buffer_printf(out, "user %s", user->pw_name);
	else
		buffer_printf(out, "user %u", (unsigned)uid);
}

/* A process of ours has it: the one that answers to imapctl, we, or systemd with a socket unit. */
static bool
is_ours(const struct port *port, const struct holder *holder, bool is_known)
{
	const struct holder *server = &port->check->server;

	if (is_known && holder->pid != 0)
		return holder->pid == getpid() || holder->pid == INIT || holder->pid == server->pid;
	return server->pid != 0 && (!is_known || holder->uid == server->uid);
}

static bool
find_holder(const struct port *port, struct holder *holder_out)
{
	const pid_t ours[] = { getpid(), port->check->server.pid, INIT };

	return holder_find(port->address, ours, sizeof ours / sizeof ours[0], holder_out);
}

static void
complain_of_holder(const struct port *port, const struct holder *holder, bool is_known)
{
	struct buffer reason = { 0 };

	buffer_add_string(&reason, "is in use");
	if (holder->pid != 0)
		buffer_printf(&reason, " by %s, pid %d", holder->name, (int)holder->pid);
	if (is_known) {
		buffer_add_string(&reason, holder->pid != 0 ? ", of " : " by a process of ");
		add_user(holder->uid, &reason);
	}
	complain(port, buffer_string(&reason));
	buffer_free(&reason);
}

/* An address that is not here: which ones are. */
static void
complain_of_address(const struct port *port)
{
	sa_family_t family = strchr(port->listener->host, ':') != NULL ? AF_INET6 : AF_INET;
	struct buffer reason = { 0 };
	struct ifaddrs *all = NULL;
	char host[64];
	size_t count = 0;

	buffer_add_string(&reason, "is no address of this host");
	if (getifaddrs(&all) != 0)
		all = NULL;
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		if (one->ifa_addr == NULL || one->ifa_addr->sa_family != family || getnameinfo(one->ifa_addr,
			family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), host, sizeof host,
			NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		buffer_printf(&reason, "%s%s", count++ == 0 ? "; it has " : ", ", host);
	}
	freeifaddrs(all);
	complain(port, buffer_string(&reason));
	buffer_free(&reason);
}

/* Who has the right to open it is asked again at the start, which may be by somebody else. */
static void
complain_of_right(struct port *port)
{
	port->gravity = CONFIG_WARNING;
	if (port->check->occasion->is_dry)
		complain(port, "is for root and CAP_NET_BIND_SERVICE, which systemd's units have");
}

/* RFC 4291 section 2.5.6, without the zone of RFC 4007 section 11. */
static bool
is_link_local(const char *host)
{
	return strncasecmp(host, "fe80:", 5) == 0 && strchr(host, '%') == NULL;
}

static void
check_port(struct port *port)
{
	int error = holder_try(port->address);
	struct holder holder = { 0 };
	bool is_known = error != 0 && find_holder(port, &holder);

	/* An address may have gone since a socket was bound to it, which stays. */
	if (error == 0 || (error != EINVAL && is_ours(port, &holder, is_known) && (is_known || error == EADDRINUSE)))
		return;
	switch (error) {
	case EADDRINUSE:
		complain_of_holder(port, &holder, is_known);
		break;
	case EADDRNOTAVAIL:
		complain_of_address(port);
		break;
	case EAFNOSUPPORT:
		complain(port, "is IPv6, which this host does not have; 0.0.0.0 is all of IPv4");
		break;
	case EACCES:
	case EPERM:
		complain_of_right(port);
		break;
	default:
		complain(port, is_link_local(port->listener->host) ? "is the same on each interface: say which, as in [fe80::1%eth0]:143" :
			"is not an address to listen at");
		break;
	}
}

/* A socket that nobody answers at is left over, and made anew. */
static void
check_socket(const struct port *port)
{
	struct holder holder = { 0 };

	if (holder_try(port->address) == EADDRINUSE && find_holder(port, &holder) && !is_ours(port, &holder, true))
		complain_of_holder(port, &holder, true);
}

static void
check_listeners(const struct check *check, const char *option, const struct config_listeners *listeners,
    enum config_role role)
{
	for (size_t i = 0; i < listeners->count && (check->config->role & (int)role) != 0; i++) {
		struct buffer address = { 0 };
		struct port port = { check, option, &listeners->at[i], NULL,
			check->occasion->ports & (int)role ? CONFIG_WRONG : CONFIG_WARNING };

		config_listener_print(&listeners->at[i], &address);
		port.address = buffer_string(&address);
		if (listeners->at[i].path == NULL)
			check_port(&port);
		else
			check_socket(&port);
		buffer_free(&address);
	}
}

#define COMM_LENGTH 15	/* proc_pid_comm(5) */

/* Another program has our place. */
static bool
is_foreign(const struct holder *server)
{
	return server->pid != 0 && strncmp(server->name, program_invocation_short_name, COMM_LENGTH) != 0;
}

/* Who only checks, or reloads, expects a process of ours to be there. */
static void
check_control(struct check *check)
{
	const struct config *config = check->config;
	const struct config_place *place = config_place(config, "control-socket");
	const struct holder *server = &check->server;

	if (is_foreign(server)) {
		config_complain(check->problems, CONFIG_WRONG, place, 1, "control-socket: %s is in use by %s, pid %d",
		    config->control_socket, server->name, (int)server->pid);
		check->server = (struct holder){ 0 };
	} else if (!check->occasion->is_dry && server->pid != 0 && server->pid != getpid()) {
		config_complain(check->problems, CONFIG_WARNING, place, 1,
		    "control-socket: %s, pid %d, answers at %s; two processes on one host need a control-socket and a "
		    "data-directory each", server->name, (int)server->pid, config->control_socket);
	}
}

void
check_ports(struct check *check)
{
	const struct config *config = check->config;

	check_control(check);
	check_listeners(check, "admin-listen", &config->admin_listen, CONFIG_ROLE_BOTH);
	check_listeners(check, "metrics-listen", &config->metrics_listen, CONFIG_ROLE_BOTH);
	check_listeners(check, "listen", &config->listen, CONFIG_ROLE_CAS);
	check_listeners(check, "autoconfig-listen", &config->autoconfig_listen, CONFIG_ROLE_CAS);
	check_listeners(check, "lmtp-listen", &config->lmtp_listen, CONFIG_ROLE_MAILBOX);
	check_listeners(check, "link-listen", &config->link_listen, CONFIG_ROLE_MAILBOX);
}
