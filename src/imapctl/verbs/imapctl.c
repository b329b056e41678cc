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

/* What getopt_long() gives: one of these, or of an option of verbs the number of its bit, behind OF_VERBS. */
enum { CONFIG = 'c', HELP = 'h', VERSION_OPTION = 'v', OF_VERBS = 256 };
#define VERBS(option) (OF_VERBS + __builtin_ctzll(option))

static const struct option options[] = {
	{ "config", required_argument, NULL, CONFIG },
	{ "json", no_argument, NULL, VERBS(OPTION_JSON) },
	{ "timeout", required_argument, NULL, VERBS(OPTION_TIMEOUT) },
	{ "if-missing", no_argument, NULL, VERBS(OPTION_IF_MISSING) },
	{ "mailbox", required_argument, NULL, VERBS(OPTION_MAILBOX) },
	{ "yes", no_argument, NULL, VERBS(OPTION_YES) },
	{ "home", required_argument, NULL, VERBS(OPTION_HOME) },
	{ "imap", required_argument, NULL, VERBS(OPTION_IMAP) },
	{ "entry", required_argument, NULL, VERBS(OPTION_ENTRY) },
	{ "master", optional_argument, NULL, VERBS(OPTION_MASTER) },
	{ "delegate", required_argument, NULL, VERBS(OPTION_DELEGATE) },
	{ "quota-storage", required_argument, NULL, VERBS(OPTION_QUOTA_STORAGE) },
	{ "quota-messages", required_argument, NULL, VERBS(OPTION_QUOTA_MESSAGES) },
	{ "quota-mailboxes", required_argument, NULL, VERBS(OPTION_QUOTA_MAILBOXES) },
	{ "no-password", no_argument, NULL, VERBS(OPTION_NO_PASSWORD) },
	{ "shared", no_argument, NULL, VERBS(OPTION_SHARED) },
	{ "purge", no_argument, NULL, VERBS(OPTION_PURGE) },
	{ "orphans", no_argument, NULL, VERBS(OPTION_ORPHANS) },
	{ "all", no_argument, NULL, VERBS(OPTION_ALL) },
	{ "rebuild", no_argument, NULL, VERBS(OPTION_REBUILD) },
	{ "verify", no_argument, NULL, VERBS(OPTION_VERIFY) },
	{ "labels", required_argument, NULL, VERBS(OPTION_LABELS) },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ NULL, 0, NULL, 0 },
};

static const char *
option_name(order_options option)
{
	size_t i = 0;

	while (options[i].name != NULL && options[i].val != VERBS(option))
		i++;
	return options[i].name;
}

/* False: it is none, and that was said. */
static bool
read_timeout(struct order *order)
{
	uint64_t seconds;

	if (!span_to_number(span_from_string(optarg), TIMEOUT_MAX_S, &seconds) || seconds == 0) {
		complain("--timeout takes a number of seconds from 1 to %d", TIMEOUT_MAX_S);
		return false;
	}
	order->timeout_s = (unsigned)seconds;
	return true;
}

/* An option of verbs, with its argument.  False: it cannot be used, and that was said. */
static bool
take_verbs_option(struct order *order, order_options option)
{
	order->given |= option;
	switch (option) {
	case OPTION_TIMEOUT:
		return read_timeout(order);
	case OPTION_MAILBOX:
		order->mailbox = optarg;
		break;
	case OPTION_HOME:
		order->home = optarg;
		break;
	case OPTION_IMAP:
		order->imap = optarg;
		break;
	case OPTION_ENTRY:
		order->entry = optarg;
		break;
	case OPTION_MASTER:
		order->master = optarg == NULL ? "on" : optarg;
		break;
	case OPTION_DELEGATE:
		order->delegate = optarg;
		break;
	case OPTION_QUOTA_STORAGE:
		order->quota_storage = optarg;
		break;
	case OPTION_QUOTA_MESSAGES:
		order->quota_messages = optarg;
		break;
	case OPTION_QUOTA_MAILBOXES:
		order->quota_mailboxes = optarg;
		break;
	case OPTION_LABELS:
		order->labels = optarg;
		break;
	default:
		break;
	}
	return true;
}

/* -1: go on; otherwise the exit code. */
static int
take_option(struct order *order, int letter)
{
	switch (letter) {
	case CONFIG:
		order->config_path = optarg;
		return -1;
	case HELP:
		help_print();
		return EX_OK;
	case VERSION_OPTION:
		puts("imapctl " VERSION);
		return EX_OK;
	default:
		return take_verbs_option(order, UINT64_C(1) << (letter - OF_VERBS)) ? -1 : EX_USAGE;
	}
}

static int
unknown_verb(char *const *words, size_t count)
{
	const struct verb *near = strcmp(words[0], "help") == 0 ? NULL : verb_suggest(words, count);

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
	order_options stray = order->given & ~verb->options & ~(OPTION_JSON | OPTION_TIMEOUT);

	if (order->word_count < verb->words_min || order->word_count > verb->words_max) {
		complain("usage: imapctl %s %s", verb->name, verb->arguments);
		return EX_USAGE;
	}
	if (stray != 0) {
		complain("%s has no option --%s; usage: imapctl %s %s", verb->name,
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

/* All of them, also behind one that is wrong: --json says how that is told.  Gives what take_option() does. */
static int
take_options(struct order *order, int argc, char **argv)
{
	int letter, code, result = -1;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		code = EX_USAGE;
		if (letter == ':')
			complain("%s lacks its value; `imapctl --help` lists verbs and options", argv[optind - 1]);
		else if (letter == '?')
			complain("no such option: %s; `imapctl --help` lists verbs and options", argv[optind - 1]);
		else if ((code = take_option(order, letter)) == EX_OK)
			return code;
		result = code >= 0 ? code : result;
	}
	return result;
}

int
imapctl_main(int argc, char **argv)
{
	struct order order = { .config_path = SYSCONF "/imapd/imapd.conf" };
	int code;

	signal(SIGPIPE, SIG_IGN);
	if ((code = take_options(&order, argc, argv)) == EX_OK)
		return code;
	if (code < 0 && optind == argc && !order_has(&order, OPTION_JSON)) {
		help_print();
		return EX_USAGE;
	}
	order.words = argv + optind;
	order.word_count = (size_t)(argc - optind);
	code = answer(&order, code < 0 ? EX_OK : code);
	if (fflush(stdout) != 0 && code == EX_OK) {
		complain("standard output: %m");
		code = EX_IOERR;
	}
	return code;
}
