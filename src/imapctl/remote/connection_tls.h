/*
 * The client's end of TLS over memory: 1.2 or better, by mbedTLS.  With its source the only place of this room that
 * knows the library.
 */
#ifndef IMAPCTL_CONNECTION_TLS_H
#define IMAPCTL_CONNECTION_TLS_H

#include "base/buffer.h"

struct connection_tls;

enum connection_tls_result { CONNECTION_TLS_GOOD, CONNECTION_TLS_WAITS, CONNECTION_TLS_ENDED, CONNECTION_TLS_BROKEN };

/*
 * Prepare a handshake.
 *
 *	host		for SNI, and to be found in the certificate; a name or an address
 *	ca_file		PEM; NULL: the authorities of the system
 *	is_insecure	the certificate is not looked at
 *
 * NULL: trouble_out has a sentence.
 */
struct connection_tls *connection_tls_new(const char *host, const char *ca_file, bool is_insecure, struct buffer *trouble_out);

/* Accepts NULL, leaves NULL behind. */
void connection_tls_free(struct connection_tls **tls);

/*
 * Go on with the handshake, with what has come in wire_in and what is to be sent in wire_out, which hold the octets of
 * the other calls, too.
 */
enum connection_tls_result connection_tls_shake(struct connection_tls *tls, struct buffer *wire_in, struct buffer *wire_out);

/* Say why the handshake or a later step failed, with the option that mends it where there is one. */
void connection_tls_explain(struct connection_tls *tls, struct buffer *trouble_out);

enum connection_tls_result connection_tls_encrypt(struct connection_tls *tls, struct span plain, struct buffer *wire_out);

/* Append what can be decrypted; all of wire_in is used up, but for a record that is not whole. */
enum connection_tls_result connection_tls_decrypt(struct connection_tls *tls, struct buffer *wire_in, struct buffer *plain_out);

/* Tell the server that nothing more comes. */
void connection_tls_end(struct connection_tls *tls, struct buffer *wire_out);

/* tls-server-end-point (RFC 5929 section 4); empty before the handshake is over.  Borrowed. */
struct span connection_tls_end_point(const struct connection_tls *tls);

#endif
