/*
 * The other end of a dialog: commands and their answers, and what the server can do.  It may be a server elsewhere or a
 * session of our own.  Blocking.
 *
 *	number = remote_begin(remote, "UID FETCH ");
 *	buffer_add_string(remote_out(remote), "1:* (FLAGS)");
 *	remote_end(remote);
 *	is_alive = remote_wait(remote, number, &answer);
 *
 * Several commands may be under way; remote_wait() may be called for them in any order.
 */
#ifndef IMAPCTL_REMOTE_H
#define IMAPCTL_REMOTE_H

#include "dialog.h"
#include "imap/reply.h"

struct remote;

/* How a command ended; all borrowed until the next remote_wait(). */
struct remote_answer {
	enum imap_reply_condition condition;	/* IMAP_REPLY_OK, _NO or _BAD */
	struct imap_reply_code code;
	struct span text;			/* behind the code */
	struct span line;			/* "NO [CODE] text", for those who complain */
};

/*
 * An untagged reply; borrowed until return.  One that cannot be read has the kind IMAP_REPLY_OTHER and is_malformed.
 *
 * False: it makes no sense to go on, and dialog_lose() was called.
 */
typedef bool remote_listener(const struct imap_reply *reply, bool is_malformed, void *context);

/*
 * Borrows the dialog, and listens to replies that begin with its letter and `*` and `+`.
 *
 *	letter	that the tags of its commands begin with
 */
struct remote *remote_new(struct dialog *dialog, char letter);

/* Accepts NULL, leaves NULL behind. */
void remote_free(struct remote **remote);

struct dialog *remote_dialog(struct remote *remote);

/* Who is told of untagged replies, one at a time; NULL: nobody. */
void remote_listen(struct remote *remote, remote_listener *listener, void *context);

/* Who is told of what must be shown to a person: ALERT (RFC 9051 section 7.1), and that mail may be elsewhere; NULL: nobody. */
typedef void remote_alert(struct span text, void *context);
void remote_on_alert(struct remote *remote, remote_alert *on_alert, void *context);

/* Begin a command: the words, with the space behind them where arguments follow.  Gives its number. */
uint32_t remote_begin(struct remote *remote, const char *words);
struct buffer *remote_out(struct remote *remote);

/*
 * Append a string as the server takes it: quoted, or a literal, which waits where the server wants that (no LITERAL+,
 * RFC 7888).  False: the connection is lost, or the server has refused the literal, and the command is over:
 * remote_wait() says so.
 */
bool remote_add_string(struct remote *remote, struct span text);

/* The same, always as a literal: a message for APPEND. */
bool remote_add_literal(struct remote *remote, struct span octets);

/* The same for a name of a mailbox in UTF-8: in modified UTF-7 unless UTF8=ACCEPT or IMAP4rev2 is enabled. */
bool remote_add_mailbox(struct remote *remote, struct span name);

void remote_end(struct remote *remote);

/* The command of this number is STARTTLS or COMPRESS: call dialog_pause() behind its answer, if that is OK. */
void remote_pause_behind(struct remote *remote, uint32_t number);

/* Wait until the command is answered.  False: the connection is lost, dialog_trouble() says why. */
bool remote_wait(struct remote *remote, uint32_t number, struct remote_answer *answer_out);

/* All at once: a command without arguments that need care. */
bool remote_call(struct remote *remote, const char *command, struct remote_answer *answer_out);

/* Wait until the command is answered, or the server says "+" with a text, which is borrowed until the next call. */
enum remote_turn { REMOTE_CONTINUES, REMOTE_ANSWERED, REMOTE_LOST };
enum remote_turn remote_await_turn(struct remote *remote, uint32_t number, struct span *text_out);

/*
 * Wait for the greeting: IMAP_REPLY_OK or _PREAUTH.  False: the connection is lost; the condition is IMAP_REPLY_BAD if something
 * else was said, else IMAP_REPLY_BYE.
 */
bool remote_await_greeting(struct remote *remote, enum imap_reply_condition *condition_out);

/* Whether the server has said that it can; asks for CAPABILITY when it has not said anything yet. */
bool remote_can(struct remote *remote, const char *capability);

/* Whether it can authenticate by a mechanism: AUTH=NAME. */
bool remote_can_authenticate(struct remote *remote, const char *mechanism);

/* Forget what it has said it can: TLS has begun, or somebody has logged in (RFC 9051 section 6.2.1). */
void remote_forget(struct remote *remote);

/* ENABLE those of the words that the server can do, separated by spaces.  False: the connection is lost. */
bool remote_enable(struct remote *remote, const char *capabilities);

/* Whether the server has enabled it. */
bool remote_has_enabled(const struct remote *remote, const char *capability);

/* Tell who we are by ID (RFC 2971), where the server can do it: some want to know.  False: the connection is lost. */
bool remote_identify(struct remote *remote);

#endif
