/*
 * One connection to an IMAP or LMTP server on loopback, by blocking calls.  Whatever goes wrong ends the program: a
 * figure of a run with failures is none.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum client_tls { NO_TLS, FULL_TLS, RESUMED_TLS };

struct client {
	int socket;
	SSL *tls;		/* NULL: none */
	SSL_SESSION *session;	/* what the server gave last; outlives the connection */
	char *input;		/* what has come and is not yet read */
	size_t size, have, at;
	bool is_deflated;
	z_stream inflating, deflating;
	char *packed;		/* input that is still to be inflated */
	uint64_t octets;	/* received since the start, inflated and without TLS */
	uint64_t resumed;	/* handshakes that took up a session */
};

_Noreturn void fail(const char *what);
double now_s(void);

/* Connect and, where that is wanted, do the handshake; RESUMED_TLS takes up the session of the connection before
 * if the server agrees. */
void client_dial(struct client *client, int port, enum client_tls tls);
/* Without a word; the next client_dial() may follow. */
void client_close(struct client *client);
void client_put(struct client *client, const char *octets, size_t length);
/* The next line without its CRLF, valid until the next call; what its literals held is gone. */
char *client_line(struct client *client);
/* Read up to a tagged OK; another tagged reply is a failure. */
void client_await(struct client *client, const char *tag);
/* Send a command with the tag "t" and await its end. */
void client_ask(struct client *client, const char *command);
void client_log_in(struct client *client, unsigned user);
/* COMPRESS DEFLATE, both ways from then on (RFC 4978). */
void client_compress(struct client *client);

#endif
