/*
 * The verb index.  The server answers each call within about a second; it is called until it says that all is done.
 */
#include <sysexits.h>

#include "../ctl/record.h"
#include "base/memory.h"
#include "control/words.h"
#include "pieces.h"
#include "verbs.h"

/* Where a call has ended. */
struct place {
	bool is_done;
	uint64_t block, content;
	uint64_t checked, faults;	/* by all calls */
};

/* The record as people see it: without where the next call goes on, and with the faults of all calls. */
static struct span
finished(struct pieces *run, struct span line, uint64_t faults)
{
	static const char *const texts[] = { "user", "state" }, *const numbers[] = { "messages", "indexed", "text", "size" };
	struct buffer out = { 0 };
	struct span value;

	control_add_word(&out, SPAN("index"));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (record_field(line, run->arena, "index", texts[i], &value))
			control_add_field(&out, texts[i], value);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		control_add_number(&out, numbers[i], (int64_t)pieces_number(run, line, "index", numbers[i]));
	control_add_number(&out, "faults", (int64_t)faults);
	value = arena_copy(run->arena, buffer_span(&out));
	buffer_free(&out);
	return value;
}

static void
take_line(struct pieces *run, struct span line, struct place *place)
{
	struct span state;
	uint64_t done;

	if (!record_field(line, run->arena, "index", "state", &state)) {
		pieces_keep(run, arena_copy(run->arena, line));	/* a fault */
		return;
	}
	place->is_done = !span_equals(state, SPAN("running"));
	place->block = pieces_number(run, line, "index", "block");
	place->content = pieces_number(run, line, "index", "content");
	place->checked += pieces_number(run, line, "index", "checked");
	place->faults += pieces_number(run, line, "index", "faults");
	done = order_has(run->order, OPTION_VERIFY) ? place->checked : pieces_number(run, line, "index", "indexed");
	if (place->is_done)
		pieces_keep(run, finished(run, line, place->faults));
	else if (run->progress.is_bar)
		progress_show(&run->progress, done, pieces_number(run, line, "index", "messages"), done);
}

/* NAME, and for the first call rebuild, or for each verify with where to go on. */
static const struct answer *
call(struct pieces *run, struct span user, const struct place *place, bool is_first)
{
	struct buffer block = { 0 }, content = { 0 };
	struct span words[4] = { user };
	const struct answer *answer;
	size_t count = 1;

	if (is_first && order_has(run->order, OPTION_REBUILD))
		words[count++] = SPAN("rebuild");
	if (order_has(run->order, OPTION_VERIFY)) {
		buffer_add_number(&block, place->block);
		buffer_add_number(&content, place->content);
		words[count++] = SPAN("verify");
		words[count++] = buffer_span(&block);
		words[count++] = buffer_span(&content);
	}
	answer = ctl_call(run->ctl, "index", words, count, (struct span){ NULL, 0 });
	buffer_free(&block);
	buffer_free(&content);
	return answer;
}

/* False: it makes no sense to go on with others. */
static bool
index_user(struct pieces *run, struct span user)
{
	struct place place = { .is_done = false };
	const struct answer *answer;

	for (bool is_first = true; !place.is_done; is_first = false) {
		answer = call(run, user, &place, is_first);
		if (answer->code != EX_OK)
			return pieces_note_failure(run, user, answer);
		place.is_done = true;	/* unless a line says otherwise */
		for (size_t i = 0; i < answer->line_count; i++)
			take_line(run, answer->lines[i], &place);
	}
	run->faults += place.faults;
	return true;
}

int
run_index(const struct order *order)
{
	struct pieces run;
	int code;

	if ((order->word_count == 1) == order_has(order, OPTION_ALL) ||
	    (order_has(order, OPTION_REBUILD) && order_has(order, OPTION_VERIFY))) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	code = pieces_run(&run, order, index_user);
	if (code == EX_OK && run.faults > 0) {
		complain("the index is damaged; `imapctl index %s --rebuild` makes it anew",
		    order_has(order, OPTION_ALL) ? "--all" : order->words[0]);
		code = EX_DATAERR;
	}
	return code;
}
