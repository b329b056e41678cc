/*
 * The role as a whole: its parts, who may come in, and how it ends.  Loop thread.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "../session/session.h"
#include "../shared/role.h"
#include "../shared/state.h"
#include "base/log.h"
#include "base/thread.h"
#include "config/config.h"
#include "control/control.h"
#include "link/link.h"
#include "net/listener.h"
#include "net/stream.h"

#define LOOKUPS_MAX (1u << 20)		/* never reached: connections are bounded */

static char *
error_text(const char *path, const char *what)
{
	struct buffer text = { 0 };
	char *copy;

	buffer_printf(&text, "%s: %s", path, what);
	copy = memory_copy_string(buffer_string(&text));
	buffer_free(&text);
	return copy;
}

static char *
join(const char *directory, const char *name)
{
	struct buffer path = { 0 };
	char *copy;

	buffer_printf(&path, "%s/%s", directory, name);
	copy = memory_copy_string(buffer_string(&path));
	buffer_free(&path);
	return copy;
}

/* Two processes on the same files would corrupt them (DESIGN section 7): a lock that dies with its holder. */
static int
lock_directory(const char *directory, char **error_out)
{
	char *path = join(directory, "lock");
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (descriptor < 0) {
		*error_out = error_text(path, strerror(errno));
	} else if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
		*error_out = error_text(path, errno == EWOULDBLOCK ? "another imapd uses this data directory"
								   : strerror(errno));
		close(descriptor);
		descriptor = -1;
	}
	free(path);
	return descriptor;
}

/* The folder of the users' folders, its name flushed. */
static bool
make_data_folder(const char *directory, char **error_out)
{
	char *path = join(directory, "data");
	bool is_good = mkdir(path, 0700) == 0 || errno == EEXIST;
	int descriptor = is_good ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	is_good = descriptor >= 0 && fsync(descriptor) == 0;
	if (!is_good)
		*error_out = error_text(path, strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	free(path);
	return is_good;
}

/* The directory is asked by one job at a time. */
static void
run_lookup(struct role_lookup *lookup)
{
	struct directory *directory = lookup->role->parts.directory;
	struct arena *arena = arena_new();
	struct directory_user user;

	lookup->status = DIRECTORY_NOT_FOUND;
	for (size_t i = 0; i < lookup->name_count && lookup->status == DIRECTORY_NOT_FOUND; i++)
		lookup->status = directory_lookup(directory, directory_name_span(&lookup->names[i]), arena, &user);
	if (lookup->status == DIRECTORY_OK) {
		memcpy(lookup->mailbox_id, user.mailbox_id, sizeof lookup->mailbox_id);
		directory_prepare_name(user.name, &lookup->found);
		if (lookup->credential != NULL && user.is_enabled)
			buffer_add_span(lookup->credential, user.credential);
	}
	arena_free(&arena);
}

static void
run_lookups(void *context, struct list *jobs)
{
	(void)context;
	while (!list_is_empty(jobs)) {
		struct job *job = LIST_ENTRY(jobs->next, struct job, link);

		run_lookup(CONTAINER_OF(job, struct role_lookup, job));
		job_complete(job);
	}
}

static void
on_looked_up(struct job *job)
{
	struct role_lookup *lookup = CONTAINER_OF(job, struct role_lookup, job);
	struct mailbox_role *role = lookup->role;

	lookup->done(lookup);
	role->jobs--;
	role_check_stopped(role);
}

void
role_look_up(struct mailbox_role *role, struct role_lookup *lookup)
{
	bool is_taken;

	lookup->role = role;
	lookup->job.done = on_looked_up;
	role->jobs++;
	is_taken = job_queue_submit(role->directory_jobs, &lookup->job);
	assert(is_taken);
	(void)is_taken;
}

static void
configure(struct mailbox_role *role)
{
	role->limits = imap_limits_after_login;
	role->limits.line_octets = (size_t)role->parts.config->max_command_size_octets;
	role->limits.message_octets = role->parts.config->message_size_limit_octets;
	delivery_configure(role);
}

int
mailbox_role_lock(const char *data_directory, char **error_out)
{
	int lock;

	assert_off_loop();
	lock = lock_directory(data_directory, error_out);
	if (lock >= 0 && !make_data_folder(data_directory, error_out)) {
		close(lock);
		lock = -1;
	}
	return lock;
}

struct mailbox_role *
mailbox_role_new(const struct mailbox_parts *parts, char **error_out)
{
	const struct config *config = parts->config;
	int lock = parts->lock > 0 ? parts->lock : mailbox_role_lock(config->data_directory, error_out);
	struct mailbox_role *role;
	struct accounts_settings settings = {
		.loop = parts->loop,
		.storage = parts->storage,
		.data_directory = config->data_directory,
		.open_max = config->open_databases,
		.is_always_durable = config->flag_sync == CONFIG_FLAG_SYNC_ALWAYS,
		.on_lost = state_all_lost,
	};

	if (lock < 0)
		return NULL;
	role = NEW(struct mailbox_role);
	role->parts = *parts;
	role->lock = lock;
	list_init(&role->sessions);
	list_init(&role->deliveries);
	role->directory_jobs = job_queue_new(parts->storage, run_lookups, role);
	job_queue_set_limits(role->directory_jobs, 64, LOOKUPS_MAX);
	role->accounts = accounts_new(&settings);
	timer_init(&role->drain, parts->loop, role_drain_on_due, role);
	configure(role);
	return role;
}

void
mailbox_role_reload(struct mailbox_role *role, const struct config *config)
{
	role->parts.config = config;
	accounts_set_limits(role->accounts, config->open_databases,
	    config->flag_sync == CONFIG_FLAG_SYNC_ALWAYS);
	configure(role);
}

/* Who comes in. */

static void
on_delivery_accepted(struct stream *stream, void *context)
{
	delivery_accept(context, stream);
}

static void
on_link_arrived(struct stream *stream, void *context)
{
	mailbox_role_accept(context, stream);
}

static void
write_address(const struct config_listener *listener, struct buffer *out)
{
	if (listener->path != NULL)
		buffer_add_string(out, listener->path);
	else
		buffer_printf(out, strchr(listener->host, ':') != NULL ? "[%s]:%u" : "%s:%u", listener->host,
		    listener->port);
}

static void
free_listeners(struct mailbox_role *role)
{
	for (size_t i = 0; i < role->listener_count; i++)
		listener_free(&role->listeners[i]);
	free(role->listeners);
	role->listeners = NULL;
	role->listener_count = 0;
}

bool
mailbox_role_listen(struct mailbox_role *role, char **error_out)
{
	const struct config_listeners *wanted = &role->parts.config->lmtp_listen;
	struct buffer address = { 0 };
	bool is_good = true;

	role->listeners = memory_new_array(wanted->count, sizeof role->listeners[0]);
	for (size_t i = 0; i < wanted->count && is_good; i++) {
		struct listener *listener;

		buffer_clear(&address);
		write_address(&wanted->at[i], &address);
		/* Whoever may send mail on this host may deliver it: as with the program sendmail. */
		listener = listener_new(role->parts.loop, buffer_string(&address), 0666, on_delivery_accepted,
		    role, error_out);
		is_good = listener != NULL;
		if (is_good)
			role->listeners[role->listener_count++] = listener;
	}
	buffer_free(&address);
	is_good = is_good && (role->parts.link == NULL || link_listen(role->parts.link, error_out));
	if (!is_good)
		free_listeners(role);
	else if (role->parts.link != NULL)
		link_serve(role->parts.link, on_link_arrived, role);
	return is_good;
}

const char *
mailbox_role_listener(const struct mailbox_role *role, size_t index)
{
	return index < role->listener_count ? listener_address(role->listeners[index]) : NULL;
}

void
mailbox_role_accept(struct mailbox_role *role, struct stream *stream)
{
	struct session *session = session_new(role, stream);

	session_greet(session);
	if (role->is_stopping)
		session_bye(session, "UNAVAILABLE", "the server is stopping");
}

/* A stream whose user is known: imapctl's. */
struct attach {
	struct role_lookup lookup;
	struct stream *stream;
	struct control_call *call;	/* or a call that gives the stream */
};

static void
begin_attached(struct mailbox_role *role, struct attach *attach)
{
	const struct role_lookup *lookup = &attach->lookup;
	struct session *session;

	if (lookup->status != DIRECTORY_OK || role->is_stopping) {
		stream_write(attach->stream, SPAN("* BYE [UNAVAILABLE] no such user, or not now\r\n"));
		stream_close_after_flush(&attach->stream, 1000);
		return;
	}
	session = session_new(role, attach->stream);
	session_login(session, directory_name_span(&lookup->found), lookup->mailbox_id);
	session_greet(session);
}

static void
on_attach_looked_up(struct role_lookup *lookup)
{
	struct attach *attach = CONTAINER_OF(lookup, struct attach, lookup);

	begin_attached(lookup->role, attach);
	free(attach);
}

void
mailbox_role_attach(struct mailbox_role *role, struct stream *stream, struct span user)
{
	struct attach *attach = NEW(struct attach);

	attach->stream = stream;
	attach->lookup.name_count = directory_prepare_name(user, &attach->lookup.names[0]) ? 1 : 0;
	attach->lookup.done = on_attach_looked_up;
	role_look_up(role, &attach->lookup);
}

static void
on_call_looked_up(struct role_lookup *lookup)
{
	struct attach *attach = CONTAINER_OF(lookup, struct attach, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND)
		control_finish(attach->call, EX_NOUSER, "no such user");
	else if (lookup->status != DIRECTORY_OK || lookup->role->is_stopping)
		control_finish(attach->call, EX_TEMPFAIL, "not now, try again");
	else if ((attach->stream = control_take_stream(attach->call)) != NULL)
		begin_attached(lookup->role, attach);
	free(attach);
}

static void
on_session_call(struct control_call *call, void *context)
{
	struct attach *attach;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "session USER");
		return;
	}
	attach = NEW(struct attach);
	attach->call = call;
	attach->lookup.name_count =
	    directory_prepare_name(control_call_word(call, 0), &attach->lookup.names[0]) ? 1 : 0;
	attach->lookup.done = on_call_looked_up;
	role_look_up(context, &attach->lookup);
}

void
mailbox_role_register(struct mailbox_role *role, struct control *control)
{
	control_register(control, "session", CONTROL_CHANGE, on_session_call, role);
}

void
mailbox_role_status(const struct mailbox_role *role, struct mailbox_status *status_out)
{
	*status_out = (struct mailbox_status){
		.sessions = role->sessions_count,
		.deliveries = role->deliveries_count,
		.accounts = accounts_count(role->accounts),
		.open_stores = accounts_open_count(role->accounts),
		.logins = role->logins,
		.appended = role->appended,
		.delivered = role->delivered,
	};
}

/* The end. */

static void
on_accounts_stopped(void *context)
{
	struct mailbox_role *role = context;

	timer_stop(&role->drain);
	role->on_stopped(role->stopped_context);
}

void
role_check_stopped(struct mailbox_role *role)
{
	if (!role->is_stopping || role->is_closing_accounts || role->sessions_count > 0 ||
	    role->deliveries_count > 0 || role->jobs > 0)
		return;
	role->is_closing_accounts = true;
	accounts_stop(role->accounts, on_accounts_stopped, role);
}

void
role_close(struct mailbox_role *role)
{
	role->is_stopping = true;
	if (role->parts.link != NULL) {
		link_serve(role->parts.link, NULL, NULL);
		link_close_ports(role->parts.link);
	}
	free_listeners(role);
	delivery_stop_all(role);
	role_check_stopped(role);
}

void
role_bye_all(struct mailbox_role *role)
{
	LIST_FOREACH(&role->sessions, link)
		session_bye(LIST_ENTRY(link, struct session, link), "UNAVAILABLE", "the server is stopping");
}

void
mailbox_role_end_user(struct mailbox_role *role, struct span user)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->user != NULL && span_equals(span_from_string(session->user), user))
			session_bye(session, NULL, "Logged out by the administrator");
	}
}

void
mailbox_role_stop(struct mailbox_role *role, mailbox_stopped *on_stopped, void *context)
{
	role->on_stopped = on_stopped;
	role->stopped_context = context;
	role_bye_all(role);
	role_close(role);
}

void
mailbox_role_free(struct mailbox_role **role)
{
	struct mailbox_role *freed = *role;

	*role = NULL;
	if (freed == NULL)
		return;
	timer_stop(&freed->drain);
	free_listeners(freed);
	job_queue_free(&freed->directory_jobs);
	accounts_free(&freed->accounts);
	close(freed->lock);
	free(freed);
}
