/*
 * The verbs about groups of users, and about their aliases.
 */
#include <stdlib.h>

#include "../ctl/ctl.h"
#include "base/memory.h"
#include "verbs.h"

static int
ask(const struct order *order, const char *verb)
{
	struct span *words = memory_new_array(order->word_count + 1, sizeof *words);
	int code;

	for (size_t i = 0; i < order->word_count; i++)
		words[i] = span_from_string(order->words[i]);
	code = ctl_print(order, verb, words, order->word_count);
	free(words);
	return code;
}

int
run_group_add(const struct order *order)
{
	return ask(order, "group add");
}

int
run_group_remove(const struct order *order)
{
	return ask(order, "group remove");
}

int
run_group_list(const struct order *order)
{
	return ask(order, "group list");
}

int
run_alias_add(const struct order *order)
{
	return ask(order, "alias add");
}

int
run_alias_remove(const struct order *order)
{
	return ask(order, "alias remove");
}

int
run_alias_list(const struct order *order)
{
	return ask(order, "alias list");
}
