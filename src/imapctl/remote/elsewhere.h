/*
 * Another server, as the operator names it on the command line: the URL, the secret and the options that say how to come
 * there.  Blocking.
 */
#ifndef IMAPCTL_ELSEWHERE_H
#define IMAPCTL_ELSEWHERE_H

#include "../ctl/order.h"
#include "login.h"

struct elsewhere {
	struct url url;
	struct buffer secret;
	struct login_settings login;	/* points into the other two and the order */
};

/*
 * Read the URL, which is the last word, and the secret; *elsewhere is zeroed.
 *
 * Gives an exit code: 0, or what is wrong was said.
 */
int elsewhere_read(struct elsewhere *elsewhere, const struct order *order);

void elsewhere_free(struct elsewhere *elsewhere);

#endif
