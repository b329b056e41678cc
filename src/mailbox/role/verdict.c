/*
 * How a move has ended, as whoever ordered it says to one of the two servers: "gone" or "stay" to the one before, "adopt"
 * or "drop" to the other one.  Each may come again.  Loop thread; the work_ functions on workers.
 */
#include <stdlib.h>

#include "../shared/shares.h"
#include "base/log.h"
#include "life.h"
#include "movers.h"
#include "net/stream.h"
#include "store/mark.h"

enum verdict_op { VERDICT_GONE, VERDICT_STAY, VERDICT_ADOPT, VERDICT_DROP };

struct verdict {
	struct mover mover;
	struct role_ask ask;
	enum verdict_op op;
	const char *data_directory;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* that was left, or arrives; empty: none */
	struct arena *arena;
	struct directory_arriving arrival;
};

/* Whatever lies there: the copy was never anybody's mail. */
static enum directory_status
remove_copy(const struct verdict *verdict)
{
	struct buffer path = { 0 }, mark = { 0 };
	enum store_status status;

	buffer_printf(&path, "%s/data/%.2s/%s/mail.db", verdict->data_directory, verdict->arrival.mailbox_id,
	    verdict->arrival.mailbox_id);
	buffer_printf(&mark, "%s/marks/%.2s/%s", verdict->data_directory, verdict->arrival.mailbox_id,
	    verdict->arrival.mailbox_id);
	status = store_remove(buffer_string(&path), buffer_string(&mark));
	buffer_free(&path);
	buffer_free(&mark);
	return status == STORE_OK || status == STORE_NOT_FOUND ? DIRECTORY_OK : DIRECTORY_UNAVAILABLE;
}

static enum directory_status
drop(struct verdict *verdict, struct directory *directory, struct span name)
{
	enum directory_status status = directory_find_arrival(directory, name, verdict->mover.move_id, verdict->arena,
	    &verdict->arrival);

	if (status == DIRECTORY_NOT_FOUND)
		return DIRECTORY_OK;
	if (status == DIRECTORY_OK)
		status = remove_copy(verdict);
	return status == DIRECTORY_OK ? directory_unexpect(directory, name, verdict->mover.move_id) : status;
}

static enum directory_status
work(struct role_ask *ask, struct directory *directory)
{
	struct verdict *verdict = CONTAINER_OF(ask, struct verdict, ask);
	struct span name = directory_name_span(&verdict->mover.name);
	enum directory_status status;

	switch (verdict->op) {
	case VERDICT_GONE:
	case VERDICT_STAY:
		return directory_end_leaving(directory, name, verdict->mover.move_id, verdict->op == VERDICT_GONE,
		    verdict->mailbox_id);
	case VERDICT_ADOPT:
		status = directory_find_arrival(directory, name, verdict->mover.move_id, verdict->arena,
		    &verdict->arrival);
		if (status == DIRECTORY_OK || status == DIRECTORY_NOT_FOUND)
			status = directory_arrive(directory, name, verdict->mover.move_id);
		return status;
	default:
		return drop(verdict, directory, name);
	}
}

/* False: it is not over yet. */
static bool
take_effect(struct verdict *verdict)
{
	struct mailbox_role *role = verdict->mover.role;

	if (verdict->op == VERDICT_GONE || verdict->op == VERDICT_STAY)
		return leaving_end(role, &verdict->mover.name, verdict->mover.move_id, verdict->op == VERDICT_GONE,
		    verdict->mailbox_id);
	if (verdict->op == VERDICT_ADOPT)
		shares_learn(role, verdict->arrival.mailbox_id, directory_name_span(&verdict->mover.name),
		    verdict->arrival.is_shared, verdict->arrival.shares, verdict->arrival.share_count);
	return true;
}

static void
verdict_free(struct verdict *verdict)
{
	arena_free(&verdict->arena);
	mover_fini(&verdict->mover);
	free(verdict);
}

static void
on_done(struct role_ask *ask)
{
	static const char *const words[] = { "gone", "stay", "adopt", "drop" };
	struct verdict *verdict = CONTAINER_OF(ask, struct verdict, ask);

	if (ask->status == DIRECTORY_OK) {
		log_info("move-ended", log_span("user", directory_name_span(&verdict->mover.name)),
		    log_text("move", verdict->mover.move_id), log_text("verdict", words[verdict->op]));
		mover_say(&verdict->mover, take_effect(verdict) ? "done" : "no it is being ended just now");
	} else {
		mover_say(&verdict->mover, "no %s", directory_status_text(ask->status));
	}
	verdict_free(verdict);
}

void
verdict_begin(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish)
{
	struct verdict *verdict = NEW(struct verdict);

	mover_init(&verdict->mover, role, &mover_answer_kind, stream, wish);
	verdict->op = span_equals(wish->words[0], SPAN("gone")) ? VERDICT_GONE
	    : span_equals(wish->words[0], SPAN("stay"))		? VERDICT_STAY
	    : span_equals(wish->words[0], SPAN("adopt"))	? VERDICT_ADOPT
								: VERDICT_DROP;
	verdict->data_directory = role->data_directory;
	verdict->arena = arena_new();
	if (verdict->op == VERDICT_DROP && !arriving_end(role, &verdict->mover.name, verdict->mover.move_id)) {
		mover_say(&verdict->mover, "no it is being written just now");
		verdict_free(verdict);
		return;
	}
	verdict->ask.work = work;
	verdict->ask.done = on_done;
	role_submit_ask(role, &verdict->ask);
}
