/*
 * imapctl(8): reads the arguments and runs a verb.
 */
#include "imapctl/imapctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "verbs.h"

#define TIMEOUT_MAX_S 86400

enum { CONFIG = 1, JSON, IF_MISSING, MAILBOX, YES, HOME, IMAP, ENTRY, NO_PASSWORD, LABELS, TIMEOUT, HELP, VERSION_OPTION };

static const struct option options[] = {
	{ "config", required_argument, NULL, CONFIG },
	{ "json", no_argument, NULL, JSON },
	{ "if-missing", no_argument, NULL, IF_MISSING },
	{ "mailbox", required_argument, NULL, MAILBOX },
	{ "yes", no_argument, NULL, YES },
	{ "home", required_argument, NULL, HOME },
	{ "imap", required_argument, NULL, IMAP },
	{ "entry", required_argument, NULL, ENTRY },
	{ "no-password", no_argument, NULL, NO_PASSWORD },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "labels", required_argument, NULL, LABELS },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ NULL, 0, NULL, 0 },
};

static const char *
option_name(unsigned option)
{
	switch (option) {
	case OPTION_IF_MISSING:
		return "--if-missing";
	case OPTION_MAILBOX:
		return "--mailbox";
	case OPTION_HOME:
		return "--home";
	case OPTION_IMAP:
		return "--imap";
	case OPTION_LABELS:
		return "--labels";
	case OPTION_ENTRY:
		return "--entry";
	case OPTION_NO_PASSWORD:
		return "--no-password";
	default:
		return "--yes";
	}
}

/* -1: go on; otherwise the exit code. */
static int
take_timeout(struct order *order)
{
	uint64_t seconds;

	if (!span_to_number(span_from_string(optarg), TIMEOUT_MAX_S, &seconds) || seconds == 0) {
		complain("--timeout takes a number of seconds from 1 to %d", TIMEOUT_MAX_S);
		return EX_USAGE;
	}
	order->given |= OPTION_TIMEOUT;
	order->timeout_s = (unsigned)seconds;
	return -1;
}

/* Likewise. */
static int
take_option(struct order *order, int letter)
{
	switch (letter) {
	case CONFIG:
		order->config_path = optarg;
		return -1;
	case JSON:
		order->given |= OPTION_JSON;
		return -1;
	case IF_MISSING:
		order->given |= OPTION_IF_MISSING;
		return -1;
	case MAILBOX:
		order->given |= OPTION_MAILBOX;
		order->mailbox = optarg;
		return -1;
	case YES:
		order->given |= OPTION_YES;
		return -1;
	case NO_PASSWORD:
		order->given |= OPTION_NO_PASSWORD;
		return -1;
	case HOME:
		order->given |= OPTION_HOME;
		order->home = optarg;
		return -1;
	case IMAP:
		order->given |= OPTION_IMAP;
		order->imap = optarg;
		return -1;
	case ENTRY:
		order->given |= OPTION_ENTRY;
		order->entry = optarg;
		return -1;
	case TIMEOUT:
		return take_timeout(order);
	case LABELS:
		order->given |= OPTION_LABELS;
		order->labels = optarg;
		return -1;
	case 'h':
	case HELP:
		help_print();
		return EX_OK;
	case VERSION_OPTION:
		puts("imapctl " VERSION);
		return EX_OK;
	default:
		complain("`imapctl --help` lists verbs and options");
		return EX_USAGE;
	}
}

static int
unknown_verb(char *const *words, size_t count)
{
	const struct verb *near = verb_suggest(words, count);

	if (near != NULL)
		complain("no such verb: %s; did you mean `%s`?", words[0], near->name);
	else
		complain("no such verb: %s; `imapctl --help` lists them", words[0]);
	return EX_USAGE;
}

/* Whether options and number of words fit the verb; EX_OK or EX_USAGE. */
static int
check(const struct order *order)
{
	const struct verb *verb = order->verb;
	unsigned stray = order->given & ~verb->options & ~(unsigned)(OPTION_JSON | OPTION_TIMEOUT);

	if (order->word_count < verb->words_min || order->word_count > verb->words_max) {
		complain("usage: imapctl %s %s", verb->name, verb->arguments);
		return EX_USAGE;
	}
	if (stray != 0) {
		complain("%s has no option %s; usage: imapctl %s %s", verb->name,
		    option_name(stray & -stray), verb->name, verb->arguments);
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

	order->verb = verb_find(order->words, order->word_count, &used);
	if (order->verb == NULL)
		return unknown_verb(order->words, order->word_count);
	order->words += used;
	order->word_count -= used;
	if ((code = check(order)) != EX_OK)
		return code;
	return order->verb->run(order);
}

/* With --json standard output holds one object, whatever the outcome. */
static int
answer(struct order *order)
{
	struct buffer json = { 0 };
	int code;

	if (order_has(order, OPTION_JSON))
		order->json = &json;
	code = carry_out(order);
	if (order->json != NULL)
		json_print(&json, order->verb == NULL ? NULL : order->verb->kinds, code, complaint());
	buffer_free(&json);
	return code;
}

int
imapctl_main(int argc, char **argv)
{
	struct order order = { .config_path = SYSCONF "/imapd/imapd.conf" };
	int letter, code;

	signal(SIGPIPE, SIG_IGN);
	while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(&order, letter)) >= 0)
			return code;
	}
	if (optind == argc) {
		help_print();
		return EX_USAGE;
	}
	order.words = argv + optind;
	order.word_count = (size_t)(argc - optind);
	code = answer(&order);
	if (fflush(stdout) != 0 && code == EX_OK) {
		complain("standard output: %m");
		code = EX_IOERR;
	}
	return code;
}
