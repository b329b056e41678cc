/*
 * How a client logs in, as three files share it: login.c speaks SASL with the client, proof.c asks the directory
 * and the workers, admission.c opens the session of who was proved.  Loop thread.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include "client.h"

/* Do what the exchange asks for. */
void login_react(struct cas_client *client, enum sasl_event event);

/* Answer the command and read the next one; code may be NULL. */
void login_finish(struct cas_client *client, enum imap_condition condition, const char *code, const char *text);

/* Answer NO [UNAVAILABLE]; why is for the log. */
void login_finish_unavailable(struct cas_client *client, const char *why);

/* Answer NO [AUTHENTICATIONFAILED] after a delay. */
void login_fail(struct cas_client *client);

/* proof.c: ask the directory, and for SASL_VERIFY a worker, on behalf of the exchange. */
void login_look_up(struct cas_client *client, enum sasl_event event);

/* admission.c: the user is proved. */
void login_succeed(struct cas_client *client);

/* admission.c: let the mailbox server say whether the password fits. */
void login_ask_home(struct cas_client *client);

#endif
