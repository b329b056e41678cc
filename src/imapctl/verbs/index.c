/*
 * The verb index.  The server answers each call within about a second; it is called until it says that all is done.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "control/words.h"
#include "verbs.h"

/* What is to be done for all users, and what came back. */
struct index_run {
	const struct order *order;
	struct ctl *ctl;
	struct arena *arena;		/* of the records */
	struct answer records;
	size_t capacity;
	struct progress progress;
	uint64_t faults;
	int code;			/* the first that was not 0 */
};

static void
keep_record(struct index_run *run, struct span line)
{
	struct answer *records = &run->records;

	if (records->line_count == run->capacity) {
		run->capacity = run->capacity * 2 + 16;
		records->lines = memory_resize(records->lines, run->capacity, sizeof *records->lines);
	}
	records->lines[records->line_count++] = line;
}

static uint64_t
number_of(struct span line, struct arena *arena, const char *key)
{
	struct span text;
	uint64_t number = 0;

	if (record_field(line, arena, "index", key, &text))
		span_to_number(text, INT64_MAX, &number);
	return number;
}

/* Where a call has ended. */
struct place {
	bool is_done;
	uint64_t block, content;
	uint64_t checked, faults;	/* by all calls */
};

/* The record as people see it: without where the next call goes on, and with the faults of all calls. */
static struct span
finished(struct index_run *run, struct span line, uint64_t faults)
{
	static const char *const texts[] = { "user", "state" }, *const numbers[] = { "messages", "indexed", "text", "size" };
	struct buffer out = { 0 };
	struct span value;

	control_add_word(&out, SPAN("index"));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (record_field(line, run->arena, "index", texts[i], &value))
			control_add_field(&out, texts[i], value);
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		control_add_number(&out, numbers[i], (int64_t)number_of(line, run->arena, numbers[i]));
	control_add_number(&out, "faults", (int64_t)faults);
	value = arena_copy(run->arena, buffer_span(&out));
	buffer_free(&out);
	return value;
}

static void
take_line(struct index_run *run, struct span line, struct place *place)
{
	struct span state;
	uint64_t done;

	if (!record_field(line, run->arena, "index", "state", &state)) {
		keep_record(run, arena_copy(run->arena, line));	/* a fault */
		return;
	}
	place->is_done = !span_equals(state, SPAN("running"));
	place->block = number_of(line, run->arena, "block");
	place->content = number_of(line, run->arena, "content");
	place->checked += number_of(line, run->arena, "checked");
	place->faults += number_of(line, run->arena, "faults");
	done = order_has(run->order, OPTION_VERIFY) ? place->checked : number_of(line, run->arena, "indexed");
	if (place->is_done)
		keep_record(run, finished(run, line, place->faults));
	else if (run->progress.is_bar)
		progress_show(&run->progress, done, number_of(line, run->arena, "messages"), done);
}

/* NAME, and for the first call rebuild, or for each verify with where to go on. */
static const struct answer *
call(struct index_run *run, struct span user, const struct place *place, bool is_first)
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
index_user(struct index_run *run, struct span user)
{
	struct place place = { .is_done = false };
	const struct answer *answer;

	for (bool is_first = true; !place.is_done; is_first = false) {
		answer = call(run, user, &place, is_first);
		if (answer->code != EX_OK) {
			progress_end(&run->progress);
			complain("%.*s: %.*s", SPAN_ARGS(user), SPAN_ARGS(answer->text));
			run->code = run->code != EX_OK ? run->code : answer->code;
			return !answer->is_lost && answer->code != EX_UNAVAILABLE && answer->code != EX_PROTOCOL;
		}
		place.is_done = true;	/* unless a line says otherwise */
		for (size_t i = 0; i < answer->line_count; i++)
			take_line(run, answer->lines[i], &place);
	}
	run->faults += place.faults;
	return true;
}

static void
index_all(struct index_run *run)
{
	const struct answer *answer = ctl_call(run->ctl, "user list", NULL, 0, (struct span){ NULL, 0 });
	struct span *users = memory_new_array(answer->line_count + 1, sizeof *users);
	size_t count = 0;

	if ((run->code = ctl_report(answer)) == EX_OK)
		for (size_t i = 0; i < answer->line_count; i++)
			count += record_field(answer->lines[i], run->arena, "user", "name", &users[count]);
	for (size_t i = 0; i < count; i++)
		if (!index_user(run, users[i]))
			break;
	free(users);
}

static int
run_calls(struct index_run *run)
{
	progress_begin(&run->progress);
	if (order_has(run->order, OPTION_ALL))
		index_all(run);
	else
		index_user(run, span_from_string(run->order->words[0]));
	progress_end(&run->progress);
	records_print(run->order, &run->records);
	if (run->code == EX_OK && run->faults > 0) {
		complain("the index is damaged; `imapctl index %s --rebuild` makes it anew",
		    order_has(run->order, OPTION_ALL) ? "--all" : run->order->words[0]);
		run->code = EX_DATAERR;
	}
	return run->code;
}

int
run_index(const struct order *order)
{
	struct index_run run = { .order = order };
	int code;

	if ((order->word_count == 1) == order_has(order, OPTION_ALL) ||
	    (order_has(order, OPTION_REBUILD) && order_has(order, OPTION_VERIFY))) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if ((run.ctl = ctl_open(order, &code)) == NULL)
		return code;
	run.arena = arena_new();
	code = run_calls(&run);
	ctl_close(&run.ctl);
	arena_free(&run.arena);
	free(run.records.lines);
	return code;
}
