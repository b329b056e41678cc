/*
 * imapctl(8): reads the arguments and runs a verb.
 */
#include "imapctl/imapctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/options.h"
#include "../ctl/record.h"
#include "help.h"
#include "verbs.h"

static int
unknown_verb(char *const *words, size_t count)
{
	const struct verb *near = strcmp(words[0], "help") == 0 ? NULL : verb_suggest(words, count);

	if (near != NULL && count > 1 && strchr(near->name, ' ') != NULL)
		complain("no such verb: %s %s; did you mean `%s`?", words[0], words[1], near->name);
	else if (near != NULL)
		complain("no such verb: %s; did you mean `%s`?", words[0], near->name);
	else
		complain("no such verb: %s; `imapctl --help` lists them", words[0]);
	return EX_USAGE;
}

/* The least option of a set that is not empty. */
static const char *
first_name(order_set set)
{
	size_t first = 0;

	while ((set & OPTION_BIT(first)) == 0)
		first++;
	return order_options[first].name;
}

/* Whether options and number of words fit the verb; EX_OK or EX_USAGE. */
static int
check(const struct order *order)
{
	const struct verb *verb = order->verb;
	order_set stray = order->given & ~(verb->options | OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_TIMEOUT));

	if (order->word_count < verb->words_min || order->word_count > verb->words_max) {
		complain("usage: imapctl %s %s", verb->name, verb->arguments);
		return EX_USAGE;
	}
	if (stray != 0) {
		complain("%s has no option --%s; usage: imapctl %s %s", verb->name, first_name(stray), verb->name,
		    verb->arguments);
		return EX_USAGE;
	}
	return EX_OK;
}

/* Find the verb and run it. */
static int
carry_out(struct order *order)
{
	size_t used = 0;
	int code;

	if (order->word_count == 0) {
		complain("a verb is missing; `imapctl --help` lists them");
		return EX_USAGE;
	}
	order->verb = verb_find(order->words, order->word_count, &used);
	if (order->verb == NULL)
		return unknown_verb(order->words, order->word_count);
	order->words += used;
	order->word_count -= used;
	if ((code = check(order)) != EX_OK)
		return code;
	return order->verb->run(order);
}

/* Print what was asked for instead of running a verb. */
static int
inform(const struct order *order)
{
	const struct verb *verb;
	size_t used;

	if (order->is_version) {
		puts("imapctl " VERSION);
		return EX_OK;
	}
	if (order->word_count == 0) {
		help_print();
		return EX_OK;
	}
	if ((verb = verb_find(order->words, order->word_count, &used)) != NULL)
		help_print_verb(verb);
	else if (!help_print_family(order->words[0]))
		return unknown_verb(order->words, order->word_count);
	return EX_OK;
}

/*
 * With --json standard output holds one object, whatever the outcome.
 *
 *	code	what is wrong with the options already, or EX_OK
 */
static int
answer(struct order *order, int code)
{
	struct buffer json = { 0 };

	if (order_has(order, OPTION_JSON))
		order->json = &json;
	if (code == EX_OK)
		code = carry_out(order);
	if (order->json != NULL)
		json_print(&json, order->verb == NULL ? NULL : order->verb->kinds, code, complaint());
	buffer_free(&json);
	return code;
}

static int
run(struct order *order, int argc, char **argv)
{
	bool is_good = order_read(order, argc, argv);

	if (order->is_help || order->is_version)
		return inform(order);
	if (is_good && order->word_count == 0 && !order_has(order, OPTION_JSON)) {
		help_print();
		return EX_USAGE;
	}
	return answer(order, is_good ? EX_OK : EX_USAGE);
}

int
imapctl_main(int argc, char **argv)
{
	struct order order = { .verbs = verbs, .config_path = SYSCONF "/imapd/imapd.conf" };
	int code;

	signal(SIGPIPE, SIG_IGN);
	code = run(&order, argc, argv);
	order_fini(&order);
	if (fflush(stdout) != 0 && code == EX_OK) {
		if (errno != EPIPE)		/* `| head` has seen enough */
			complain("standard output: %m");
		code = EX_IOERR;
	}
	return code;
}
