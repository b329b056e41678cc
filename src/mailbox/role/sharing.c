/*
 * The verb acl seen: whose \Seen those see who are not the owner of a mailbox.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../session/door.h"
#include "imap/mailbox_name.h"
#include "life.h"
#include "user_verb.h"

struct sharing {
	struct user_verb verb;
	struct arena *arena;
	struct door door;
	uint64_t mailbox_id;
	bool is_change;
	enum store_seen_sharing seen, before;
};

static const char *const words[] = {
	[STORE_SEEN_AS_CONFIGURED] = "default", [STORE_SEEN_PRIVATE] = "private", [STORE_SEEN_SHARED] = "shared",
};

static void
free_sharing(struct user_verb *verb)
{
	struct sharing *sharing = CONTAINER_OF(verb, struct sharing, verb);

	arena_free(&sharing->arena);
	free(sharing);
}

static void
reply(const struct sharing *sharing)
{
	struct buffer line = { 0 };

	user_verb_begin_line(&sharing->verb, SPAN("seen"), &line);
	control_add_field(&line, "mailbox", sharing->door.name);
	control_add_field(&line, "seen", span_from_string(words[sharing->seen]));
	control_reply(sharing->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static enum store_status
work_share(struct store *store, struct account_job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, verb.job);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &sharing->door, sharing->arena, &mailbox);

	if (status != STORE_OK)
		return status;
	sharing->mailbox_id = mailbox.id;
	sharing->before = mailbox.seen_sharing;
	if (!sharing->is_change)
		sharing->seen = mailbox.seen_sharing;
	if (sharing->seen == sharing->before)
		return STORE_OK;
	return store_mailbox_share_seen(store, mailbox.id, sharing->seen);
}

static void
end_without(struct user_verb *verb)
{
	user_verb_end(verb, EX_NOINPUT, "the user has no such mailbox");
}

/* Sessions that have it open have other flags now, and other states to look at: they come again. */
static void
on_shared(struct account_job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, verb.job);

	if (job->status == STORE_NOT_FOUND) {
		end_without(&sharing->verb);
		return;
	}
	if (job->status == STORE_OK && sharing->seen != sharing->before)
		state_outdated(sharing->verb.account, sharing->mailbox_id);
	if (job->status == STORE_OK)
		reply(sharing);
	user_verb_end_with(&sharing->verb, job->status);
}

static void
begin(struct user_verb *verb)
{
	if (!verb->has_file) {
		end_without(verb);
		return;
	}
	CONTAINER_OF(verb, struct sharing, verb)->door.account = verb->account;
	user_verb_submit(verb, ACCOUNT_DURABLE, work_share, on_shared);
}

static bool
read_order(const struct control_call *call, struct sharing *sharing)
{
	size_t count = control_call_count(call), word = 0;
	struct buffer name = { 0 };
	bool is_good;

	if (count < 2 || count > 3)
		return false;
	is_good = imap_name_canonical(control_call_word(call, 1), true, &name) == IMAP_NAME_OK;
	sharing->door.name = arena_copy(sharing->arena, buffer_span(&name));
	buffer_free(&name);
	while (count == 3 && word < COUNT_OF(words) && !span_equals(control_call_word(call, 2), span_from_string(words[word])))
		word++;
	sharing->is_change = count == 3;
	sharing->seen = (enum store_seen_sharing)word;
	return is_good && word < COUNT_OF(words);
}

static void
on_seen(struct control_call *call, void *context)
{
	struct sharing *sharing = NEW(struct sharing);

	sharing->arena = arena_new();
	if (!read_order(call, sharing)) {
		free_sharing(&sharing->verb);
		control_finish(call, EX_USAGE, "acl seen NAME MAILBOX [private|shared|default]");
		return;
	}
	sharing->verb.begin = begin;
	sharing->verb.free = free_sharing;
	user_verb_take(&sharing->verb, context, call);
}

void
role_register_sharing(struct mailbox_role *role, struct control *control)
{
	control_register(control, "acl seen", CONTROL_CHANGE, on_seen, role);
}
