/*
 * Who listens at an address: the kernel's table of sockets (proc_net_tcp(5)) has the inode of each, and
 * /proc/PID/fd the processes that hold it.
 */
#include "net/holder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "base/thread.h"
#include "inherited.h"

#define LISTENS 0x0a	/* the state TCP_LISTEN */

static int
try_path(const struct address *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	error = connect(probe, (const struct sockaddr *)&address->socket, address->length) == 0 ? 0 : errno;
	close(probe);
	return error == 0 || error == EAGAIN ? EADDRINUSE : 0;
}

/* As listener.c does it, so that the answer is the same. */
static int
try_port(const struct address *address)
{
	int probe = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, zero = 0, error = 0;

	if (probe < 0)
		return errno;
	setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (address->socket.ss_family == AF_INET6)
		setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(probe, (const struct sockaddr *)&address->socket, address->length) != 0)
		error = errno;
	close(probe);
	return error;
}

int
holder_try(const char *text)
{
	struct address address;
	int inherited;

	assert_off_loop();
	if (!address_parse(text, &address))
		return EINVAL;
	inherited = inherited_socket(&address);
	if (inherited >= 0)
		close(inherited);
	if (inherited >= 0)
		return 0;
	return address.socket.ss_family == AF_UNIX ? try_path(&address) : try_port(&address);
}

/* A line of the table. */
struct entry {
	struct in6_addr address;
	bool is_any;
	unsigned port, uid;
	unsigned long inode;
};

/* 4 or 16 octets, in words of the host's order; IPv4 as part of IPv6. */
static bool
read_address(const char *digits, struct in6_addr *address_out)
{
	size_t words = strlen(digits) / 8;
	uint32_t *word = address_out->s6_addr32;

	if (words != 1 && words != 4)
		return false;
	*address_out = (struct in6_addr){ 0 };
	if (words == 1) {
		word[2] = htonl(0xffff);
		word += 3;
	}
	for (size_t i = 0; i < words; i++) {
		char one[9] = "";

		memcpy(one, digits + 8 * i, 8);
		word[i] = (uint32_t)strtoul(one, NULL, 16);
	}
	return true;
}

static bool
read_entry(const char *line, struct entry *entry_out)
{
	char digits[33];
	unsigned state;

	if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %u %*u %lu", digits,
		&entry_out->port, &state, &entry_out->uid, &entry_out->inode) != 5 ||
	    state != LISTENS || !read_address(digits, &entry_out->address))
		return false;
	entry_out->is_any = strspn(digits, "0") == strlen(digits);
	return true;
}

/* What we ask for, as the table has it. */
static bool
want(const struct address *address, struct entry *wanted_out)
{
	const struct sockaddr_in *v4 = (const void *)&address->socket;
	const struct sockaddr_in6 *v6 = (const void *)&address->socket;

	*wanted_out = (struct entry){ 0 };
	if (address->socket.ss_family == AF_INET6) {
		wanted_out->address = v6->sin6_addr;
		wanted_out->port = ntohs(v6->sin6_port);
		wanted_out->is_any = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
	} else {
		wanted_out->address.s6_addr32[2] = htonl(0xffff);
		wanted_out->address.s6_addr32[3] = v4->sin_addr.s_addr;
		wanted_out->port = ntohs(v4->sin_port);
		wanted_out->is_any = v4->sin_addr.s_addr == INADDR_ANY;
	}
	return wanted_out->port != 0;
}

static bool
is_in_the_way(const struct entry *entry, const struct entry *wanted)
{
	return entry->port == wanted->port && (entry->is_any || wanted->is_any ||
	    memcmp(&entry->address, &wanted->address, sizeof entry->address) == 0);
}

static bool
find_entry(const char *table, const struct entry *wanted, struct entry *found_out)
{
	FILE *file = fopen(table, "re");
	bool is_found = false;
	char line[512];

	while (file != NULL && !is_found && fgets(line, sizeof line, file) != NULL)
		is_found = read_entry(line, found_out) && is_in_the_way(found_out, wanted);
	if (file != NULL)
		fclose(file);
	return is_found;
}

/* Whether a process has a socket. */
static bool
has_socket(pid_t pid, unsigned long inode)
{
	char folder[32], wanted[32], path[300], target[64];
	struct dirent *entry;
	bool is_found = false;
	ssize_t length;
	DIR *listing;

	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
	listing = opendir(folder);
	while (listing != NULL && !is_found && (entry = readdir(listing)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		length = readlink(path, target, sizeof target - 1);
		target[length < 0 ? 0 : length] = '\0';
		is_found = strcmp(target, wanted) == 0;
	}
	if (listing != NULL)
		closedir(listing);
	return is_found;
}

static pid_t
find_process(unsigned long inode)
{
	DIR *listing = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (listing != NULL && found == 0 && (entry = readdir(listing)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && has_socket(pid, inode))
			found = pid;
	}
	if (listing != NULL)
		closedir(listing);
	return found;
}

static void
name_process(struct holder *holder)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)holder->pid);
	file = holder->pid > 0 ? fopen(path, "re") : NULL;
	if (file != NULL && fgets(holder->name, sizeof holder->name, file) != NULL)
		holder->name[strcspn(holder->name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}

static bool
find_port(const struct address *address, const pid_t *ours, size_t count, struct holder *holder_out)
{
	struct entry wanted, found;

	if (!want(address, &wanted) || (!find_entry("/proc/self/net/tcp", &wanted, &found) &&
		!find_entry("/proc/self/net/tcp6", &wanted, &found)))
		return false;
	holder_out->uid = found.uid;
	for (size_t i = 0; i < count && holder_out->pid == 0; i++)
		if (ours[i] > 0 && has_socket(ours[i], found.inode))
			holder_out->pid = ours[i];
	if (holder_out->pid == 0)
		holder_out->pid = find_process(found.inode);
	return true;
}

/* The process that has called listen() is known to whoever connects (unix(7)). */
static bool
find_path(const struct address *address, struct holder *holder_out)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer;
	socklen_t length = sizeof peer;
	bool is_found = connect(probe, (const struct sockaddr *)&address->socket, address->length) == 0 &&
	    getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;

	close(probe);
	if (is_found) {
		holder_out->pid = peer.pid;
		holder_out->uid = peer.uid;
	}
	return is_found;
}

bool
holder_find(const char *text, const pid_t *ours, size_t count, struct holder *holder_out)
{
	struct address address;
	bool is_found;

	assert_off_loop();
	*holder_out = (struct holder){ 0 };
	if (!address_parse(text, &address))
		return false;
	is_found = address.socket.ss_family == AF_UNIX ? find_path(&address, holder_out) :
		find_port(&address, ours, count, holder_out);
	if (is_found)
		name_process(holder_out);
	return is_found;
}
