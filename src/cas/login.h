/*
 * How a client logs in, as its files share it, from the top down: login.c speaks SASL with the client, proof.c asks
 * the directory and the workers, admission.c opens the session of who was proved, verdict.c says why not.  Loop
 * thread.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include "client.h"

#define VERIFYING_MAX 256	/* passwords and tokens that wait for workers */

/* claim.c: what the client says who it is; borrowed from its exchange. */
struct directory_claim login_claim(const struct cas_client *client);

/* ... and under which name its failures count: that which is to be proved. */
struct span login_counted(const struct cas_client *client);

/* Forget the failures of who has proved it, and of nobody else whose name is a part of what was said. */
void login_succeeded(struct cas_client *client);

/* proof.c: ask the directory, and for SASL_VERIFY a worker, on behalf of the exchange; react() gets what it says. */
typedef void proof_react(struct cas_client *client, enum sasl_event event);
void proof_ask(struct cas_client *client, enum sasl_event event, proof_react *react);

/* bearer.c: have the token checked that the exchange has got. */
void bearer_ask(struct cas_client *client, proof_react *react);

/* admission.c: open the session of the user who is proved; or let the mailbox server say whether the password fits. */
void admission_open(struct cas_client *client);
void admission_ask_home(struct cas_client *client);

/* ... the proof came with the session, by a result that is LINK_OK. */
void admission_take(struct cas_client *client, const struct link_result *result);

/* ... what the mailbox server is told of the client; they need the capability of the caller.  With a new word. */
struct link_facts admission_facts(struct cas_client *client, struct buffer *capability_out);

/* ... NO with the words of a server, response code included. */
void admission_refuse(struct cas_client *client, struct span text);

/* relay.c: the user lives elsewhere: let the server there say whether the password fits, and open the session. */
void relay_open(struct cas_client *client);

/* learning.c: the password was proved elsewhere: keep it as the user's, who has none here. */
void learning_begin(struct cas_client *client);

/* ... the password has fitted this credential here: put keys in its place, where the configuration wants it. */
void learning_upgrade(struct cas_client *client, struct span credential);

/* referral.c: the user is proved; true: the answer was that the mail is elsewhere. */
bool referral_give(struct cas_client *client);

/* verdict.c: answer the command and read the next one; code may be NULL. */
void verdict_tell(struct cas_client *client, enum imap_condition condition, const char *code, const char *text);

/* ... with NO [UNAVAILABLE]; why is for the log.  The latter: because of the directory, which status then tells. */
void verdict_unavailable(struct cas_client *client, const char *why);
void verdict_no_directory(struct cas_client *client, const char *why);

/* Count and log a failure; how long it should be before that is told. */
uint32_t verdict_note(struct cas_client *client);

/* Answer with NO [AUTHENTICATIONFAILED], after that delay. */
void verdict_failed(struct cas_client *client);

/* As verdict_failed(), with other words: the text behind NO, response code included. */
void verdict_failed_with(struct cas_client *client, struct span text);

#endif
