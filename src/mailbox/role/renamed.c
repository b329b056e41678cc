/*
 * What the host that orders a rename says to a mailbox server: "rename-ask", whether it can be, which keeps both names;
 * "rename", and "rename-not".  Each may come again.  Loop thread; the work function on a worker.
 */
#include <stdlib.h>

#include "base/log.h"
#include "directory/renaming.h"
#include "life.h"
#include "movers.h"
#include "net/stream.h"

enum renamed_op { RENAMED_ASK, RENAMED_DO, RENAMED_NOT };

struct renamed {
	struct mover mover;
	struct role_ask ask;
	enum renamed_op op;
	struct directory_rename row;
	enum directory_hindrance hindrance;
};

static enum directory_status
work(struct role_ask *ask, struct directory *directory)
{
	struct renamed *renamed = CONTAINER_OF(ask, struct renamed, ask);

	switch (renamed->op) {
	case RENAMED_ASK:
		return directory_rename_begin(directory, &renamed->row, &renamed->hindrance);
	case RENAMED_DO:
		return directory_rename_switch(directory, &renamed->row, &renamed->hindrance);
	default:
		return directory_rename_drop(directory, &renamed->row);
	}
}

static const char *
hindrance_text(enum directory_hindrance hindrance)
{
	switch (hindrance) {
	case DIRECTORY_NEW_IS_USER:
		return "there is a user of the new name";
	case DIRECTORY_NEW_IS_ALIAS:
		return "the new name is somebody else's alias";
	case DIRECTORY_NEW_IS_GROUP:
		return "there is a group of the new name";
	case DIRECTORY_USERS_MOVE:
		return "this user or another is being moved";
	default:
		return "one of the two names belongs to a user who is being renamed";
	}
}

static void
on_done(struct role_ask *ask)
{
	static const char *const words[] = { "asked", "renamed", "taken back" };
	struct renamed *renamed = CONTAINER_OF(ask, struct renamed, ask);
	struct mover *mover = &renamed->mover;

	if (ask->status != DIRECTORY_OK) {
		mover_say(mover, "no %s", directory_status_text(ask->status));
	} else if (renamed->hindrance != DIRECTORY_UNHINDERED) {
		mover_say(mover, "no %s", hindrance_text(renamed->hindrance));
	} else {
		log_info("rename-told", log_span("user", directory_name_span(&renamed->row.new_name)),
		    log_span("former", directory_name_span(&renamed->row.name)),
		    log_text("rename", renamed->row.rename_id), log_text("verdict", words[renamed->op]));
		if (renamed->op == RENAMED_DO)
			role_begin_renames(mover->role);
		mover_say(mover, "done");
	}
	mover_fini(mover);
	free(renamed);
}

void
renamed_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish)
{
	struct renamed *renamed = NEW(struct renamed);

	mover_init(&renamed->mover, role, &mover_answer_kind, stream, wish);
	renamed->op = span_equals(wish->words[0], SPAN("rename-ask")) ? RENAMED_ASK
	    : span_equals(wish->words[0], SPAN("rename"))	      ? RENAMED_DO
								      : RENAMED_NOT;
	renamed->row.name = renamed->mover.name;
	renamed->row.is_told = true;
	renamed->row.is_alias = wish->count == 5 && span_equals(wish->words[4], SPAN("alias"));
	memcpy(renamed->row.rename_id, renamed->mover.move_id, sizeof renamed->row.rename_id);
	if (wish->count != 5 || !directory_prepare_name(wish->words[3], &renamed->row.new_name)) {
		mover_say(&renamed->mover, "no this is not understood here");
		mover_fini(&renamed->mover);
		free(renamed);
		return;
	}
	renamed->ask.work = work;
	renamed->ask.done = on_done;
	role_submit_ask(role, &renamed->ask);
}
