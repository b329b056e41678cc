/*
 * The verb acl seen: whose \Seen those see who are not the owner of a mailbox.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../session/door.h"
#include "control/control.h"
#include "control/words.h"
#include "imap/mailbox_name.h"
#include "life.h"

struct sharing {
	struct role_lookup lookup;
	struct control_call *call;
	struct job look;			/* whether there is a file: asking must not make one */
	bool has_file;
	struct account *account;
	struct account_job job;
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
end(struct sharing *sharing, int code, const char *text)
{
	struct mailbox_role *role = sharing->lookup.role;

	control_finish(sharing->call, code, text);
	account_release(&sharing->account);
	arena_free(&sharing->arena);
	free(sharing);
	role->jobs--;
	role->on_ended(role);
}

static void
reply(struct sharing *sharing)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("seen"));
	control_add_field(&line, "user", directory_name_span(&sharing->lookup.found));
	control_add_field(&line, "mailbox", sharing->door.name);
	control_add_field(&line, "seen", span_from_string(words[sharing->seen]));
	control_reply(sharing->call, buffer_span(&line));
	buffer_free(&line);
}

static enum store_status
work_share(struct store *store, struct account_job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, job);
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

/* Sessions that have it open have other flags now, and other states to look at: they come again. */
static void
on_shared(struct account_job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, job);

	if (job->status == STORE_NOT_FOUND) {
		end(sharing, EX_NOINPUT, "the user has no such mailbox");
		return;
	}
	if (job->status != STORE_OK) {
		end(sharing, EX_IOERR, store_status_text(job->status));
		return;
	}
	if (sharing->seen != sharing->before)
		state_outdated(sharing->account, sharing->mailbox_id);
	reply(sharing);
	end(sharing, EX_OK, NULL);
}

static void
on_looked(struct job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, look);
	struct mailbox_role *role = sharing->lookup.role;

	if (role->is_stopping) {
		end(sharing, EX_TEMPFAIL, "not now, try again");
		return;
	}
	if (!sharing->has_file) {
		end(sharing, EX_NOINPUT, "the user has no such mailbox");
		return;
	}
	sharing->account = account_hold(role->accounts, sharing->lookup.mailbox_id, sharing->lookup.found.text);
	sharing->door.account = sharing->account;
	sharing->job.kind = ACCOUNT_DURABLE;
	sharing->job.work = work_share;
	sharing->job.done = on_shared;
	account_submit(sharing->account, &sharing->job);
}

static void
work_look(struct job *job)
{
	struct sharing *sharing = CONTAINER_OF(job, struct sharing, look);
	struct buffer path = { 0 };
	uint64_t size_octets;

	sharing->has_file = mailbox_file(sharing->lookup.role->data_directory, sharing->lookup.mailbox_id, &path,
	    &size_octets);
	buffer_free(&path);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct sharing *sharing = CONTAINER_OF(lookup, struct sharing, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND) {
		end(sharing, EX_NOUSER, "there is no such user");
	} else if (lookup->status != DIRECTORY_OK) {
		end(sharing, EX_TEMPFAIL, "not now, try again");
	} else {
		sharing->look.work = work_look;
		sharing->look.done = on_looked;
		workers_submit(lookup->role->parts.storage, &sharing->look);
	}
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
	struct mailbox_role *role = context;

	sharing->arena = arena_new();
	if (!read_order(call, sharing)) {
		arena_free(&sharing->arena);
		free(sharing);
		control_finish(call, EX_USAGE, "acl seen NAME MAILBOX [private|shared|default]");
		return;
	}
	role->jobs++;
	sharing->call = call;
	sharing->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &sharing->lookup.names[0]) ? 1 : 0;
	sharing->lookup.done = on_looked_up;
	role_look_up(role, &sharing->lookup);
}

void
role_register_sharing(struct mailbox_role *role, struct control *control)
{
	control_register(control, "acl seen", CONTROL_CHANGE, on_seen, role);
}
