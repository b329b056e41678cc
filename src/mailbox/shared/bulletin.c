/*
 * Gathering changes and looking them up.  While a look is under way what comes is gathered for the next one.
 * Loop thread; work() on a worker.
 */
#include "bulletin.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "loop/loop.h"

/* What is looked up together.  Strings live in the arena. */
struct look {
	struct account_job job;
	struct bulletin *bulletin;
	struct arena *arena;
	struct bulletin_mailbox *mailboxes;
	size_t mailbox_count, mailbox_capacity;
	struct bulletin_name *names;
	size_t name_count, name_capacity;
	struct bulletin_annotation *annotations;
	size_t annotation_count, annotation_capacity;
};

struct bulletin {
	struct account *account;
	struct list watchers;
	struct look *gathered;		/* NULL: nothing */
	bool is_looking;
	struct deferred submit;
};

static void on_submit(void *context);

static struct look *
look_new(struct bulletin *bulletin)
{
	struct look *look = NEW(struct look);

	look->bulletin = bulletin;
	look->arena = arena_new();
	return look;
}

static void
look_free(struct look *look)
{
	if (look == NULL)
		return;
	arena_free(&look->arena);
	free(look->mailboxes);
	free(look->names);
	free(look->annotations);
	free(look);
}

/* Gone when nobody watches, and no job will come home to it. */
static void
tend(struct bulletin *bulletin)
{
	if (!list_is_empty(&bulletin->watchers) || bulletin->is_looking)
		return;
	account_set_bulletin(bulletin->account, NULL);
	deferred_cancel(&bulletin->submit);
	look_free(bulletin->gathered);
	free(bulletin);
}

void
bulletin_watch(struct account *account, struct bulletin_watcher *watcher)
{
	struct bulletin *bulletin = account_bulletin(account);

	if (bulletin == NULL) {
		bulletin = NEW(struct bulletin);
		bulletin->account = account;
		list_init(&bulletin->watchers);
		deferred_init(&bulletin->submit, on_submit, bulletin);
		account_set_bulletin(account, bulletin);
	}
	list_push_back(&bulletin->watchers, &watcher->link);
}

void
bulletin_unwatch(struct account *account, struct bulletin_watcher *watcher)
{
	list_remove(&watcher->link);
	tend(account_bulletin(account));
}

/* ---- noting ------------------------------------------------------------------------------------------- */

/* What gathers, or NULL when nobody watches. */
static struct look *
gathering(struct account *account)
{
	struct bulletin *bulletin = account_bulletin(account);

	if (bulletin == NULL || list_is_empty(&bulletin->watchers))
		return NULL;
	if (bulletin->gathered == NULL)
		bulletin->gathered = look_new(bulletin);
	if (!bulletin->is_looking)
		deferred_schedule(account_loop(account), &bulletin->submit);
	return bulletin->gathered;
}

void
bulletin_note_messages(struct account *account, uint64_t mailbox_id, unsigned events)
{
	struct look *look = gathering(account);
	const void *origin = account_actor(account);

	if (look == NULL)
		return;
	for (size_t i = 0; i < look->mailbox_count; i++) {
		struct bulletin_mailbox *mailbox = &look->mailboxes[i];

		if (mailbox->row.id != mailbox_id)
			continue;
		mailbox->events |= events;
		if (mailbox->origin != origin)
			mailbox->origin = NULL;
		return;
	}
	if (look->mailbox_count == look->mailbox_capacity) {
		look->mailbox_capacity = look->mailbox_capacity * 2 + 4;
		look->mailboxes = memory_resize(look->mailboxes, look->mailbox_capacity, sizeof look->mailboxes[0]);
	}
	look->mailboxes[look->mailbox_count++] = (struct bulletin_mailbox){ .row.id = mailbox_id, .events = events,
		.origin = origin };
}

static void
note_name(struct look *look, struct span name, struct span old_name, unsigned event)
{
	if (look->name_count == look->name_capacity) {
		look->name_capacity = look->name_capacity * 2 + 4;
		look->names = memory_resize(look->names, look->name_capacity, sizeof look->names[0]);
	}
	look->names[look->name_count++] = (struct bulletin_name){ .name = arena_copy(look->arena, name),
		.old_name = arena_copy(look->arena, old_name), .event = event,
		.origin = account_actor(look->bulletin->account) };
}

void
bulletin_note_name(struct account *account, struct span name)
{
	struct look *look = gathering(account);

	/* RFC 5465 section 5.4: the parent is affected, too; those further above may have been made with it. */
	for (; look != NULL && name.length > 0; name = imap_name_parent(name))
		note_name(look, name, SPAN(""), IMAP_EVENT_MAILBOX_NAME);
}

void
bulletin_note_renamed(struct account *account, struct span from, struct span to)
{
	struct look *look = gathering(account);

	if (look != NULL)
		note_name(look, to, from, IMAP_EVENT_MAILBOX_NAME);
}

void
bulletin_note_subscription(struct account *account, struct span name)
{
	struct look *look = gathering(account);

	if (look != NULL)
		note_name(look, name, SPAN(""), IMAP_EVENT_SUBSCRIPTION_CHANGE);
}

void
bulletin_note_metadata(struct account *account, struct span name, struct span entry)
{
	struct look *look = gathering(account);

	if (look == NULL)
		return;
	if (look->annotation_count == look->annotation_capacity) {
		look->annotation_capacity = look->annotation_capacity * 2 + 4;
		look->annotations = memory_resize(look->annotations, look->annotation_capacity,
		    sizeof look->annotations[0]);
	}
	look->annotations[look->annotation_count++] = (struct bulletin_annotation){
		.name = arena_copy(look->arena, name), .entry = arena_copy(look->arena, entry),
		.origin = account_actor(account) };
}

/* ---- looking ------------------------------------------------------------------------------------------ */

static bool
is_subscribed(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_equals(name, names[i]))
			return true;
	return false;
}

static enum store_status
look_at_name(struct store *store, struct look *look, struct bulletin_name *name)
{
	struct store_mailbox row;
	enum store_status status = store_mailbox_find(store, name->name, look->arena, &row);

	name->exists = status == STORE_OK;
	name->special_use = status == STORE_OK ? row.special_use : NULL;
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		status = store_mailbox_has_children(store, name->name, &name->has_children);
	return status;
}

/* A mailbox that is gone again is left out. */
static enum store_status
look_at_mailboxes(struct store *store, struct look *look)
{
	enum store_status status = STORE_OK;
	size_t kept = 0;

	for (size_t i = 0; i < look->mailbox_count && status == STORE_OK; i++) {
		struct bulletin_mailbox mailbox = look->mailboxes[i];

		status = store_mailbox_get(store, mailbox.row.id, look->arena, &mailbox.row);
		if (status == STORE_OK)
			look->mailboxes[kept++] = mailbox;
		else if (status == STORE_NOT_FOUND)
			status = STORE_OK;
	}
	look->mailbox_count = kept;
	return status;
}

static enum store_status
work(struct store *store, struct account_job *job)
{
	struct look *look = CONTAINER_OF(job, struct look, job);
	struct span *subscribed = NULL;
	size_t count = 0;
	enum store_status status = look_at_mailboxes(store, look);

	for (size_t i = 0; i < look->name_count && status == STORE_OK; i++)
		status = look_at_name(store, look, &look->names[i]);
	if (status == STORE_OK)
		status = store_subscription_list(store, look->arena, &subscribed, &count);
	for (size_t i = 0; i < look->mailbox_count && status == STORE_OK; i++)
		look->mailboxes[i].is_subscribed =
		    is_subscribed(span_from_string(look->mailboxes[i].row.name), subscribed, count);
	for (size_t i = 0; i < look->name_count && status == STORE_OK; i++)
		look->names[i].is_subscribed = is_subscribed(look->names[i].name, subscribed, count);
	for (size_t i = 0; i < look->annotation_count && status == STORE_OK; i++)
		look->annotations[i].is_subscribed = is_subscribed(look->annotations[i].name, subscribed, count);
	return status;
}

static void
show(struct bulletin *bulletin, const struct look *look)
{
	const struct bulletin_issue issue = { look->mailboxes, look->mailbox_count, look->names, look->name_count,
		look->annotations, look->annotation_count };

	LIST_FOREACH(&bulletin->watchers, link) {
		struct bulletin_watcher *watcher = LIST_ENTRY(link, struct bulletin_watcher, link);

		watcher->on_issue(watcher, &issue);
	}
}

/* When the store fails its sessions are sent away, and have nothing to watch. */
static void
on_looked(struct account_job *job)
{
	struct look *look = CONTAINER_OF(job, struct look, job);
	struct bulletin *bulletin = look->bulletin;

	if (job->status == STORE_OK)
		show(bulletin, look);
	look_free(look);
	bulletin->is_looking = false;
	if (bulletin->gathered != NULL)
		deferred_schedule(account_loop(bulletin->account), &bulletin->submit);
	tend(bulletin);
}

static void
on_submit(void *context)
{
	struct bulletin *bulletin = context;
	struct look *look = bulletin->gathered;

	bulletin->gathered = NULL;
	bulletin->is_looking = true;
	look->job.kind = ACCOUNT_READ;
	look->job.work = work;
	look->job.done = on_looked;
	account_submit(bulletin->account, &look->job);
}
