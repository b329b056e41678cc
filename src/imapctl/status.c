/*
 * The verbs about the running server.
 */
#include <stdio.h>
#include <sysexits.h>

#include "ctl.h"
#include "config/config.h"
#include "order.h"

int
run_status(const struct order *order)
{
	return ctl_print(order, "status", NULL, 0);
}

static int
with_words(const struct order *order, const char *verb)
{
	struct span word = { NULL, 0 };

	if (order->word_count > 0)
		word = span_from_string(order->words[0]);
	return ctl_print(order, verb, &word, order->word_count);
}

int
run_who(const struct order *order)
{
	return with_words(order, "who");
}

int
run_kick(const struct order *order)
{
	return with_words(order, "kick");
}

/* The lines of the answer are what is wrong with the new configuration, or what needs a restart. */
int
run_reload(const struct order *order)
{
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	answer = ctl_call(ctl, "reload", NULL, 0, (struct span){ NULL, 0 });
	for (size_t i = 0; i < answer->line_count; i++)
		fprintf(stderr, "%.*s\n", SPAN_ARGS(answer->lines[i]));
	code = ctl_report(answer);
	ctl_close(&ctl);
	return code;
}

int
run_config_show(const struct order *order)
{
	struct config *config = order_config(order);
	struct buffer text = { 0 };

	if (config == NULL)
		return EX_CONFIG;
	config_print(config, &text);
	fwrite(text.at, 1, text.length, stdout);
	buffer_free(&text);
	config_free(&config);
	return EX_OK;
}
