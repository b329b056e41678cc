/*
 * What stands among single messages and is none.
 */
#ifndef IMAPCTL_NO_MAIL_H
#define IMAPCTL_NO_MAIL_H

#include "input.h"

/*
 * Say why a file is no message, in words for the operator, or NULL: it is one.
 *
 *	name	without its folder
 *	input	is read, and goes back to its start
 */
const char *no_mail(const char *name, struct input *input);

#endif
