/*
 * The verb quota: what users may keep, and what they do keep.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "verbs.h"

/* What came back of all users. */
struct quotas {
	struct ctl *ctl;
	struct arena *arena;
	struct answer records;
	int code;			/* the first that was not 0 */
};

/* False: it makes no sense to go on with others. */
static bool
ask(struct quotas *quotas, struct span user)
{
	const struct answer *answer = ctl_call(quotas->ctl, "quota", &user, 1, (struct span){ NULL, 0 });

	for (size_t i = 0; i < answer->line_count; i++)
		answer_keep(&quotas->records, arena_copy(quotas->arena, answer->lines[i]));
	if (answer->code == EX_OK)
		return true;
	complain("%.*s: %.*s", SPAN_ARGS(user), SPAN_ARGS(answer->text));
	quotas->code = quotas->code != EX_OK ? quotas->code : answer->code;
	return !answer->is_lost && answer->code != EX_PROTOCOL;
}

static void
ask_all(struct quotas *quotas)
{
	const struct answer *answer = ctl_call(quotas->ctl, "user list", NULL, 0, (struct span){ NULL, 0 });
	struct span *users = memory_new_array(answer->line_count + 1, sizeof *users);
	size_t count = 0;

	if ((quotas->code = ctl_report(answer)) == EX_OK)
		for (size_t i = 0; i < answer->line_count; i++)
			count += record_field(answer->lines[i], quotas->arena, "user", "name", &users[count]);
	for (size_t i = 0; i < count; i++)
		if (!ask(quotas, users[i]))
			break;
	free(users);
}

int
run_quota(const struct order *order)
{
	struct quotas quotas = { .code = EX_OK };
	int code;

	if ((order->word_count == 1) == order_has(order, OPTION_ALL)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if ((quotas.ctl = ctl_open(order, &code)) == NULL)
		return code;
	quotas.arena = arena_new();
	if (order_has(order, OPTION_ALL))
		ask_all(&quotas);
	else
		ask(&quotas, span_from_string(order->words[0]));
	records_print(order, &quotas.records);
	ctl_close(&quotas.ctl);
	arena_free(&quotas.arena);
	free(quotas.records.lines);
	return quotas.code;
}
