/*
 * The server that runs: its services, what it has told of itself, what it may open; or that none runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "config/config.h"
#include "finding.h"

#define CONNECT_MS    3000
#define FILES_BESIDE  200	/* of the process beyond clients and databases */

struct record {
	struct doctor *doctor;
	struct span line;
};

/* A field of the record; "" when it is not there. */
static const char *
field(const struct record *record, const char *kind, const char *key)
{
	struct span value;

	if (!record_field(record->line, record->doctor->arena, kind, key, &value))
		return "";
	return arena_copy_string(record->doctor->arena, value);
}

static bool
is_kind(const struct record *record, const char *kind)
{
	size_t length = strlen(kind);

	return record->line.length > length && memcmp(record->line.at, kind, length) == 0 && record->line.at[length] == ' ';
}

static void
take_role(const struct record *record)
{
	struct doctor *doctor = record->doctor;
	const char *name = field(record, "role", "name"), *state = field(record, "role", "state");
	const char *command = doctor_imapctl(doctor, doctor_text(doctor, "start %s", name));

	if (strcmp(state, "failed") == 0)
		finding(doctor, WRONG, command, "the service %s has failed, since %s; `imapctl services` says why", name,
		    field(record, "role", "since"));
	else if (strcmp(state, "stopped") == 0)
		finding(doctor, WARNING, command, "the service %s is stopped since %s, as %s has asked", name,
		    field(record, "role", "since"), field(record, "role", "asked-by"));
}

static void
take_server(const struct record *record)
{
	struct doctor *doctor = record->doctor;

	if (strcmp(field(record, "mailbox-server", "state"), "down") == 0)
		finding(doctor, WRONG, doctor_text(doctor, "ssh %s imapctl doctor", field(record, "mailbox-server", "name")),
		    "the mailbox server %s at %s is down since %s: %s", field(record, "mailbox-server", "name"),
		    field(record, "mailbox-server", "address"), field(record, "mailbox-server", "since"),
		    field(record, "mailbox-server", "reason"));
}

static void
take_problem(const struct record *record)
{
	struct doctor *doctor = record->doctor;
	const char *kind = field(record, "problem", "kind"), *user = field(record, "problem", "user");
	const char *words = user[0] != '\0' ? doctor_text(doctor, "verify %s", user) : "log";

	if (strcmp(kind, "certificate") == 0)
		return;		/* the configuration's check has told of it */
	finding(doctor, WRONG, doctor_imapctl(doctor, words), "%s%s%s since %s: %s %s", kind, user[0] != '\0' ? " of " : "", user,
	    field(record, "problem", "since"), field(record, "problem", "text"), field(record, "problem", "path"));
}

/* What the process may open, beside what its configuration lets clients and users have. */
static void
examine_limit(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	uint64_t wanted = config->max_connections + FILES_BESIDE +
	    ((config->role & CONFIG_ROLE_MAILBOX) != 0 ? config->open_databases * 3 : 0);
	FILE *limits = fopen(doctor_text(doctor, "/proc/%ld/limits", doctor->pid), "re");
	unsigned long long most;
	char line[200];

	while (limits != NULL && fgets(line, sizeof line, limits) != NULL)
		if (sscanf(line, "Max open files %*s %llu", &most) == 1 && most < wanted)
			finding(doctor, WARNING, "systemctl edit imapd   # [Service] LimitNOFILE=65536",
			    "the server may open %llu files, and max-connections and open-databases want %llu", most,
			    (unsigned long long)wanted);
	if (limits != NULL)
		fclose(limits);
}

static void
examine_program(struct doctor *doctor)
{
	char path[4096];
	ssize_t length = readlink(doctor_text(doctor, "/proc/%ld/exe", doctor->pid), path, sizeof path - 1);

	if (length <= 0)
		return;
	path[length] = '\0';
	if (strstr(path, " (deleted)") != NULL)
		finding(doctor, WARNING, "systemctl restart imapd", "the server still runs the program from before an upgrade");
}

static void
take_status(struct doctor *doctor, const struct answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		const struct record record = { doctor, answer->lines[i] };

		if (is_kind(&record, "server"))
			doctor->pid = strtol(field(&record, "server", "pid"), NULL, 10);
		else if (is_kind(&record, "role"))
			take_role(&record);
		else if (is_kind(&record, "mailbox-server"))
			take_server(&record);
		else if (is_kind(&record, "problem"))
			take_problem(&record);
	}
}

/* Mail of users who were removed. */
static void
take_orphans(struct doctor *doctor, const struct answer *answer)
{
	if (answer->code == 0 && answer->line_count > 0)
		finding(doctor, NOTE, doctor_imapctl(doctor, "user list --orphans"), "the mail of %zu user%s who were removed is "
		    "still there; `imapctl user purge` removes it", answer->line_count, answer->line_count == 1 ? "" : "s");
}

/* RFC 5321 section 4.5.1 wants somebody to read it. */
static void
take_postmaster(struct doctor *doctor, struct ctl *ctl)
{
	const struct span name[] = { span_from_string(doctor->config->postmaster) }, nothing = { NULL, 0 };

	if (ctl_call(ctl, "user show", name, 1, nothing)->code == EX_NOUSER)
		finding(doctor, WARNING, doctor_imapctl(doctor, doctor_text(doctor, "user add %s", doctor->config->postmaster)),
		    "what is sent to postmaster is for %s, who is not there", doctor->config->postmaster);
}

static void
ask(struct doctor *doctor)
{
	const struct span nothing = { NULL, 0 };
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(doctor->order, &code)) == NULL) {
		finding(doctor, WARNING, doctor_text(doctor, "sudo %s", doctor_imapctl(doctor, "doctor")),
		    "the server cannot be asked at %s", doctor->config->control_socket);
		return;
	}
	answer = ctl_call(ctl, "status", NULL, 0, nothing);
	take_status(doctor, answer);
	if (!answer->is_lost && (doctor->config->role & CONFIG_ROLE_MAILBOX) != 0)
		take_orphans(doctor, ctl_call(ctl, "user orphans", NULL, 0, nothing));
	if (!answer->is_lost && doctor->config->postmaster != NULL && doctor->config->directory == CONFIG_DIRECTORY_SQLITE)
		take_postmaster(doctor, ctl);
	ctl_close(&ctl);
	doctor_drift(doctor);
	if (doctor->pid > 0) {
		examine_limit(doctor);
		examine_program(doctor);
	}
}

/* Whether somebody listens there. */
static bool
answers(const struct addrinfo *address)
{
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	struct pollfd wait = { descriptor, POLLOUT, 0 };
	socklen_t length = sizeof error;
	bool is_there = false;

	if (descriptor < 0)
		return false;
	if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0)
		is_there = true;
	else if (errno == EINPROGRESS && poll(&wait, 1, CONNECT_MS) == 1 &&
	    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0)
		is_there = error == 0;
	close(descriptor);
	return is_there;
}

bool
doctor_reaches(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	bool is_there = false;

	if (getaddrinfo(host, port, &hints, &all) != 0)
		return false;
	for (const struct addrinfo *one = all; one != NULL && !is_there; one = one->ai_next)
		is_there = answers(one);
	freeaddrinfo(all);
	return is_there;
}

/* Without a server that would have told of them. */
static void
examine_servers(struct doctor *doctor)
{
	const struct config_servers *servers = &doctor->config->mailbox_server;

	for (size_t i = 0; i < servers->count && (doctor->config->role & CONFIG_ROLE_CAS) != 0; i++) {
		const char *address = servers->at[i].address, *colon = address == NULL ? NULL : strrchr(address, ':');
		bool is_bracketed = address != NULL && address[0] == '[';

		if (colon == NULL)
			continue;
		if (!doctor_reaches(doctor_text(doctor, "%.*s", (int)(colon - address) - 2 * is_bracketed,
			address + is_bracketed), colon + 1))
			finding(doctor, WRONG, doctor_text(doctor, "ssh %s imapctl doctor", servers->at[i].name),
			    "the mailbox server %s cannot be reached at %s", servers->at[i].name, address);
	}
}

void
doctor_server(struct doctor *doctor)
{
	static const char *const units[] = { [CONFIG_ROLE_CAS] = "imapd-cas", [CONFIG_ROLE_MAILBOX] = "imapd-mailbox",
		[CONFIG_ROLE_BOTH] = "imapd" };

	if (doctor->is_running) {
		ask(doctor);
		return;
	}
	if (access("/run/systemd/system", F_OK) == 0 && strcmp(doctor->order->config_path, SYSCONF "/imapd/imapd.conf") == 0)
		finding(doctor, WARNING, doctor_text(doctor, "systemctl start %s", units[doctor->config->role]),
		    "no server runs: nobody answers at %s", doctor->config->control_socket);
	else
		finding(doctor, WARNING, doctor_text(doctor, "imapd --config=%s", doctor->order->config_path),
		    "no server runs: nobody answers at %s", doctor->config->control_socket);
	examine_servers(doctor);
}
