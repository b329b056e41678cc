/*
 * What the files of TLS share.  With them, the only place that knows mbedTLS, and which version of it.
 */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "internal.h"
#include "loop/job.h"
#include "net/tls.h"

#ifndef MBEDTLS_PRIVATE		/* 2.28 has nothing private */
#define MBEDTLS_PRIVATE(member) member
#endif

#define TLS_SLOTS 16
#define TLS_TEXT  160

/*
 * A private key and the configuration that uses it.  A key context is used by one thread at a time
 * (mbedtls/ecdsa.h), so there are several, and each handshake step locks the one its stream was given.
 */
struct tls_slot {
	pthread_mutex_t mutex;
	mbedtls_ssl_config config;
	mbedtls_pk_context key;
	struct tls_context *context;
	struct tls *current;		/* under mutex: whose handshake callbacks are about */
};

struct tls_tickets;

struct tls_context {
	atomic_uint holders;
	bool is_server;
	struct tls_slot slots[TLS_SLOTS];
	atomic_uint next_slot;
	mbedtls_x509_crt chain;		/* own certificates, or those believed in */
	bool has_chain;
	struct tls_named *named;	/* server; tls_names.c */
	uint64_t handshake_ms;
	mbedtls_x509_crt authorities;	/* who signs the other end's certificate */
	bool asks_certificates;		/* server, of clients that may have none; tls_peer.c */
	enum tls_user_field user_field;
	struct tls_tickets *tickets;	/* server */
	char *server_name;		/* client */
	char *protocol;			/* client */
	const char *protocols[2];
	pthread_mutex_t mutex;
	mbedtls_ssl_session session;	/* client; under mutex */
	bool has_session;		/* under mutex */
};

/* One stream's TLS.  The mbedTLS object and bio_* belong to the worker while is_lent. */
struct tls {
	struct stream *stream;		/* NULL: freed while lent */
	struct tls_context *context;
	struct workers *compute;
	struct evbuffer *received, *wire;
	enum { TLS_SHAKING, TLS_OPEN, TLS_OVER } state;
	bool is_lent;
	bool is_started;		/* the client's first flight is on its way */
	bool is_close_sent;
	struct timer limit;		/* of the handshake */
	struct timer rest;		/* runs while the record buffers may be in use */
	bool was_used;			/* since it was started */
	struct job job;
	struct evbuffer *lent_in, *lent_out, *lent_plain;
	size_t pending;			/* plaintext lent */
	const char *version, *cipher;	/* mbedTLS's own constants; NULL until established */

	struct evbuffer *bio_in, *bio_out;
	mbedtls_ssl_context *ssl;	/* NULL before the first octet has come */
	struct tls_slot *slot;
	int result;
	bool is_resumed;
	char server_name[256];		/* server: that was asked for; client: of this stream alone, else empty */
	const mbedtls_x509_crt *shown;	/* server: the chain of the name asked for; NULL: the context's */
	uint8_t exporter[32];		/* server, like what follows; tls_binding.c */
	bool has_exporter;
	uint8_t end_point[64];
	size_t end_point_length;	/* 0: there is none */
	struct span *users;		/* server: names in the client's certificate, owned; tls_peer.c */
	size_t user_count;
	char certificate_error[TLS_TEXT];	/* why there are none though there is a certificate */
	char error[TLS_TEXT];
};

/* mbedTLS's source of randomness: the kernel's. */
int tls_random(void *context, unsigned char *octets, size_t length);

/* Go on with the handshake: 0, MBEDTLS_ERR_SSL_WANT_READ or an error.  Worker thread. */
int tls_handshake(struct tls *tls);

/* The handshake is over: compute what can be bound to.  Worker thread. */
void tls_bind(struct tls *tls);

/* ... and read what the client's certificate says. */
void tls_read_users(struct tls *tls);
void tls_forget_users(struct tls *tls);

/* A client keeps its session for the next connection of the context. */
void tls_keep_session(struct tls *tls);

/* Encrypt from plain until it is empty, or nothing more than limit octets.  0 or an error. */
int tls_encrypt(struct tls *tls, struct evbuffer *plain, size_t limit);

/*
 * Give the memory of the record buffers back to the system: two thirds of what a connection takes, and nothing is in
 * them between records.  Does nothing when something is.
 */
void tls_rest(struct tls *tls);

/* Free the mbedTLS object. */
void tls_close(struct tls *tls);

#define TLS_FOREIGN_KEY INT_MIN	/* no error of mbedTLS's: the key belongs to another certificate */

/* The key of a chain's first certificate.  0 or an error. */
int tls_load_key(mbedtls_pk_context *key, const mbedtls_x509_crt *chain, const char *file);

/* "FILE: why", given. */
char *tls_error_text(const char *file, int error);

/* As tls_context_validity(). */
void tls_chain_validity(const mbedtls_x509_crt *chain, const char *name, struct tls_validity *validity_out);

/* Use the certificate for a name, if there is one.  0 or an error. */
int tls_names_choose(struct tls_slot *slot, mbedtls_ssl_context *ssl, struct span name);

/* The chain that was added for a name; NULL: none. */
const mbedtls_x509_crt *tls_names_chain(const struct tls_context *context, const char *server_name);
void tls_names_free(struct tls_context *context);

struct tls_tickets *tls_tickets_new(void);
struct tls_tickets *tls_tickets_hold(struct tls_tickets *tickets);
void tls_tickets_free(struct tls_tickets **tickets);

/* The callbacks of mbedtls_ssl_conf_session_tickets_cb(); context is the slot. */
int tls_ticket_write(void *context, const mbedtls_ssl_session *session, unsigned char *start,
    const unsigned char *end, size_t *length_out, uint32_t *lifetime_s_out);
int tls_ticket_parse(void *context, mbedtls_ssl_session *session, unsigned char *ticket,
    size_t length);

#endif
