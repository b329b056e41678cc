/*
 * The verb restore: a user's whole file comes in on the operator's connection, and takes its place when it is whole, of the
 * digest that was said, and found to be one of ours.  Of a user who is not in the directory it gets a mailbox id that
 * nobody has, if possible the one of before; the operator then has the user made with that id.  Behind the octets, after
 * the answer to the call, follows
 *
 *	placed MAILBOX-ID MESSAGES
 *	failed CODE TEXT
 *
 * Loop thread; the work functions on workers.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/random.h"
#include "control/words.h"
#include "net/stream.h"
#include "restoring.h"

#define FOLDER	     "restore"		/* in the data directory */
#define USERS	     256		/* of the directory, a page */

static void
refuse(struct restoring *restoring, int code, const char *text)
{
	control_finish(restoring->call, code, text);
	restoring_end(restoring);
}

/* ---- the call --------------------------------------------------------------------------------------------- */

/* Who works with mail that is not to be replaced is not disturbed by finding that out. */
static bool
has_mail(const struct restoring *restoring)
{
	struct buffer path = { 0 };
	struct stat about;
	bool has;

	buffer_printf(&path, "%s/data/%.2s/%s/mail.db", restoring->lookup.role->data_directory, restoring->id, restoring->id);
	has = stat(buffer_string(&path), &about) == 0 && about.st_size > 0;
	buffer_free(&path);
	return has;
}

static void
work_open(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);
	const char *data = restoring->lookup.role->data_directory;
	char name[DIRECTORY_ID_LENGTH + 1];
	struct buffer folder = { 0 };

	if (restoring->is_user_there && !restoring->may_replace && has_mail(restoring)) {
		restoring->error = EEXIST;
		return;
	}
	random_hex(name, DIRECTORY_ID_LENGTH);
	buffer_printf(&folder, "%s/" FOLDER, data);
	if (mkdir(buffer_string(&folder), 0700) != 0 && errno != EEXIST)
		restoring->error = errno;
	snprintf(restoring->path, sizeof restoring->path, "%s/" FOLDER "/%s.db", data, name);
	if (restoring->error == 0)
		restoring->descriptor = open(restoring->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (restoring->error == 0 && restoring->descriptor < 0)
		restoring->error = errno;
	buffer_free(&folder);
}

static bool
is_under_way(const struct restoring *restoring)
{
	LIST_FOREACH(&restoring->lookup.role->restores, link) {
		const struct restoring *other = LIST_ENTRY(link, struct restoring, link);

		if (!other->is_ended && strcmp(restoring_name(other), restoring_name(restoring)) == 0)
			return true;
	}
	return false;
}

static void
on_opened(struct job *job)
{
	struct restoring *restoring = CONTAINER_OF(job, struct restoring, job);
	struct mailbox_role *role = restoring->lookup.role;

	restoring->is_working = false;
	if (is_under_way(restoring)) {
		refuse(restoring, EX_TEMPFAIL, "another restore of this user is under way");
		return;
	}
	if (restoring->error == EEXIST) {
		refuse(restoring, EX_CANTCREAT, RESTORE_HAS_MAIL);
		return;
	}
	if (restoring->error != 0 || role->is_stopping) {
		refuse(restoring, EX_TEMPFAIL, restoring->error != 0 ? strerror(restoring->error) : "not now, try again");
		return;
	}
	restoring->stream = control_take_stream(restoring->call);
	restoring->call = NULL;
	if (restoring->stream == NULL) {
		restoring_end(restoring);
		return;
	}
	list_push_back(&role->restores, &restoring->link);
	restoring_begin(restoring);
}

/* Worker: a mailbox id that somebody has is not for this user. */
static enum directory_status
work_check_id(struct role_ask *ask, struct directory *directory)
{
	struct restoring *restoring = CONTAINER_OF(ask, struct restoring, ask);
	struct directory_user *page = memory_new_array(USERS, sizeof *page);
	struct arena *arena = arena_new();
	enum directory_status status = DIRECTORY_OK;
	struct span after = { NULL, 0 };
	size_t count = USERS;

	while (status == DIRECTORY_OK && count == USERS) {
		status = directory_list(directory, after, arena, page, USERS, &count);
		for (size_t i = 0; status == DIRECTORY_OK && i < count; i++) {
			after = page[i].name;
			if (strcmp(page[i].mailbox_id, restoring->id) == 0)
				random_hex(restoring->id, DIRECTORY_ID_LENGTH);
		}
	}
	arena_free(&arena);
	free(page);
	return status;
}

static void
on_id_checked(struct role_ask *ask)
{
	struct restoring *restoring = CONTAINER_OF(ask, struct restoring, ask);

	if (ask->status == DIRECTORY_OK)
		restoring_submit(restoring, work_open, on_opened);
	else
		refuse(restoring, EX_TEMPFAIL, "not now, try again");
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct restoring *restoring = CONTAINER_OF(lookup, struct restoring, lookup);

	restoring->is_user_there = lookup->status == DIRECTORY_OK;
	if (lookup->status == DIRECTORY_OK) {
		memcpy(restoring->id, lookup->mailbox_id, sizeof restoring->id);
		restoring_submit(restoring, work_open, on_opened);
	} else if (lookup->status == DIRECTORY_NOT_FOUND && directory_is_verifier(lookup->role->parts.directory)) {
		refuse(restoring, EX_NOUSER, "there is no such user; users are made elsewhere, in LDAP");
	} else if (lookup->status == DIRECTORY_NOT_FOUND) {
		restoring->ask.work = work_check_id;
		restoring->ask.done = on_id_checked;
		role_submit_ask(lookup->role, &restoring->ask);
	} else if (lookup->status == DIRECTORY_ELSEWHERE) {
		refuse(restoring, EX_UNAVAILABLE, "the user's mail is on another server");
	} else {
		refuse(restoring, EX_TEMPFAIL, "not now, try again");
	}
}

static bool
read_digest(struct span text, uint8_t digest_out[DIGEST_LENGTH])
{
	uint32_t octet;

	for (size_t i = 0; i < DIGEST_LENGTH; i++) {
		if (!span_to_hex_number(span_slice(text, 2 * i, 2), 2, &octet))
			return false;
		digest_out[i] = (uint8_t)octet;
	}
	return text.length == 2 * DIGEST_LENGTH;
}

/* The words behind the name. */
static bool
read_words(struct restoring *restoring, const struct control_call *call)
{
	struct span id = control_call_word(call, 3);

	restoring->may_replace = control_call_count(call) == 5;
	if (mailbox_is_id(id))
		memcpy(restoring->id, id.at, id.length);
	else
		random_hex(restoring->id, DIRECTORY_ID_LENGTH);
	return (id.length == 0 || mailbox_is_id(id)) && read_digest(control_call_word(call, 2), restoring->sha256) &&
	    span_to_number(control_call_word(call, 1), INT64_MAX, &restoring->size) &&
	    (!restoring->may_replace || span_equals(control_call_word(call, 4), SPAN("replace")));
}

/* NAME SIZE SHA256 MAILBOX-ID [replace]: the id is empty, or that of before. */
static void
on_restore(struct control_call *call, void *context)
{
	struct restoring *restoring = NEW(struct restoring);
	struct role_lookup *lookup = &restoring->lookup;
	size_t count = control_call_count(call);

	if (count < 4 || count > 5 || !read_words(restoring, call)) {
		free(restoring);
		control_finish(call, EX_USAGE, "restore NAME SIZE SHA256 MAILBOX-ID [replace]");
		return;
	}
	if (!directory_prepare_name(control_call_word(call, 0), &lookup->names[0])) {
		free(restoring);
		control_finish(call, EX_DATAERR, "not a name for a user: 1 to 255 octets of UTF-8, no space");
		return;
	}
	list_init(&restoring->link);
	restoring->call = call;
	restoring->descriptor = -1;
	lookup->role = context;
	lookup->role->jobs++;
	lookup->name_count = 1;
	lookup->done = on_looked_up;
	role_look_up(context, lookup);
}

void
role_stop_restores(struct mailbox_role *role)
{
	LIST_FOREACH(&role->restores, link)
		restoring_give_up(LIST_ENTRY(link, struct restoring, link));
}

void
role_sweep_restores(const char *data_directory)
{
	struct buffer path = { 0 };
	const struct dirent *entry;
	DIR *folder;

	buffer_printf(&path, "%s/" FOLDER, data_directory);
	folder = opendir(buffer_string(&path));
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	buffer_free(&path);
}

void
role_register_restore(struct mailbox_role *role, struct control *control)
{
	control_register(control, "restore", CONTROL_CHANGE, on_restore, role);
}
