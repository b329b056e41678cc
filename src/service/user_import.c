/*
 * The verb user import: many users in one call.  A compute worker reads its body, some derive what is a password, the
 * directory's queue writes them all in one transaction, and a record for each line says what has become of it.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "auth/password.h"
#include "base/base64.h"
#include "base/memory.h"
#include "user_import_line.h"
#include "user_job.h"

#define USERS_MAX 4096	/* of a call; the body has its own limit */

struct entry {
	struct user_import_line line;
	const char *refusal;		/* NULL: none */
	struct buffer credential;	/* wiped */
	const struct directory_newcomer *newcomer;	/* NULL: refused */
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* with has_quota, when it was updated */
};

struct import;

/* One of some that derive at a time. */
struct deriver {
	struct job job;
	struct import *import;
	struct entry *entry;
};

struct import {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	struct span body;		/* of the call */
	struct span home;
	bool has_home;
	unsigned flags;
	bool wants_sha1;
	struct arena *arena;
	struct entry *entries;
	size_t count, next;		/* next: to be derived */
	bool has_too_many;
	struct deriver *derivers;
	size_t deriver_count, deriving;
	struct directory_newcomer *newcomers;
	size_t newcomer_count;
	enum directory_status status;
};

static void
import_free(struct import *import)
{
	import->service->jobs--;
	for (size_t i = 0; i < import->count; i++) {
		buffer_wipe(&import->entries[i].credential);
	}
	free(import->entries);
	free(import->derivers);
	free(import->newcomers);
	arena_free(&import->arena);
	free(import);
}

/* ---- The lines; a compute worker ------------------------------------------------------------------------- */

static void
read_work(struct job *job)
{
	struct import *import = CONTAINER_OF(job, struct import, job);
	struct span rest = import->body;
	size_t capacity = 0;

	while (rest.length > 0) {
		size_t length = span_find(rest, '\n');
		struct entry *entry;

		if (import->count == USERS_MAX) {
			import->has_too_many = true;
			return;
		}
		if (import->count == capacity)
			import->entries = memory_resize(import->entries, capacity = 2 * capacity + 64, sizeof *entry);
		entry = &import->entries[import->count++];
		*entry = (struct entry){ .refusal = NULL };
		entry->refusal = user_import_read_line(span_slice(rest, 0, length), import->arena, &entry->line);
		rest = span_from(rest, length + 1);
	}
}

/* ---- The directory ---------------------------------------------------------------------------------------- */

/* What has become of a line. */
static const char *
state_of(const struct entry *entry)
{
	static const char *const states[] = {
		[DIRECTORY_ADDED] = "added", [DIRECTORY_UPDATED] = "updated",
		[DIRECTORY_IS_ALIAS] = "alias", [DIRECTORY_WAS_THERE] = "there",
	};

	return entry->newcomer == NULL ? entry->refusal : states[entry->newcomer->outcome];
}

static void
answer(struct import *import)
{
	for (size_t i = 0; i < import->count && import->status == DIRECTORY_OK; i++)
		control_replyf(import->call, "arrival line:=%zu state=%s", i + 1, state_of(&import->entries[i]));
	users_finish(import->call, import->status);
	import_free(import);
}

static bool
is_updated(const struct entry *entry)
{
	return entry->newcomer != NULL && entry->newcomer->outcome == DIRECTORY_UPDATED;
}

/* Worker: what a user may keep now, for those who work with the mail. */
static void
find_quota(struct import *import, struct entry *entry)
{
	struct directory_user user;

	if (directory_lookup(import->directory, entry->newcomer->name, import->arena, &user) == DIRECTORY_OK) {
		entry->line.quota = user.quota;
		memcpy(entry->mailbox_id, user.mailbox_id, sizeof entry->mailbox_id);
	}
}

static void
directory_work(struct job *job)
{
	struct import *import = CONTAINER_OF(job, struct import, job);

	import->status = directory_import(import->directory, import->newcomers, import->newcomer_count, import->flags);
	for (size_t i = 0; i < import->count && import->status == DIRECTORY_OK; i++)
		if (is_updated(&import->entries[i]) && import->entries[i].line.has_quota)
			find_quota(import, &import->entries[i]);
}

static void
tell_services(struct service *service, const struct entry *entry)
{
	if (entry->line.has_enabled && !entry->line.is_enabled)
		users_end_sessions(service, directory_name_span(&entry->line.name));
	if (service->mailbox != NULL && entry->mailbox_id[0] != '\0')
		mailbox_role_note_quota(service->mailbox, entry->mailbox_id, &entry->line.quota);
}

static void
on_directory_done(struct job *job)
{
	struct import *import = CONTAINER_OF(job, struct import, job);
	bool is_kept = import->status == DIRECTORY_OK && (import->flags & DIRECTORY_IMPORT_TRIAL) == 0;

	for (size_t i = 0; i < import->count && is_kept; i++)
		if (is_updated(&import->entries[i]))
			tell_services(import->service, &import->entries[i]);
	answer(import);
}

static void
list_newcomers(struct import *import)
{
	import->newcomers = memory_new_array(import->count + 1, sizeof *import->newcomers);
	for (size_t i = 0; i < import->count; i++) {
		struct entry *entry = &import->entries[i];

		if (entry->refusal != NULL)
			continue;
		entry->newcomer = &import->newcomers[import->newcomer_count];
		import->newcomers[import->newcomer_count++] = (struct directory_newcomer){
			.name = directory_name_span(&entry->line.name),
			.credential = entry->line.hash.length > 0 ? entry->line.hash : buffer_span(&entry->credential),
			.has_credential = entry->line.hash.length > 0 || entry->credential.length > 0,
			.home = import->home, .has_home = import->has_home,
			.has_enabled = entry->line.has_enabled, .is_enabled = entry->line.is_enabled,
			.quota = entry->line.quota,
		};
	}
}

static void
ask_directory(struct import *import)
{
	list_newcomers(import);
	import->job.work = directory_work;
	import->job.done = on_directory_done;
	if (job_queue_submit(import->service->directory_queue, &import->job))
		return;
	import->status = DIRECTORY_UNAVAILABLE;
	answer(import);
}

/* ---- Passwords -------------------------------------------------------------------------------------------- */

static void
derive_work(struct job *job)
{
	struct deriver *deriver = CONTAINER_OF(job, struct deriver, job);
	struct entry *entry = deriver->entry;
	struct buffer password = { 0 };

	buffer_reserve(&password, entry->line.password.length + 1);
	if (!base64_decode(entry->line.password, &password) ||
	    !password_derive(buffer_span(&password), deriver->import->wants_sha1, &entry->credential))
		entry->refusal = "bad-password";
	buffer_wipe(&password);
}

/* Whose password is to be derived next; NULL: nobody's. */
static struct entry *
next_entry(struct import *import)
{
	while (import->next < import->count) {
		struct entry *entry = &import->entries[import->next++];

		if (entry->refusal == NULL && entry->line.hash.length == 0 && entry->line.password.length > 0 &&
		    (import->flags & DIRECTORY_IMPORT_TRIAL) == 0)
			return entry;
	}
	return NULL;
}

static void on_derived(struct job *job);

/* False: there is nothing left to do. */
static bool
derive_next(struct deriver *deriver)
{
	if ((deriver->entry = next_entry(deriver->import)) == NULL)
		return false;
	deriver->job.work = derive_work;
	deriver->job.done = on_derived;
	workers_submit(deriver->import->service->compute, &deriver->job);
	return true;
}

static void
on_derived(struct job *job)
{
	struct deriver *deriver = CONTAINER_OF(job, struct deriver, job);
	struct import *import = deriver->import;

	if (!derive_next(deriver) && --import->deriving == 0)
		ask_directory(import);
}

/* No more at a time than there are workers: those who log in meanwhile wait for one password, not for all. */
static void
derive_all(struct import *import)
{
	import->deriver_count = workers_threads(import->service->compute) + 1;
	import->derivers = memory_new_array(import->deriver_count, sizeof *import->derivers);
	for (size_t i = 0; i < import->deriver_count; i++) {
		import->derivers[i].import = import;
		if (!derive_next(&import->derivers[i]))
			break;
		import->deriving++;
	}
	if (import->deriving == 0)
		ask_directory(import);
}

static void
on_read(struct job *job)
{
	struct import *import = CONTAINER_OF(job, struct import, job);

	if (!import->has_too_many) {
		derive_all(import);
		return;
	}
	control_finish(import->call, EX_USAGE, "too many users in one call");
	import_free(import);
}

/* ---- The call --------------------------------------------------------------------------------------------- */

/* False: the call was answered. */
static bool
read_options(struct import *import)
{
	struct control_call *call = import->call;
	struct span home;

	for (size_t i = 0; i < control_call_count(call); i++) {
		struct span word = control_call_word(call, i);

		if (span_equals(word, SPAN("update"))) {
			import->flags |= DIRECTORY_IMPORT_UPDATES;
		} else if (span_equals(word, SPAN("dry-run"))) {
			import->flags |= DIRECTORY_IMPORT_TRIAL;
		} else if (span_starts_with(word, SPAN("home="))) {
			home = span_from(word, 5);
			if (!user_home_check(import->service, call, home))
				return false;
			import->has_home = true;
			import->home = arena_copy(import->arena, home);
		} else {
			control_finish(call, EX_USAGE, "update, dry-run and home=SERVER may be said");
			return false;
		}
	}
	return true;
}

static void
on_import(struct control_call *call, void *context)
{
	struct import *import = NEW(struct import);

	import->service = context;
	import->service->jobs++;
	import->call = call;
	import->directory = import->service->directory;
	import->body = control_call_body(call);
	import->wants_sha1 = config_wants_sha1_keys(import->service->config);
	import->arena = arena_new();
	if (!read_options(import)) {
		import_free(import);
		return;
	}
	import->job.work = read_work;
	import->job.done = on_read;
	workers_submit(import->service->compute, &import->job);
}

void
user_import_register(struct service *service)
{
	control_register(service->control, "user import", CONTROL_CHANGE, on_import, service);
}
