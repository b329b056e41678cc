/*
 * The verb user rename.
 */
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "verbs.h"

static void
say(const struct order *order, struct span line, struct arena *arena)
{
	struct span word;

	if (record_field(line, arena, "rename", "state", &word) && span_equals(word, SPAN("abandoned")))
		order_say(order, "It is forgotten here that %s is to be %s.", order->words[0], order->words[1]);
	else if (record_field(line, arena, "setting", "option", &word))
		order_say(order, "The configuration still says %s, at %.*s: change it in imapd.conf, then `imapctl reload'.",
		    order->words[0], SPAN_ARGS(word));
	else if (record_field(line, arena, "rename", "user", &word))
		order_say(order, "%s is %.*s from now on.", order->words[0], SPAN_ARGS(word));
}

int
run_user_rename(const struct order *order)
{
	bool is_abandoned = order_has(order, OPTION_ABANDON);
	const struct span words[] = { span_from_string(order->words[0]), span_from_string(order->words[1]),
		is_abandoned ? SPAN("abandon") : SPAN("alias") };
	struct arena *arena = arena_new();
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if (is_abandoned && order_has(order, OPTION_ALIAS)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		arena_free(&arena);
		return EX_USAGE;
	}
	if ((ctl = ctl_open(order, &code)) != NULL) {
		answer = ctl_call(ctl, "user rename", words, is_abandoned || order_has(order, OPTION_ALIAS) ? 3 : 2, (struct span){ NULL, 0 });
		code = ctl_report(answer);
		for (size_t i = 0; i < answer->line_count; i++)
			say(order, answer->lines[i], arena);
		if (order->json != NULL)
			records_print(order, answer);
	}
	ctl_close(&ctl);
	arena_free(&arena);
	return code;
}
