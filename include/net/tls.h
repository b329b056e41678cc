/*
 * TLS on a stream: 1.2 or better, AEAD suites only.  Handshakes and large encryptions run on compute
 * workers; the loop only moves octets.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/span.h"

struct loop;
struct stream;
struct tls_context;
struct workers;

#define TLS_HANDSHAKE_MS 30000	/* by default */

/*
 * Load a certificate chain and its key, for the server's end.  ALPN: a client that offers it must offer
 * "imap" (RFC 7301 section 3.2: else no_application_protocol).
 *
 * NULL: *error_out, given, names the file and what is wrong.  Reads files: a worker, or before the loop
 * runs.
 */
struct tls_context *tls_context_new(const char *certificate_file, const char *key_file,
    char **error_out);

/*
 * Both ends of the link between hosts: ECDHE-PSK, TLS 1.2.
 *
 *	key	  16 to 64 octets, copied
 *	identity  names the key, 1 to 128 octets, copied
 *
 * The client's end remembers a session per context, so that the next handshake is cheap.
 */
struct tls_context *tls_context_new_psk(struct span key, struct span identity, bool is_server);

/*
 * The client's end with certificates.
 *
 *	ca_file		PEM; NULL: believe any certificate
 */
struct tls_context *tls_context_new_client(const char *ca_file, char **error_out);

/* As tls_context_new_client(), believing the authorities that this system believes; those that cannot be read are left
 * out. */
struct tls_context *tls_context_new_client_of_system(char **error_out);

/*
 * Both ends of the link between hosts, with certificates: each shows its own and believes those of the
 * authorities in ca_file.  The client's end checks the server's name, which tls_context_set_server_name()
 * must have said.
 *
 * NULL: *error_out, given, names the file and what is wrong.  Reads files, as tls_context_new().
 */
struct tls_context *tls_context_new_mutual(const char *certificate_file, const char *key_file,
    const char *ca_file, bool is_server, char **error_out);

/*
 * The server's end, before the first handshake: another certificate for clients that ask for a name by SNI.
 *
 *	name	"imap.example.org", or "*.example.org" for all names with one label in the star's place; a name in
 *		full goes before a wildcard
 *
 * False: *error_out, given, names the file and what is wrong.  Reads files, as tls_context_new().
 */
bool tls_context_add_certificate(struct tls_context *context, const char *name, const char *certificate_file,
    const char *key_file, char **error_out);

/*
 * The server's end, before the first handshake: no version older than TLS 1.3.  False: *error_out, given, says that
 * this mbedTLS does not speak it.
 */
bool tls_context_require_1_3(struct tls_context *context, char **error_out);

/* Whether this mbedTLS speaks TLS 1.3 at the server's end. */
bool tls_knows_1_3(void);

/*
 * The server's end, before the first handshake: ask clients for a certificate that one of the authorities in ca_file
 * has signed.  Who has none, or another one, comes in all the same.  Who has shown one gets no session to resume, so
 * that it is looked at each time.
 *
 *	field	where the names of users are
 *
 * False: *error_out, given, names the file and what is wrong.  Reads files, as tls_context_new().
 */
enum tls_user_field {
	TLS_USER_RFC822_NAME,	/* the alternative names that are addresses: RFC 5280 section 4.2.1.6 */
	TLS_USER_OTHER_NAME,	/* those that are a UPN of Windows, or an address of RFC 9598 */
	TLS_USER_COMMON_NAME,	/* the one CN of the subject; none, where there are several */
};
bool tls_context_ask_certificates(struct tls_context *context, const char *ca_file, enum tls_user_field field,
    char **error_out);

/* The server's end, before the first handshake: it is for HTTP, and a client that offers ALPN must offer "http/1.1". */
void tls_context_serve_http(struct tls_context *context);

/* How long handshakes may take, those that begin from now on. */
void tls_context_set_handshake_timeout(struct tls_context *context, uint64_t ms);

/*
 * Accept the tickets of an older context of the same kind and with the same certificates: a client that resumes
 * has seen none, and binds to the one of its first handshake.  Before the first handshake.
 */
void tls_context_share_tickets(struct tls_context *context, const struct tls_context *older);

/* Contexts are counted: streams that use one keep it.  Accepts NULL, leaves NULL behind. */
struct tls_context *tls_context_hold(struct tls_context *context);
void tls_context_free(struct tls_context **context);

/* A certificate and those between it and the authority. */
struct tls_validity {
	int64_t begins_s, ends_s;	/* seconds since 1970: all of them are valid between */
	bool is_named;			/* it is for the name in question */
};

/*
 * Of the server's end.
 *
 *	server_name	of the certificate that was added for it; NULL: the one of tls_context_new()
 *	name		that clients ask for; "*.example.org": any in the star's place; NULL: no name is in question
 *
 * False: there is no such certificate.
 */
bool tls_context_validity(const struct tls_context *context, const char *server_name, const char *name,
    struct tls_validity *validity_out);

/*
 * Look at a certificate and its key as tls_context_new() would use them, to tell an operator what is wrong.
 *
 *	*_file		NULL: there is none to look at
 *	name		as in tls_context_validity()
 *	*_error_out	given: what is wrong, with the name of the file; NULL: nothing
 *
 * False: validity_out is untouched, because of *certificate_error_out or for want of a file.  Reads files, as tls_context_new().
 */
bool tls_inspect(const char *certificate_file, const char *key_file, const char *name,
    struct tls_validity *validity_out, char **certificate_error_out, char **key_error_out);

/* Whether an authority in a file has signed a certificate; true when a file cannot be read.  Reads files. */
bool tls_is_signed_by(const char *certificate_file, const char *ca_file);

/*
 * Speak TLS on a stream from now on, as server or client by the context's kind.  What was written before
 * still leaves in plaintext first.
 *
 *	compute	where the handshake runs
 *
 * The caller has checked stream_has_input(): octets that came in plaintext behind STARTTLS are an attack
 * (CVE-2011-0411) and must close the connection; here they end the stream with STREAM_ERROR.  Nothing is told about success: input arrives,
 * or the stream ends.  stream_is_tls_established() tells.
 */
void stream_start_tls(struct stream *stream, struct tls_context *context, struct workers *compute);

/*
 * As stream_start_tls() at the client's end of a context that many servers share.  No session is remembered.
 *
 *	name	for SNI and for checking the certificate, 1 to 255 octets
 */
void stream_start_tls_to(struct stream *stream, struct tls_context *context, struct workers *compute, const char *name);

/*
 * As stream_start_tls(), where TLS is spoken from the first octet: input that is there already is the client's
 * handshake.
 */
void stream_begin_with_tls(struct stream *stream, struct tls_context *context, struct workers *compute);

/* The client's end: name for SNI and for checking the certificate; before stream_start_tls(). */
void tls_context_set_server_name(struct tls_context *context, const char *name);

/* The client's end: the one protocol to offer by ALPN; before stream_start_tls(). */
void tls_context_offer_protocol(struct tls_context *context, const char *protocol);

/* What is known of a stream's TLS, for the log.  Strings live as long as the stream. */
struct tls_facts {
	const char *version;	/* "TLSv1.2"; NULL: no TLS, or not yet established */
	const char *cipher;
	const char *server_name;	/* SNI; NULL: none was sent */
	bool is_resumed;		/* known at the server's end only */
	const char *error;	/* why the handshake failed; NULL: it did not */
	const char *certificate_error;	/* why the client's certificate stands for nobody; NULL: it does, or there is none */
	bool is_silent;		/* nothing has come, and not because it took too long */
};
void stream_tls_facts(const struct stream *stream, struct tls_facts *facts_out);

/*
 * What can be bound to the channel at the server's end (RFC 5056): empty before the handshake is over, and what
 * the version of TLS does not have.  Borrowed, as long as the stream.
 */
struct tls_bindings {
	struct span exporter;		/* tls-exporter, RFC 9266; TLS 1.3 */
	struct span end_point;		/* tls-server-end-point, RFC 5929 section 4 */
};
void stream_tls_bindings(const struct stream *stream, struct tls_bindings *bindings_out);

/* The users that the client's certificate, which was verified, stands for; NULL and none before the handshake is
 * over.  Borrowed, as long as the stream. */
const struct span *stream_tls_users(const struct stream *stream, size_t *count_out);

bool stream_is_tls(const struct stream *stream);

/* The handshake is over. */
bool stream_is_tls_established(const struct stream *stream);

#endif
