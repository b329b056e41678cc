/*
 * The verb import: from files, or from another server.
 */
#include <sysexits.h>

#include "../ctl/options.h"
#include "../import/import.h"
#include "../pull/pull.h"
#include "../remote/url.h"
#include "verbs.h"

#define OF_SERVERS (OPTION_BIT(OPTION_EXCLUDE) | OPTION_BIT(OPTION_PASSWORD_FILE) | OPTION_BIT(OPTION_AUTH) | \
	OPTION_BIT(OPTION_LOGIN) | OPTION_BIT(OPTION_TLS_CA) | OPTION_BIT(OPTION_INSECURE) | OPTION_BIT(OPTION_MIRROR) | \
	OPTION_BIT(OPTION_VERIFY))

static int
import_files(const struct order *order)
{
	for (int option = 0; option < OPTION_COUNT; option++) {
		if ((order->given & OF_SERVERS & OPTION_BIT(option)) == 0)
			continue;
		complain("--%s is for imap:// and imaps://", order_options[option].name);
		return EX_USAGE;
	}
	return run_import(order);
}

int
run_import_any(const struct order *order)
{
	if (!url_is_server(order->words[order->word_count - 1]))
		return import_files(order);
	if (order->word_count == 3) {
		complain("a server has no format; usage: imapctl import NAME URL");
		return EX_USAGE;
	}
	return run_pull(order);
}
