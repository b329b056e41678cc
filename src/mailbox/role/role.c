/*
 * The role as a whole: its parts, made and unmade.  Loop thread.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../incoming/delivery.h"
#include "../session/session.h"
#include "../shared/state.h"
#include "../shared/fault.h"
#include "../shared/shares.h"
#include "base/map.h"
#include "base/thread.h"
#include "config/config.h"
#include "life.h"

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

static void
configure(struct mailbox_role *role)
{
	role->limits = imap_limits_after_login;
	role->limits.line_octets = (size_t)role->parts.config->max_command_size_octets;
	role->limits.message_octets = role->parts.config->message_size_limit_octets;
	role->compression = role->parts.config->storage_compression == CONFIG_COMPRESSION_ZSTD ?
	    STORE_COMPRESSION_ZSTD : STORE_COMPRESSION_NONE;
	delivery_configure(role);
}

bool
mailbox_role_lock(const char *data_directory, struct mailbox_lock *lock_out, char **error_out)
{
	struct mailbox_lock lock;

	assert_off_loop();
	if ((lock.descriptor = lock_directory(data_directory, error_out)) < 0)
		return false;
	if (!make_data_folder(data_directory, error_out)) {
		close(lock.descriptor);
		return false;
	}
	if (!store_era_begin(lock.descriptor, &lock.era) || !store_marks_init(data_directory, lock.era)) {
		*error_out = error_text(data_directory, strerror(errno));
		close(lock.descriptor);
		return false;
	}
	role_sweep_restores(data_directory);
	*lock_out = lock;
	return true;
}

static uint64_t
limit_of(uint64_t configured)
{
	return configured == 0 ? STORE_NO_QUOTA : configured;
}

static struct store_quota
quota_of(const struct config *config)
{
	return (struct store_quota){
		.limits = { {
			[STORE_RESOURCE_STORAGE] = limit_of(config->quota_storage_octets),
			[STORE_RESOURCE_MESSAGE] = limit_of(config->quota_messages),
			[STORE_RESOURCE_MAILBOX] = limit_of(config->quota_mailboxes),
		} },
		.warning_percent = (unsigned)config->quota_warning_percent,
	};
}

static void
open_accounts(struct mailbox_role *role)
{
	const struct config *config = role->parts.config;
	struct accounts_settings settings = {
		.loop = role->parts.loop,
		.storage = role->parts.storage,
		.data_directory = config->data_directory,
		.era = role->lock.era,
		.faults = role->faults,
		.open_max = config->open_databases,
		.is_always_durable = config->flag_sync == CONFIG_FLAG_SYNC_ALWAYS,
		.quota = quota_of(config),
		.retention_s = (int64_t)config->expunge_retention_s,
		.on_lost = state_all_lost,
	};

	role->data_directory = config->data_directory;
	role->accounts = accounts_new(&settings);
}

struct mailbox_role *
mailbox_role_new(const struct mailbox_parts *parts, char **error_out)
{
	struct mailbox_lock lock = parts->lock;
	struct mailbox_role *role;

	if (lock.descriptor == 0 && !mailbox_role_lock(parts->config->data_directory, &lock, error_out))
		return NULL;
	role = NEW(struct mailbox_role);
	role->parts = *parts;
	role->lock = lock;
	list_init(&role->sessions);
	role->by_sid = map_new();
	list_init(&role->deliveries);
	list_init(&role->images);
	list_init(&role->restores);
	list_init(&role->movers);
	list_init(&role->renames);
	role->on_mover = role_take_mover;
	role->on_ended = role_check_stopped;
	role_lookups_init(role);
	role->faults = faults_new();
	open_accounts(role);
	timer_init(&role->drain, parts->loop, role_drain_on_due, role);
	timer_init(&role->trials, parts->loop, role_on_trials_due, role);
	role_on_trials_due(role);
	role_load_quotas(role);
	role_begin_retention(role);
	configure(role);
	shares_begin(role);
	role_begin_renames(role);
	return role;
}

void
mailbox_role_reload(struct mailbox_role *role, const struct config *config)
{
	struct store_quota quota = quota_of(config);

	role->parts.config = config;
	accounts_set_limits(role->accounts, config->open_databases,
	    config->flag_sync == CONFIG_FLAG_SYNC_ALWAYS, &quota, (int64_t)config->expunge_retention_s);
	configure(role);
	role_reload_retention(role);
	LIST_FOREACH(&role->sessions, link)
		session_mask(LIST_ENTRY(link, struct session, link));
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
		.untold = role->untold_count,
	};
	memcpy(status_out->sessions_in, role->sessions_in, sizeof status_out->sessions_in);
}

uint64_t
mailbox_kept_free_octets(void)
{
	return STORE_KEPT_FREE_OCTETS;
}

bool
mailbox_role_fault(const struct mailbox_role *role, size_t index, struct mailbox_fault *fault_out)
{
	return faults_get(role->faults, index, fault_out);
}

void
mailbox_role_free(struct mailbox_role **role)
{
	struct mailbox_role *freed = *role;

	*role = NULL;
	if (freed == NULL)
		return;
	timer_stop(&freed->drain);
	timer_stop(&freed->trials);
	role_free_retention(freed);
	role_close_doors(freed);
	shares_end(freed);
	job_queue_free(&freed->directory_jobs);
	accounts_free(&freed->accounts);
	faults_free(&freed->faults);
	map_free(&freed->by_sid);
	close(freed->lock.descriptor);
	free(freed);
}
