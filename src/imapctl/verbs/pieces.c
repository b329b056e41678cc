/*
 * Calling again and again, for one user or all.
 */
#include "pieces.h"

#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "verbs.h"

void
pieces_keep(struct pieces *run, struct span line)
{
	answer_keep(&run->records, line);
}

uint64_t
pieces_number(const struct pieces *run, struct span line, const char *kind, const char *key)
{
	struct span text;
	uint64_t number = 0;

	if (record_field(line, run->arena, kind, key, &text))
		span_to_number(text, INT64_MAX, &number);
	return number;
}

bool
pieces_note_failure(struct pieces *run, struct span user, const struct answer *answer)
{
	progress_end(&run->progress);
	complain("%.*s: %.*s", SPAN_ARGS(user), SPAN_ARGS(answer->text));
	run->code = run->code != EX_OK ? run->code : answer->code;
	return !answer->is_lost && answer->code != EX_UNAVAILABLE && answer->code != EX_PROTOCOL;
}

/* The server says how far it is with what takes long. */
static bool
on_line(struct span line, void *context)
{
	struct pieces *run = context;
	struct span of;

	if (!record_field(line, run->arena, "progress", "of", &of))
		return false;
	progress_show_share(&run->progress, pieces_number(run, line, "progress", "done"), pieces_number(run, line, "progress", "of"));
	return true;
}

static void
do_all(struct pieces *run, pieces_user *on_user)
{
	const struct answer *answer = ctl_call(run->ctl, "user list", NULL, 0, (struct span){ NULL, 0 });
	struct span *users = memory_new_array(answer->line_count + 1, sizeof *users);
	size_t count = 0;

	if ((run->code = ctl_report(answer)) == EX_OK)
		for (size_t i = 0; i < answer->line_count; i++)
			count += record_field(answer->lines[i], run->arena, "user", "name", &users[count]);
	for (size_t i = 0; i < count; i++)
		if (!on_user(run, users[i]))
			break;
	free(users);
}

int
pieces_run(struct pieces *run, const struct order *order, pieces_user *on_user)
{
	int code;

	*run = (struct pieces){ .order = order };
	if ((run->ctl = ctl_open(order, &code)) == NULL)
		return code;
	run->arena = arena_new();
	interrupt_catch();
	ctl_heed_interrupts(run->ctl);
	progress_begin(&run->progress);
	ctl_listen(run->ctl, on_line, run);
	if (order_has(order, OPTION_ALL))
		do_all(run, on_user);
	else
		on_user(run, span_from_string(order->words[0]));
	progress_end(&run->progress);
	records_print(order, &run->records);
	ctl_close(&run->ctl);
	arena_free(&run->arena);
	free(run->records.lines);
	return run->code;
}
