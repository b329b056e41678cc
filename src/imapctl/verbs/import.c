/*
 * The verb import: from files, or from another server.
 */
#include <sysexits.h>

#include "../ctl/options.h"
#include "../import/import.h"
#include "../pull/many.h"
#include "../pull/pull.h"
#include "../remote/url.h"
#include "verbs.h"

#define OF_SERVERS (OPTION_BIT(OPTION_EXCLUDE) | OPTION_BIT(OPTION_PASSWORD_FILE) | OPTION_BIT(OPTION_AUTH) | \
	OPTION_BIT(OPTION_LOGIN) | OPTION_BIT(OPTION_TLS_CA) | OPTION_BIT(OPTION_INSECURE) | OPTION_BIT(OPTION_MIRROR) | \
	OPTION_BIT(OPTION_VERIFY))
#define OF_LISTS (OPTION_BIT(OPTION_JOBS) | OPTION_BIT(OPTION_JOBS_PER_HOST))

static int
say_usage(const struct order *order)
{
	complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
	return EX_USAGE;
}

/* Whether one of these options was given, which is said. */
static bool
has_stray(const struct order *order, order_set options, const char *what_for)
{
	for (int option = 0; option < OPTION_COUNT; option++) {
		if ((order->given & options & OPTION_BIT(option)) == 0)
			continue;
		complain("--%s is for %s", order_options[option].name, what_for);
		return true;
	}
	return false;
}

static int
import_files(const struct order *order)
{
	size_t count = 0;

	if (has_stray(order, OF_SERVERS, "imap:// and imaps://"))
		return EX_USAGE;
	for (size_t i = 0; i < order->value_count; i++)
		count += order->values[i].option == OPTION_MAILBOX;
	if (count <= 1)
		return run_import(order);
	complain("files go into one mailbox, or below it: --mailbox more than once is for imap:// and imaps://");
	return EX_USAGE;
}

static int
import_many(const struct order *order)
{
	if (order->word_count > 0)
		return say_usage(order);
	if (has_stray(order, OPTION_BIT(OPTION_PASSWORD_FILE), "one user; a list names the files"))
		return EX_USAGE;
	return run_many(order);
}

int
run_import_any(const struct order *order)
{
	if (order_has(order, OPTION_LIST))
		return import_many(order);
	if (order->word_count < 2)
		return say_usage(order);
	if (has_stray(order, OF_LISTS, "--list"))
		return EX_USAGE;
	if (!url_is_server(order->words[order->word_count - 1]))
		return import_files(order);
	if (order->word_count == 3) {
		complain("a server has no format; usage: imapctl import NAME URL");
		return EX_USAGE;
	}
	return run_pull(order);
}
