/*
 * The verb link-key: a new key for the link between hosts.  Needs no running server.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "link/key.h"
#include "verbs.h"

int
run_link_key(const struct order *order)
{
	const char *path = order->words[0];
	char *error;

	if (!link_key_make(path, &error)) {
		complain("%s", error);
		free(error);
		return EX_CANTCREAT;
	}
	order_say(order, "%s: copy it to every host of the site, readable for its owner alone, and name it by link-key "
	    "in imapd.conf", path);
	return EX_OK;
}
