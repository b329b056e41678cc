/*
 * Opening a session, step by step: each gives an exit code, and says what is wrong.
 */
#include "login.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "authenticate.h"
#include "base/memory.h"

#define GREETING_TIMEOUT_S 30

struct opening {
	const struct login_settings *settings;
	struct remote *remote;
	enum imap_reply_condition greeting;
	struct buffer *trouble;
};

/* Gives the code that it gets. */
static int
note_step(const struct opening *opening, enum login_step step, int code)
{
	const struct login_settings *settings = opening->settings;

	if (settings->on_step != NULL)
		settings->on_step(step, code, settings->step_context);
	return code;
}

static void
forget(struct remote **remote)
{
	struct dialog *dialog = *remote == NULL ? NULL : remote_dialog(*remote);

	remote_free(remote);
	dialog_free(&dialog);
}

/* The connection was lost for a reason that is known. */
static int
lost(struct opening *opening, int code)
{
	buffer_printf(opening->trouble, "%s: %s", opening->settings->url->host, dialog_trouble(remote_dialog(opening->remote)));
	return code;
}

/* Nothing has come, and the time is up. */
static bool
is_silent(struct opening *opening)
{
	return strcmp(dialog_trouble(remote_dialog(opening->remote)), DIALOG_SILENCE) == 0;
}

static int
greet(struct opening *opening)
{
	struct connection *connection = dialog_connection(remote_dialog(opening->remote));
	unsigned timeout_s = connection_timeout(connection);
	bool is_greeted;

	if (opening->settings->timeout_s == 0)
		connection_set_timeout(connection, GREETING_TIMEOUT_S);
	is_greeted = remote_await_greeting(opening->remote, &opening->greeting);
	connection_set_timeout(connection, timeout_s);
	if (is_greeted)
		return EX_OK;
	lost(opening, 0);
	if (is_silent(opening) && !opening->settings->url->is_tls_first)
		buffer_add_string(opening->trouble, "; if it waits for TLS from the first octet, it is imaps://");
	return opening->greeting == IMAP_REPLY_BAD ? EX_PROTOCOL : EX_TEMPFAIL;
}

/* STARTTLS was answered; what has been said in plain text counts for nothing (RFC 9051 section 6.2.1). */
static int
turn_to_tls(struct opening *opening, const struct remote_answer *answer)
{
	if (answer->condition == IMAP_REPLY_OK) {
		remote_forget(opening->remote);
		return dialog_start_tls(remote_dialog(opening->remote), opening->trouble);
	}
	if (opening->settings->is_insecure)
		return EX_OK;
	buffer_printf(opening->trouble, "the server offers STARTTLS, and refuses it: %.*s", SPAN_ARGS(answer->line));
	return EX_PROTOCOL;
}

static int
start_tls(struct opening *opening)
{
	struct remote_answer answer;
	uint32_t number;

	if (opening->greeting == IMAP_REPLY_OK && remote_can(opening->remote, "STARTTLS")) {
		number = remote_begin(opening->remote, "STARTTLS");
		remote_pause_behind(opening->remote, number);
		remote_end(opening->remote);
		return remote_wait(opening->remote, number, &answer) ? turn_to_tls(opening, &answer) : lost(opening, EX_TEMPFAIL);
	}
	if (dialog_trouble(remote_dialog(opening->remote))[0] != '\0')
		return lost(opening, EX_TEMPFAIL);
	if (opening->settings->is_insecure)
		return EX_OK;
	/* PREAUTH is no way around: RFC 9051 section 11.3 */
	buffer_add_string(opening->trouble, opening->greeting == IMAP_REPLY_OK ? "the server offers no STARTTLS" :
	    "the server has logged us in already, and so there is no STARTTLS");
	buffer_add_string(opening->trouble, "; imaps:// if it speaks TLS from the first octet, or --insecure for plain text, "
	    "which others can read");
	return EX_PROTOCOL;
}

/* Whoever tries a server wants to know whether it is one, before a password is sent. */
static int
ask_capability(struct opening *opening)
{
	struct remote *remote = opening->remote;

	if (opening->settings->on_step == NULL || remote_can(remote, "IMAP4rev1") || remote_can(remote, "IMAP4rev2"))
		return EX_OK;
	if (dialog_trouble(remote_dialog(remote))[0] != '\0')
		return lost(opening, EX_TEMPFAIL);
	buffer_add_string(opening->trouble, "the server can neither IMAP4rev1 nor IMAP4rev2");
	return EX_PROTOCOL;
}

static int
log_in(struct opening *opening)
{
	if (opening->greeting == IMAP_REPLY_PREAUTH)
		return EX_OK;
	if (opening->settings->url->user.length == 0) {
		buffer_add_string(opening->trouble, "the user is missing: imap://USER@HOST");
		return EX_USAGE;
	}
	return authenticate(opening->remote, opening->settings, opening->trouble);
}

/* DEFLATE begins behind the tagged OK: RFC 4978 section 3.  False: the connection is lost. */
static bool
compress(struct opening *opening)
{
	struct remote *remote = opening->remote;
	struct remote_answer answer;
	uint32_t number;

	if (!opening->settings->wants_compression || !remote_can(remote, "COMPRESS=DEFLATE"))
		return true;
	number = remote_begin(remote, "COMPRESS DEFLATE");
	remote_pause_behind(remote, number);
	remote_end(remote);
	if (!remote_wait(remote, number, &answer))
		return false;
	if (answer.condition == IMAP_REPLY_OK)
		dialog_start_deflate(remote_dialog(remote));
	return true;
}

static int
settle(struct opening *opening)
{
	const char *enable = opening->settings->enable;

	if (compress(opening) && remote_identify(opening->remote) &&
	    (enable == NULL || remote_enable(opening->remote, enable)))
		return EX_OK;
	return lost(opening, EX_TEMPFAIL);
}

/* RFC 9051 section 7.1: it must be shown.  Nothing in it may move a cursor. */
static void
show_alert(struct span text, void *context)
{
	(void)context;
	fputs("imapctl: the server says: ", stderr);
	for (size_t i = 0; i < text.length; i++)
		fputc(text.at[i] < ' ' || text.at[i] == 127 ? ' ' : text.at[i], stderr);
	fputc('\n', stderr);
}

static int
connect_to(struct opening *opening)
{
	const struct login_settings *settings = opening->settings;
	struct connection_settings how = { .host = settings->url->host, .port = settings->url->port,
		.is_insecure = settings->is_insecure, .ca_file = settings->ca_file, .timeout_s = settings->timeout_s };
	struct connection *connection;
	int code = note_step(opening, LOGIN_CONNECT, connection_open(&how, &connection, opening->trouble));

	if (code != EX_OK)
		return code;
	if (settings->url->is_tls_first)
		code = note_step(opening, LOGIN_TLS, connection_start_tls(connection, opening->trouble));
	if (code != EX_OK) {
		connection_free(&connection);
		return code;
	}
	opening->remote = remote_new(dialog_new(connection), 'r');
	remote_on_alert(opening->remote, show_alert, NULL);
	return EX_OK;
}

static int
open_session(struct opening *opening)
{
	int code = connect_to(opening);

	if (code == EX_OK)
		code = note_step(opening, LOGIN_GREETING, greet(opening));
	if (code == EX_OK && !opening->settings->url->is_tls_first)
		code = note_step(opening, LOGIN_TLS, start_tls(opening));
	if (code == EX_OK)
		code = note_step(opening, LOGIN_CAPABILITY, ask_capability(opening));
	if (code != EX_OK || opening->settings->only_greets)
		return code;
	code = note_step(opening, LOGIN_PROOF, log_in(opening));
	return code == EX_OK ? settle(opening) : code;
}

int
login_open(const struct login_settings *settings, struct remote **remote_out, struct buffer *trouble_out)
{
	struct opening opening = { .settings = settings, .trouble = trouble_out };
	int code = open_session(&opening);

	if (code == EX_OK)
		*remote_out = opening.remote;
	else
		forget(&opening.remote);
	return code;
}

void
login_close(struct remote **remote)
{
	struct remote_answer answer;

	if (*remote == NULL)
		return;
	dialog_expect_bye(remote_dialog(*remote));
	if (dialog_trouble(remote_dialog(*remote))[0] == '\0')
		remote_call(*remote, "LOGOUT", &answer);
	forget(remote);
}
