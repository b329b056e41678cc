/*
 * Whether clients should be sent here: the cas has somebody behind it and a certificate that is good, the mailbox
 * service can write and has room.  What the disk says is asked of a worker.  Loop thread, but for work().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

struct question {
	struct job job;
	struct service *service;
	readiness_known *on_known;
	void *context;
	char *data_directory;
	int error;			/* why nothing can be written there; 0: it can */
	uint64_t free_octets;
};

static void
note(struct buffer *troubles, const char *trouble)
{
	if (troubles->length > 0)
		buffer_add_string(troubles, "; ");
	buffer_add_string(troubles, trouble);
}

static bool
has_server(const struct service *service)
{
	struct link_server_state server;

	for (size_t i = 0; link_server_state(service->link, i, &server); i++) {
		if (server.state == LINK_SERVER_UP)
			return true;
	}
	return service_has_mailboxes(service);
}

static void
note_expired(const char *name, int64_t ends_s, void *context)
{
	if (ends_s < clock_calendar_s()) {
		note(context, "the certificate has expired: ");
		buffer_add_string(context, name);
	}
}

static void
check_cas(const struct service *service, struct buffer *troubles)
{
	if (!has_server(service))
		note(troubles, "no mailbox server answers");
	certificates_walk(service, note_expired, troubles);
}

static void
note_disk(const struct role *role, const struct problem *problem, void *context)
{
	(void)role;
	if (strcmp(problem->kind, "disk-full") == 0 || strcmp(problem->kind, "disk-failed") == 0)
		note(context, problem->kind);
}

static void
check_mailbox(const struct question *question, struct buffer *troubles)
{
	problems_walk(&question->service->roles[ROLE_MAILBOX], note_disk, troubles);
	if (question->error != 0) {
		note(troubles, "nothing can be written: ");
		buffer_add_string(troubles, strerror(question->error));
	}
	if (question->free_octets < mailbox_kept_free_octets())
		note(troubles, "the disk is full");
}

/* A line "cas: ok". */
static bool
tell_role(const struct question *question, size_t which, struct buffer *lines)
{
	const struct role *role = &question->service->roles[which];
	struct buffer troubles = { 0 };
	bool is_ready;

	if (!role->is_played)
		return true;
	if (role->state != ROLE_RUNNING)
		note(&troubles, role_state_name(role->state));
	else if (which == ROLE_CAS)
		check_cas(question->service, &troubles);
	else
		check_mailbox(question, &troubles);
	is_ready = troubles.length == 0;
	buffer_printf(lines, "%s: %s\n", role->kind->name, is_ready ? "ok" : buffer_string(&troubles));
	buffer_free(&troubles);
	return is_ready;
}

/* A file without a name: nothing is left of it. */
static void
work(struct job *job)
{
	struct question *question = CONTAINER_OF(job, struct question, job);
	struct statvfs about;
	int file;

	assert_off_loop();
	file = open(question->data_directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		question->error = access(question->data_directory, W_OK) == 0 ? 0 : errno;
	else if (file < 0)
		question->error = errno;
	else
		close(file);
	question->free_octets = UINT64_MAX;
	if (statvfs(question->data_directory, &about) == 0)
		question->free_octets = (uint64_t)about.f_bavail * about.f_frsize;
}

static void
on_done(struct job *job)
{
	struct question *question = CONTAINER_OF(job, struct question, job);
	struct buffer lines = { 0 };
	bool is_ready = true;

	question->service->jobs--;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		is_ready = tell_role(question, i, &lines) && is_ready;
	question->on_known(is_ready, buffer_span(&lines), question->context);
	buffer_free(&lines);
	free(question->data_directory);
	free(question);
}

void
readiness_ask(struct service *service, readiness_known *on_known, void *context)
{
	struct question *question = NEW(struct question);

	question->service = service;
	question->on_known = on_known;
	question->context = context;
	question->data_directory = memory_copy_string(service->config->data_directory);
	question->job.work = work;
	question->job.done = on_done;
	service->jobs++;
	workers_submit(service->reports, &question->job);
}
