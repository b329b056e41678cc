/*
 * The verb verify: the server is called until it says that all of a user's file was looked at.
 */
#include <sysexits.h>

#include "../ctl/record.h"
#include "control/words.h"
#include "pieces.h"
#include "verbs.h"

/* Where a call has ended. */
struct place {
	bool is_done;
	uint64_t content, messages, faults;	/* the latter two by all calls */
};

static struct span
finished(struct pieces *run, struct span line, const struct place *place)
{
	struct buffer out = { 0 };
	struct span value;

	control_add_word(&out, SPAN("verify"));
	if (record_field(line, run->arena, "verify", "user", &value))
		control_add_field(&out, "user", value);
	if (record_field(line, run->arena, "verify", "state", &value))
		control_add_field(&out, "state", value);
	control_add_number(&out, "messages", (int64_t)place->messages);
	control_add_number(&out, "faults", (int64_t)place->faults);
	value = arena_copy(run->arena, buffer_span(&out));
	buffer_free(&out);
	return value;
}

static void
take_line(struct pieces *run, struct span line, struct place *place)
{
	struct span state;

	if (!record_field(line, run->arena, "verify", "state", &state)) {
		pieces_keep(run, arena_copy(run->arena, line));	/* a fault */
		return;
	}
	place->is_done = !span_equals(state, SPAN("running"));
	place->content = pieces_number(run, line, "verify", "content");
	place->messages += pieces_number(run, line, "verify", "messages");
	place->faults += pieces_number(run, line, "verify", "faults");
	if (place->is_done)
		pieces_keep(run, finished(run, line, place));
	else if (run->progress.is_bar)
		progress_show(&run->progress, place->messages, 0, place->messages);
}

static bool
verify_user(struct pieces *run, struct span user)
{
	struct place place = { .is_done = false };
	struct buffer content = { 0 };
	const struct answer *answer;

	while (!place.is_done) {
		buffer_clear(&content);
		buffer_add_number(&content, place.content);
		answer = ctl_call(run->ctl, "verify", (struct span[]){ user, buffer_span(&content) }, 2,
		    (struct span){ NULL, 0 });
		if (answer->code != EX_OK) {
			buffer_free(&content);
			return pieces_note_failure(run, user, answer);
		}
		place.is_done = true;	/* unless a line says otherwise */
		for (size_t i = 0; i < answer->line_count; i++)
			take_line(run, answer->lines[i], &place);
	}
	buffer_free(&content);
	run->faults += place.faults;
	return true;
}

int
run_verify(const struct order *order)
{
	struct pieces run;
	int code;

	if ((order->word_count == 1) == order_has(order, OPTION_ALL)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	code = pieces_run(&run, order, verify_user);
	if (code == EX_OK && run.faults > 0) {
		complain("mail is damaged; what is, has to come from a backup");
		code = EX_DATAERR;
	}
	return code;
}
