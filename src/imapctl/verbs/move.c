/*
 * The verb move.  The server moves the user; this looks on until it has ended, and may be ended itself meanwhile.
 */
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "verbs.h"

struct looking {
	const struct order *order;
	struct ctl *ctl;
	struct arena *arena;
	struct span user;
	struct progress progress;
	bool is_yes;
};

static struct span
text_of(const struct looking *looking, struct span line, const char *key)
{
	struct span text;

	return record_field(line, looking->arena, "move", key, &text) ? text : SPAN("");
}

static uint64_t
number_of(const struct looking *looking, struct span line, const char *key)
{
	uint64_t number = 0;

	span_to_number(text_of(looking, line, key), INT64_MAX, &number);
	return number;
}

/* Whether nothing more will come of it; shows how far it has come. */
static bool
has_ended(struct looking *looking, const struct answer *answer)
{
	struct span line = answer->line_count == 0 ? SPAN("") : answer->lines[answer->line_count - 1];
	struct span phase = text_of(looking, line, "phase");
	uint64_t octets = number_of(looking, line, "octets");

	if (answer->code != EX_OK || phase.length == 0 || span_equals(phase, SPAN("moved")) ||
	    span_equals(phase, SPAN("there")) || span_equals(phase, SPAN("failed")) ||
	    text_of(looking, line, "waits-for").length > 0)
		return true;
	if (looking->progress.is_bar)
		progress_show(&looking->progress, octets, number_of(looking, line, "total"), octets);
	return false;
}

static const struct answer *
start(struct looking *looking)
{
	const struct span words[] = { looking->user, span_from_string(looking->order->words[1]), SPAN("yes") };

	return ctl_call(looking->ctl, "move start", words, looking->is_yes ? 3 : 2, (struct span){ NULL, 0 });
}

/* What the two servers will not have in common any more. */
static void
say_shares(struct looking *looking, const struct answer *answer)
{
	struct span owner, with;

	for (size_t i = 0; i < answer->line_count; i++)
		if (record_field(answer->lines[i], looking->arena, "share", "owner", &owner) &&
		    record_field(answer->lines[i], looking->arena, "share", "with", &with))
			complain("mailboxes of %.*s are shared with %.*s: they are found on one mailbox server alone",
			    SPAN_ARGS(owner), SPAN_ARGS(with));
}

/*
 * The rights stay where they are: who comes back finds them.  Without a share the answer means that the operator may not
 * move anybody, and there is nothing to ask.
 */
static bool
confirms(struct looking *looking, const struct answer *answer)
{
	if (answer->code != EX_NOPERM || answer->line_count == 0 || looking->is_yes)
		return false;
	say_shares(looking, answer);
	looking->is_yes = terminal_confirms("Move the user all the same?  The rights are kept.");
	return looking->is_yes;
}

static void
say_end(const struct looking *looking, struct span line)
{
	struct span to = text_of(looking, line, "to"), awaited = text_of(looking, line, "waits-for");

	if (span_equals(text_of(looking, line, "phase"), SPAN("there")))
		order_say(looking->order, "%.*s is on %.*s.", SPAN_ARGS(looking->user), SPAN_ARGS(to));
	else if (awaited.length > 0)
		order_say(looking->order, "%.*s has moved to %.*s; %.*s will be told when it is reached.",
		    SPAN_ARGS(looking->user), SPAN_ARGS(to), SPAN_ARGS(awaited));
	else
		order_say(looking->order, "%.*s has moved to %.*s; sessions waited for %llu ms.", SPAN_ARGS(looking->user),
		    SPAN_ARGS(to), (unsigned long long)number_of(looking, line, "pause-ms"));
}

static int
look_on(struct looking *looking)
{
	const struct answer *answer;
	int code;

	do
		answer = start(looking);
	while (confirms(looking, answer));
	while (!has_ended(looking, answer))
		answer = ctl_call(looking->ctl, "move watch", &looking->user, 1, (struct span){ NULL, 0 });
	progress_end(&looking->progress);
	code = ctl_report(answer);
	if (looking->order->json != NULL)
		records_print(looking->order, answer);
	else if (code == EX_OK && answer->line_count > 0)
		say_end(looking, answer->lines[answer->line_count - 1]);
	return code;
}

static int
move(const struct order *order)
{
	struct looking looking = { .order = order, .is_yes = order_has(order, OPTION_YES) };
	int code;

	if ((looking.ctl = ctl_open(order, &code)) == NULL)
		return code;
	looking.arena = arena_new();
	looking.user = span_from_string(order->words[0]);
	progress_begin(&looking.progress);
	code = look_on(&looking);
	ctl_close(&looking.ctl);
	arena_free(&looking.arena);
	return code;
}

int
run_move(const struct order *order)
{
	bool is_status = order_has(order, OPTION_STATUS), is_cancel = order_has(order, OPTION_CANCEL);
	const struct span name = order->word_count > 0 ? span_from_string(order->words[0]) : SPAN("");

	if (is_status && !is_cancel && order->word_count <= 1)
		return ctl_print(order, "move status", &name, order->word_count);
	if (is_cancel && !is_status && order->word_count == 1)
		return ctl_print(order, "move cancel", &name, 1);
	if (!is_status && !is_cancel && order->word_count == 2)
		return move(order);
	complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
	return EX_USAGE;
}
