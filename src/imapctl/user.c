/*
 * The verbs about users.  A password goes to the server as a body, never as a word.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/memory.h"
#include "ctl.h"
#include "order.h"
#include "terminal.h"

/* Ask the server with the first word as the user's name. */
static int
ask(const struct order *order, const char *verb, struct span option, struct span password)
{
	struct span words[2] = { span_from_string(order->words[0]), option };
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = ctl_report(ctl_call(ctl, verb, words, option.at == NULL ? 1 : 2, password));
	ctl_close(&ctl);
	return code;
}

static int
ask_with_password(const struct order *order, const char *verb, struct span option)
{
	struct buffer password = { 0 };
	int code = EX_DATAERR;

	if (terminal_password(order->words[0], &password))
		code = ask(order, verb, option, buffer_span(&password));
	if (password.at != NULL)
		memory_wipe(password.at, password.capacity);
	buffer_free(&password);
	return code;
}

int
run_user_add(const struct order *order)
{
	struct span option = { NULL, 0 };

	if (order_has(order, OPTION_IF_MISSING))
		option = SPAN("if-missing");
	return ask_with_password(order, "user add", option);
}

int
run_user_passwd(const struct order *order)
{
	return ask_with_password(order, "user passwd", (struct span){ NULL, 0 });
}

int
run_user_del(const struct order *order)
{
	char question[320];

	snprintf(question, sizeof question, "Remove the user %s?  The mail stays in the data directory.",
	    order->words[0]);
	if (!order_has(order, OPTION_YES) && !terminal_confirms(question))
		return EX_USAGE;
	return ask(order, "user del", (struct span){ NULL, 0 }, (struct span){ NULL, 0 });
}

int
run_user_list(const struct order *order)
{
	return ctl_print(order, "user list", NULL, 0);
}
