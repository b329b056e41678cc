/*
 * The verb user rename.  The directory notes and checks it; where other hosts have mail, the cas asks and tells them; and the
 * mailbox role changes the files that say the old name.  Each of them goes on with it after a restart, too, so that the call
 * only waits.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/words.h"
#include "directory/renaming.h"
#include "link/relay.h"
#include "internal.h"

struct user_rename {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	struct directory_rename row;
	bool has_cas, has_mailboxes;	/* by the configuration: roles of this host */
	enum directory_hindrance hindrance;
	enum directory_status status;
	const char *refusal;		/* static; or NULL */
	unsigned waits;			/* for the cas, for the mailbox role */
	int code;
	struct buffer text;
};

static void
user_rename_free(struct user_rename *renaming)
{
	renaming->service->jobs--;
	buffer_free(&renaming->text);
	free(renaming);
}

static struct span
old_name(const struct user_rename *renaming)
{
	return directory_name_span(&renaming->row.name);
}

static struct span
new_name(const struct user_rename *renaming)
{
	return directory_name_span(&renaming->row.new_name);
}

/* ---- what is told --------------------------------------------------------------------------------------- */

static void
tell_setting(const struct user_rename *renaming, const char *option)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("setting"));
	control_add_field(&line, "option", span_from_string(option));
	control_reply(renaming->call, buffer_span(&line));
	buffer_free(&line);
}

/* Where the configuration means the user by the old name. */
static void
tell_settings(const struct user_rename *renaming)
{
	const struct config *config = renaming->service->config;
	const char *from = renaming->row.name.text, *to = renaming->row.new_name.text;
	struct directory_name name;
	bool is_denied = false, is_masked = false;

	for (size_t i = 0; i < config->deny_users.count; i++)
		is_denied |= directory_prepare_name(span_from_string(config->deny_users.at[i]), &name) &&
		    span_equals(directory_name_span(&name), old_name(renaming));
	for (size_t i = 0; i < config->capability_mask.count; i++) {
		const char *pattern = config->capability_mask.at[i].user;

		is_masked |= pattern != NULL && fnmatch(pattern, from, 0) == 0 && fnmatch(pattern, to, 0) != 0;
	}
	if (config->postmaster != NULL && directory_prepare_name(span_from_string(config->postmaster), &name) &&
	    span_equals(directory_name_span(&name), old_name(renaming)) && !renaming->row.is_alias)
		tell_setting(renaming, "postmaster");
	if (is_denied)
		tell_setting(renaming, "deny-users");
	if (is_masked)
		tell_setting(renaming, "capability-mask");
}

static void
finish(struct user_rename *renaming, int code, const char *text)
{
	control_finish(renaming->call, code, text);
	user_rename_free(renaming);
}

static void
reply(struct user_rename *renaming, struct span state)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("rename"));
	control_add_field(&line, "former", old_name(renaming));
	control_add_field(&line, "user", new_name(renaming));
	control_add_field(&line, "alias", renaming->row.is_alias ? SPAN("yes") : SPAN("no"));
	control_add_field(&line, "state", state);
	control_reply(renaming->call, buffer_span(&line));
	buffer_free(&line);
}

static void
finish_renamed(struct user_rename *renaming)
{
	reply(renaming, renaming->code == EX_OK ? SPAN("done") : SPAN("going-on"));
	tell_settings(renaming);
	finish(renaming, renaming->code, renaming->code == EX_OK ? NULL : buffer_string(&renaming->text));
}

static void
refuse(struct user_rename *renaming)
{
	static const struct {
		int code;
		const char *text;
	} answers[] = {
		[DIRECTORY_NO_USER] = { EX_NOUSER, "there is no such user" },
		[DIRECTORY_SAME_NAME] = { EX_DATAERR, "both names are the same" },
		[DIRECTORY_NEW_IS_USER] = { EX_CANTCREAT, "there is a user of the new name already" },
		[DIRECTORY_NEW_IS_ALIAS] = { EX_CANTCREAT, "the new name is somebody else's alias: `imapctl alias list'" },
		[DIRECTORY_NEW_IS_GROUP] = { EX_CANTCREAT, "there is a group of the new name: `imapctl group list'" },
		[DIRECTORY_USERS_MOVE] = { EX_TEMPFAIL, "this user or another is being moved: try again when `imapctl move --status' says that it has ended" },
		[DIRECTORY_USERS_ARE_RENAMED] = { EX_TEMPFAIL, "one of the two names belongs to a user who is being renamed: try again in a while" },
	};

	finish(renaming, answers[renaming->hindrance].code, answers[renaming->hindrance].text);
}

/* ---- the steps ------------------------------------------------------------------------------------------ */

static void
end_wait(struct user_rename *renaming)
{
	if (--renaming->waits == 0)
		finish_renamed(renaming);
}

static void
go_on_later(struct user_rename *renaming, const char *text)
{
	renaming->code = EX_TEMPFAIL;
	if (renaming->text.length > 0)
		buffer_add_string(&renaming->text, "; ");
	else
		buffer_add_string(&renaming->text, "the user has the new name; ");
	buffer_add_string(&renaming->text, text);
}

static void
on_files_renamed(enum mailbox_renaming outcome, void *context)
{
	struct user_rename *renaming = context;

	if (outcome != MAILBOX_RENAMED)
		go_on_later(renaming, "not every file that says the old one could be changed now: that goes on by itself");
	end_wait(renaming);
}

/* The user has the new name in the directory of this host. */
static void
take_effect(struct user_rename *renaming)
{
	struct service *service = renaming->service;

	log_info("rename-begun", log_span("user", new_name(renaming)), log_span("former", old_name(renaming)),
	    log_text("by", control_call_peer(renaming->call)));
	if (service->cas != NULL)
		cas_end_user(service->cas, old_name(renaming));
	if (service_has_mailboxes(service)) {
		renaming->waits++;
		mailbox_role_rename(service->mailbox, renaming->row.name.text, on_files_renamed, renaming);
	} else if (renaming->has_mailboxes) {
		go_on_later(renaming, "the mailbox service is stopped: when it starts it changes what says the old one");
	}
}

static void
on_servers_told(enum cas_renaming outcome, const char *why, void *context)
{
	struct user_rename *renaming = context;

	switch (outcome) {
	case CAS_RENAME_SWITCHED:
		take_effect(renaming);
		return;
	case CAS_RENAME_REFUSED:
		finish(renaming, EX_TEMPFAIL, why);
		return;
	case CAS_RENAME_WAITS:
		go_on_later(renaming, why);
		break;
	case CAS_RENAME_TOLD:
		break;
	}
	end_wait(renaming);
}

static void
on_begun(struct job *job)
{
	struct user_rename *renaming = CONTAINER_OF(job, struct user_rename, job);
	struct cas *cas = renaming->service->cas;

	if (renaming->refusal != NULL) {
		finish(renaming, EX_UNAVAILABLE, renaming->refusal);
	} else if (renaming->status != DIRECTORY_OK) {
		users_finish(renaming->call, renaming->status);
		user_rename_free(renaming);
	} else if (renaming->hindrance != DIRECTORY_UNHINDERED) {
		refuse(renaming);
	} else if (renaming->row.is_over) {
		finish_renamed(renaming);
	} else if (renaming->row.is_told && !renaming->row.is_switched) {
		finish(renaming, EX_TEMPFAIL, "the host with role cas has begun to rename this user: it says how that ends; "
		    "if it never does, --abandon lets both names go here");
	} else if (renaming->row.is_told) {
		renaming->waits++;
		take_effect(renaming);
		end_wait(renaming);
	} else if (cas == NULL) {
		finish(renaming, EX_UNAVAILABLE, "the service cas is stopped, which tells the mailbox servers: start it first");
	} else {
		renaming->waits++;
		cas_rename(cas, &renaming->row, on_servers_told, renaming);
	}
}

/* ---- one that another host has begun -------------------------------------------------------------------- */

static void
on_abandoned(struct job *job)
{
	struct user_rename *renaming = CONTAINER_OF(job, struct user_rename, job);

	if (renaming->status != DIRECTORY_OK) {
		users_finish(renaming->call, renaming->status);
		user_rename_free(renaming);
	} else if (renaming->refusal != NULL) {
		finish(renaming, renaming->code, renaming->refusal);
	} else {
		log_info("rename-ended", log_span("user", new_name(renaming)), log_span("former", old_name(renaming)),
		    log_text("rename", renaming->row.rename_id), log_text("verdict", "abandoned"),
		    log_text("by", control_call_peer(renaming->call)));
		reply(renaming, SPAN("abandoned"));
		finish(renaming, EX_OK, NULL);
	}
}

/* Worker: what has happened, or was ordered here, comes to its end by itself. */
static void
drop(struct user_rename *renaming, const struct directory_rename *row)
{
	renaming->code = EX_UNAVAILABLE;
	if (row->is_switched)
		renaming->refusal = "here the user has the new name already, and that comes to its end by itself";
	else if (!row->is_told)
		renaming->refusal = "this host has ordered it, and brings it to its end by itself";
	else
		renaming->status = directory_rename_drop(renaming->directory, row);
	renaming->row = *row;
}

static void
work_abandon(struct job *job)
{
	struct user_rename *renaming = CONTAINER_OF(job, struct user_rename, job);
	struct arena *arena = arena_new();
	struct directory_rename *rows;
	size_t count = 0;

	renaming->code = EX_NOUSER;
	renaming->refusal = "no rename of this user to that name has been begun here";
	renaming->status = directory_rename_list(renaming->directory, arena, &rows, &count);
	for (size_t i = 0; i < count; i++) {
		if (span_equals(directory_name_span(&rows[i].name), old_name(renaming)) &&
		    span_equals(directory_name_span(&rows[i].new_name), new_name(renaming))) {
			renaming->refusal = NULL;
			drop(renaming, &rows[i]);
			break;
		}
	}
	arena_free(&arena);
}

/* ---- beginning ------------------------------------------------------------------------------------------ */

/* Worker: whether the user's mail is where this host can say something of it; NULL: so it is. */
static const char *
check_home(const struct user_rename *renaming, struct span home)
{
	struct link_home read;

	if (directory_home_is_foreign(home))
		return link_home_read(home, &read) == NULL && read.user[0] != '\0' ? NULL :
		    "the user is at a server of another kind still, by this name: let `imapctl user set NAME --home=imaps://NAME@HOST' "
		    "say what the user is called there, then rename";
	return home.length == 0 || renaming->has_cas ? NULL :
	    "the user's mail is on another host: rename the user on the host with role cas";
}

static void
work_begin(struct job *job)
{
	struct user_rename *renaming = CONTAINER_OF(job, struct user_rename, job);
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status = directory_lookup(renaming->directory, old_name(renaming), arena, &user);

	if (status == DIRECTORY_OK)
		renaming->refusal = check_home(renaming, user.home);
	if (status == DIRECTORY_OK && directory_is_verifier(renaming->directory) && !user.is_shared)
		renaming->status = DIRECTORY_READ_ONLY;
	else if (status != DIRECTORY_OK && status != DIRECTORY_NOT_FOUND && status != DIRECTORY_ELSEWHERE)
		renaming->status = status;
	else if (renaming->refusal == NULL)
		renaming->status = directory_rename_begin(renaming->directory, &renaming->row, &renaming->hindrance);
	arena_free(&arena);
}

/* False: the call was answered. */
static bool
read_words(const struct service *service, struct control_call *call, struct directory_rename *row, bool *is_abandoned_out)
{
	size_t count = control_call_count(call);

	row->is_alias = count == 3 && span_equals(control_call_word(call, 2), SPAN("alias"));
	*is_abandoned_out = count == 3 && span_equals(control_call_word(call, 2), SPAN("abandon"));
	if (count < 2 || count > 3 || (count == 3 && !row->is_alias && !*is_abandoned_out))
		control_finish(call, EX_USAGE, "user rename NAME NEW-NAME [alias|abandon]");
	else if (!directory_prepare_name(control_call_word(call, 0), &row->name) ||
	    !directory_prepare_new_name(control_call_word(call, 1), &row->new_name))
		users_refuse_name(call);
	else if (directory_asks_home(service->directory))
		control_finish(call, EX_UNAVAILABLE, "users are kept on the mailbox server: rename the user there");
	else
		return true;
	return false;
}

static void
on_rename(struct control_call *call, void *context)
{
	struct service *service = context;
	struct user_rename *renaming;
	struct directory_rename row = { .is_told = true };
	bool is_abandoned;

	if (!read_words(service, call, &row, &is_abandoned))
		return;
	renaming = NEW(struct user_rename);
	service->jobs++;
	renaming->service = service;
	renaming->call = call;
	renaming->directory = service->directory;
	renaming->has_cas = (service->config->role & CONFIG_ROLE_CAS) != 0;
	renaming->has_mailboxes = (service->config->role & CONFIG_ROLE_MAILBOX) != 0;
	renaming->row = row;
	renaming->row.is_told = !renaming->has_cas || service->config->mailbox_server.count == 0;
	renaming->row.is_walked = !renaming->has_mailboxes;
	renaming->job.work = is_abandoned ? work_abandon : work_begin;
	renaming->job.done = is_abandoned ? on_abandoned : on_begun;
	if (job_queue_submit(service->directory_queue, &renaming->job))
		return;
	renaming->status = DIRECTORY_UNAVAILABLE;
	renaming->job.done(&renaming->job);
}

void
user_rename_register(struct service *service)
{
	control_register(service->control, "user rename", CONTROL_CHANGE, on_rename, service);
}
