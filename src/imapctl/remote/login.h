/*
 * From a URL to a session on a server elsewhere: connection, TLS, login, compression, ENABLE.  Blocking.
 */
#ifndef IMAPCTL_LOGIN_H
#define IMAPCTL_LOGIN_H

#include "remote.h"
#include "url.h"

/* What opening a session goes through; where TLS comes behind STARTTLS, it comes behind the greeting. */
enum login_step { LOGIN_CONNECT, LOGIN_TLS, LOGIN_GREETING, LOGIN_CAPABILITY, LOGIN_PROOF, LOGIN_STEP_COUNT };

/* All is borrowed as long as the session. */
struct login_settings {
	const struct url *url;
	bool is_insecure;	/* certificates are not looked at, and where no TLS is offered, none is spoken */
	const char *ca_file;	/* PEM; NULL: the authorities of the system */
	unsigned timeout_s;	/* how long the server may be silent; 0: CONNECTION_TIMEOUT_S */
	const char *login;	/* who proves the secret, to act as the URL's user (authorization identity, RFC 4422 section
				 * 3.4.1); NULL: the URL's user */
	const char *mechanism;	/* "plain", "login", "scram-sha-256", "oauthbearer" and so on, in any case; NULL: the URL's, or
				 * the best */
	struct span secret;	/* a password or a token */
	bool wants_compression;	/* where the server can do it */
	const char *enable;	/* words for remote_enable(), or NULL */
	bool only_greets;	/* nobody logs in, and no user need be named */
	/* A step has ended with this code of sysexits.h; NULL: nobody asks. */
	void (*on_step)(enum login_step step, int code, void *context);
	void *step_context;
};

/*
 * Open a session.
 *
 *	remote_out	given, with its dialog: login_close()
 *	trouble_out	what is wrong, one sentence
 *
 * Gives an exit code (sysexits.h): 0; EX_USAGE, EX_NOINPUT (the authorities cannot be read), EX_NOHOST, EX_UNAVAILABLE (nobody
 * listens there), EX_TEMPFAIL (it does not answer, ends the connection or says that it cannot now), EX_PROTOCOL (certificates, no
 * TLS, no IMAP, no way to log in), EX_NOPERM (the login is refused).
 */
int login_open(const struct login_settings *settings, struct remote **remote_out, struct buffer *trouble_out);

/* LOGOUT, and free the session with its dialog.  Accepts NULL, leaves NULL behind. */
void login_close(struct remote **remote);

#endif
