/*
 * What becomes of the mail of users who go: the verbs user del, user orphans and user purge.  The directory's
 * queue finds whose mail it is and where; removing it is the mailbox role's.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/map.h"
#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

#define PAGE 256

enum order { ORDER_DEL, ORDER_ORPHANS, ORDER_PURGE };

/* Mail that nobody has any more. */
struct remain {
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	struct span user;		/* whose it was; empty: nobody knows */
	int64_t deleted_s;		/* 0: likewise, or not deleted here */
	const char *reason;
	char *path;
	uint64_t size_octets;
	const char *state;		/* kept, removed, gone */
};

struct remains {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	const char *data_directory;
	enum order order;
	bool is_purging;
	struct span word;
	struct directory_name name;
	struct arena *arena;		/* of the names and the word */
	struct buffer aliases;		/* ORDER_DEL: records of those that go with the user */
	struct map *live, *retired;	/* by mailbox id: the user's name; struct directory_retired */
	struct remain *at;
	size_t count, capacity, next;
	enum directory_status status;
	int code;			/* EX_OK: the status decides */
	const char *text;
};

static void
remains_free(struct remains *remains)
{
	remains->service->jobs--;
	for (size_t i = 0; i < remains->count; i++)
		free(remains->at[i].path);
	free(remains->at);
	map_free(&remains->live);
	map_free(&remains->retired);
	arena_free(&remains->arena);
	buffer_free(&remains->aliases);
	free(remains);
}

/* Worker: what lies under an id, if anything does. */
static void
add_remain(struct remains *remains, const char *mailbox_id, const struct directory_retired *retired, const char *reason)
{
	struct buffer path = { 0 };
	struct remain *remain;
	uint64_t size_octets;
	bool is_there = mailbox_file(remains->data_directory, mailbox_id, &path, &size_octets);

	if (!is_there && remains->order != ORDER_DEL) {
		buffer_free(&path);
		return;
	}
	if (remains->count == remains->capacity) {
		remains->capacity = remains->capacity * 2 + 4;
		remains->at = memory_resize(remains->at, remains->capacity, sizeof *remains->at);
	}
	remain = &remains->at[remains->count++];
	*remain = (struct remain){ .reason = reason, .path = memory_copy_string(buffer_string(&path)),
		.size_octets = size_octets, .state = is_there ? "kept" : "gone" };
	memcpy(remain->mailbox_id, mailbox_id, sizeof remain->mailbox_id);
	if (retired != NULL) {
		remain->user = retired->name;
		remain->deleted_s = retired->deleted_s;
	}
	buffer_free(&path);
}

static struct span
copy_id(struct remains *remains, const char *mailbox_id)
{
	return arena_copy(remains->arena, span_from_string(mailbox_id));
}

/* Worker: the mailboxes that somebody has. */
static enum directory_status
read_live(struct remains *remains)
{
	struct directory_user *page = memory_new_array(PAGE, sizeof *page);
	enum directory_status status = DIRECTORY_OK;
	struct span after = { NULL, 0 };
	size_t count = PAGE;

	remains->live = map_new();
	while (count == PAGE && status == DIRECTORY_OK) {
		status = directory_list(remains->directory, after, remains->arena, page, PAGE, &count);
		for (size_t i = 0; status == DIRECTORY_OK && i < count; i++) {
			struct span *name = ARENA_NEW(remains->arena, struct span);

			*name = after = page[i].name;
			map_put(remains->live, copy_id(remains, page[i].mailbox_id), name);
		}
	}
	free(page);
	return status;
}

/* Worker: the mailboxes of those who were deleted. */
static enum directory_status
read_retired(struct remains *remains)
{
	struct span after = { NULL, 0 };
	enum directory_status status;
	size_t count;

	map_free(&remains->retired);
	remains->retired = map_new();
	do {
		struct directory_retired *page = arena_alloc_array(remains->arena, PAGE, sizeof *page);

		status = directory_list_retired(remains->directory, after, remains->arena, page, PAGE, &count);
		for (size_t i = 0; status == DIRECTORY_OK && i < count; i++) {
			after = copy_id(remains, page[i].mailbox_id);
			map_put(remains->retired, after, &page[i]);
		}
	} while (status == DIRECTORY_OK && count == PAGE);
	return status;
}

/* Worker: a user of LDAP who has no entry any more still has a row. */
static void
check_entry(struct remains *remains, const char *mailbox_id, struct span name)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	struct directory_retired row = { .name = name };
	enum directory_status status = directory_lookup(remains->directory, name, arena, &user);

	arena_free(&arena);
	if (status == DIRECTORY_NOT_FOUND) {
		add_remain(remains, mailbox_id, &row, "no-entry");
	} else if (status != DIRECTORY_OK && status != DIRECTORY_ELSEWHERE) {
		remains->code = EX_TEMPFAIL;
		remains->text = "the directory has not answered for all users, so that the list may lack some";
	}
}

static void
on_file(const char *mailbox_id, void *context)
{
	struct remains *remains = context;
	const struct span *live = map_get(remains->live, span_from_string(mailbox_id));
	const struct directory_retired *retired = map_get(remains->retired, span_from_string(mailbox_id));

	if (live == NULL)
		add_remain(remains, mailbox_id, retired, retired != NULL ? "deleted" : "unknown");
	else if (directory_is_verifier(remains->directory))
		check_entry(remains, mailbox_id, *live);
}

static void
work_orphans(struct remains *remains)
{
	if ((remains->status = read_live(remains)) != DIRECTORY_OK ||
	    (remains->status = read_retired(remains)) != DIRECTORY_OK)
		return;
	if (!mailbox_files(remains->data_directory, on_file, remains)) {
		remains->code = EX_OSERR;
		remains->text = "the data directory cannot be read";
	}
}

/* Worker: the mail of everybody who was deleted under this name. */
static void
add_by_name(struct remains *remains, struct span name)
{
	size_t position = 0;
	struct span id;
	void *value;

	while (map_next(remains->retired, &position, &id, &value)) {
		const struct directory_retired *retired = value;

		if (span_equals(retired->name, name))
			add_remain(remains, retired->mailbox_id, retired, "deleted");
	}
}

/* Worker: who was deleted last is who was not before, under whatever name. */
static void
work_del(struct remains *remains)
{
	struct map *before;
	size_t position = 0;
	struct span id;
	void *value;

	if ((remains->status = read_retired(remains)) != DIRECTORY_OK)
		return;
	before = remains->retired;
	remains->retired = NULL;
	remains->status = aliases_tell(remains->directory, directory_name_span(&remains->name), &remains->aliases);
	if (remains->status == DIRECTORY_OK)
		remains->status = directory_delete(remains->directory, directory_name_span(&remains->name));
	if (remains->status == DIRECTORY_OK && (remains->status = read_retired(remains)) == DIRECTORY_OK) {
		while (map_next(remains->retired, &position, &id, &value)) {
			const struct directory_retired *retired = value;

			if (map_get(before, id) == NULL)
				add_remain(remains, retired->mailbox_id, retired, "deleted");
		}
	}
	map_free(&before);
}

static void
work_purge(struct remains *remains)
{
	char id[DIRECTORY_ID_LENGTH + 1] = "";

	if ((remains->status = read_live(remains)) != DIRECTORY_OK ||
	    (remains->status = read_retired(remains)) != DIRECTORY_OK)
		return;
	if (!mailbox_is_id(remains->word)) {
		if (directory_prepare_name(remains->word, &remains->name))
			add_by_name(remains, directory_name_span(&remains->name));
	} else if (map_get(remains->live, remains->word) != NULL) {
		remains->code = EX_DATAERR;
		remains->text = "this is the mail of a user: `imapctl user del NAME --purge` removes both";
		return;
	} else {
		memcpy(id, remains->word.at, remains->word.length);
		add_remain(remains, id, map_get(remains->retired, remains->word), "");
	}
	if (remains->count == 0) {
		remains->code = EX_NOUSER;
		remains->text = "there is no such mail: `imapctl user list --orphans` lists what there is";
	}
}

static void
work(struct job *job)
{
	struct remains *remains = CONTAINER_OF(job, struct remains, job);

	switch (remains->order) {
	case ORDER_DEL:
		work_del(remains);
		break;
	case ORDER_ORPHANS:
		work_orphans(remains);
		break;
	case ORDER_PURGE:
		work_purge(remains);
		break;
	}
}

static void
tell(const struct remains *remains, const struct remain *remain)
{
	bool is_orphan = remains->order == ORDER_ORPHANS;
	struct buffer line = { 0 };

	control_add_word(&line, is_orphan ? SPAN("orphan") : SPAN("mail"));
	control_add_field(&line, "user", remain->user);
	if (remain->deleted_s == 0)
		control_add_field(&line, "deleted", SPAN(""));
	else
		status_add_time(&line, "deleted", remain->deleted_s);
	control_add_number(&line, "size", (int64_t)remain->size_octets);
	control_add_field(&line, is_orphan ? "reason" : "state",
	    span_from_string(is_orphan ? remain->reason : remain->state));
	control_add_field(&line, "mailbox-id", span_from_string(remain->mailbox_id));
	control_add_field(&line, "path", span_from_string(remain->path));
	control_reply(remains->call, buffer_span(&line));
	buffer_free(&line);
}

static void
answer(struct remains *remains)
{
	for (size_t i = 0; i < remains->count; i++)
		tell(remains, &remains->at[i]);
	if (remains->status == DIRECTORY_OK)
		users_send_lines(remains->call, buffer_span(&remains->aliases));
	if (remains->code != EX_OK)
		control_finish(remains->call, remains->code, remains->text);
	else
		users_finish(remains->call, remains->status);
	remains_free(remains);
}

static void remove_next(struct remains *remains);

static void
on_removed(enum mailbox_removal outcome, void *context)
{
	struct remains *remains = context;
	struct remain *remain = &remains->at[remains->next++];

	remain->state = outcome == MAILBOX_NOT_REMOVED ? "kept" : outcome == MAILBOX_REMOVED ? "removed" : "gone";
	if (outcome == MAILBOX_NOT_REMOVED) {
		remains->code = EX_IOERR;
		remains->text = "not all could be removed: the log says why";
	}
	remove_next(remains);
}

static void
remove_next(struct remains *remains)
{
	struct service *service = remains->service;
	struct remain *remain;
	char *user;

	if (remains->next == remains->count) {
		answer(remains);
		return;
	}
	if (!service_has_mailboxes(service)) {
		remains->code = EX_UNAVAILABLE;
		remains->text = "the mailbox service has stopped meanwhile; `imapctl user purge` goes on";
		answer(remains);
		return;
	}
	remain = &remains->at[remains->next];
	user = memory_copy_span(remain->user);
	mailbox_role_remove(service->mailbox, remain->mailbox_id, user, on_removed, remains);
	free(user);
}

static void
on_worked(struct job *job)
{
	struct remains *remains = CONTAINER_OF(job, struct remains, job);
	bool is_good = remains->status == DIRECTORY_OK && remains->code == EX_OK;

	if (remains->order == ORDER_DEL && remains->status == DIRECTORY_OK) {
		users_end_sessions(remains->service, directory_name_span(&remains->name));
		if (remains->service->mailbox != NULL)
			mailbox_role_forget_user(remains->service->mailbox, directory_name_span(&remains->name));
	}
	if (is_good && remains->is_purging)
		remove_next(remains);
	else
		answer(remains);
}

static void
begin(struct service *service, struct control_call *call, enum order order, bool is_purging)
{
	struct remains *remains = NEW(struct remains);

	service->jobs++;
	remains->service = service;
	remains->call = call;
	remains->directory = service->directory;
	remains->data_directory = service->config->data_directory;
	remains->order = order;
	remains->is_purging = is_purging;
	remains->arena = arena_new();
	if (order != ORDER_ORPHANS)
		remains->word = arena_copy(remains->arena, control_call_word(call, 0));
	if (order == ORDER_DEL)
		directory_prepare_name(remains->word, &remains->name);
	remains->job.work = work;
	remains->job.done = on_worked;
	if (job_queue_submit(service->directory_queue, &remains->job))
		return;
	remains->status = DIRECTORY_UNAVAILABLE;
	answer(remains);
}

/* Whether mail can be removed.  False: the call was answered. */
static bool
check_service(const struct service *service, struct control_call *call)
{
	if (service_has_mailboxes(service))
		return true;
	control_finish(call, EX_UNAVAILABLE, service->roles[ROLE_MAILBOX].is_played
	    ? "the mailbox service is stopped: start it first" : "this host keeps no mail: say it to the mailbox server");
	return false;
}

static void
on_del(struct control_call *call, void *context)
{
	bool is_purging = control_call_count(call) == 2 && span_equals(control_call_word(call, 1), SPAN("purge"));
	struct directory_name name;

	if (control_call_count(call) < 1 || control_call_count(call) > (is_purging ? 2u : 1u))
		control_finish(call, EX_USAGE, "user del NAME");
	else if (!directory_prepare_name(control_call_word(call, 0), &name))
		users_refuse_name(call);
	else if (!is_purging || check_service(context, call))
		begin(context, call, ORDER_DEL, is_purging);
}

static void
on_orphans(struct control_call *call, void *context)
{
	begin(context, call, ORDER_ORPHANS, false);
}

static void
on_purge(struct control_call *call, void *context)
{
	if (control_call_count(call) != 1)
		control_finish(call, EX_USAGE, "user purge NAME|ID");
	else if (check_service(context, call))
		begin(context, call, ORDER_PURGE, true);
}

void
remains_register(struct service *service)
{
	control_register(service->control, "user del", CONTROL_CHANGE, on_del, service);
	control_register(service->control, "user orphans", CONTROL_VIEW, on_orphans, service);
	control_register(service->control, "user purge", CONTROL_CHANGE, on_purge, service);
}
