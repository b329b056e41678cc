/*
 * Logging in: which mechanism, and its messages.
 */
#ifndef IMAPCTL_AUTHENTICATE_H
#define IMAPCTL_AUTHENTICATE_H

#include "login.h"

/*
 * Log in by the mechanism that was asked for, or by the best that both sides know: one that does not send the password before
 * those that do.  If such a one is refused and none was asked for, the password is sent once, too, under TLS: servers offer SCRAM
 * to users of whom they keep a password in another form.
 *
 * Gives an exit code as login_open().
 */
int authenticate(struct remote *remote, const struct login_settings *settings, struct buffer *trouble_out);

#endif
