/*
 * The server side of SASL as state machines (RFC 4422): PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC
 * 5802, RFC 7677) and EXTERNAL.  Pure: whoever calls looks the user up and has passwords verified on a
 * worker between two steps.  Any thread, one at a time; each call costs microseconds.
 *
 *	event = sasl_start(sasl, initial);
 *	SASL_CHALLENGE		send "+ " sasl_challenge() CRLF, then sasl_respond() with the client's line
 *	SASL_LOOK_UP		find sasl_user() in the directory, then sasl_credential()
 *	SASL_VERIFY		as SASL_LOOK_UP, and password_verify() on a worker, then sasl_verified()
 *	SASL_DONE		sasl_user() is who it says
 *	SASL_FAILED		NO [AUTHENTICATIONFAILED]; the same words whatever the cause
 *	SASL_MALFORMED		BAD: not base64, or not what the mechanism's grammar allows
 *	SASL_CANCELLED		BAD: the client sent "*"
 *
 * Text on the wire is base64, strictly: RFC 4648 section 3.5, no white space, canonical padding.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "base/span.h"

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_256,
	SASL_EXTERNAL,		/* on the link alone: believes the name it is given */
	SASL_MECHANISM_COUNT
};

enum sasl_event {
	SASL_CHALLENGE,
	SASL_LOOK_UP,
	SASL_VERIFY,
	SASL_DONE,
	SASL_FAILED,
	SASL_MALFORMED,
	SASL_CANCELLED
};

/* A longer line from the client is SASL_MALFORMED; base64 text, without CRLF. */
#define SASL_LINE_MAX 4096

struct sasl;

/*
 * Find a mechanism among those this side permits; letters compare without regard to case.
 *
 *	permitted	bits 1 << SASL_PLAIN and so on
 *
 * False: unknown, or not permitted here.
 */
bool sasl_find_mechanism(struct span name, unsigned permitted, enum sasl_mechanism *mechanism_out);

/* The name as in AUTH=NAME.  Static. */
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);

/*
 * Begin an exchange.
 *
 *	secret	 octets that stay the same for the life of the server and that no client knows; from them
 *		 come the salts that unknown users seem to have.  Borrowed until sasl_free().
 */
struct sasl *sasl_new(enum sasl_mechanism mechanism, struct span secret);

/* Wipes what it knows; accepts NULL, leaves NULL behind. */
void sasl_free(struct sasl **sasl);

/*
 * Take the initial response of the AUTHENTICATE command (RFC 9051 section 6.2.2), or NULL when it had
 * none.  "=" stands for an empty one.
 */
enum sasl_event sasl_start(struct sasl *sasl, const struct span *initial);

/* Take the client's answer to a challenge: a line without its CRLF. */
enum sasl_event sasl_respond(struct sasl *sasl, struct span line);

/*
 * Answer SASL_LOOK_UP.  An empty credential says that there is no such user, or that the user may not
 * log in: the exchange goes on and fails at its end, as with a wrong password.
 */
enum sasl_event sasl_credential(struct sasl *sasl, struct span credential);

/* Answer SASL_VERIFY: SASL_DONE or SASL_FAILED. */
enum sasl_event sasl_verified(struct sasl *sasl, bool is_match);

/* Base64 of the challenge; may be empty.  Borrowed until the next call. */
struct span sasl_challenge(const struct sasl *sasl);

/* The name as the client gave it, not prepared: see directory_prepare_name().  Borrowed from sasl. */
struct span sasl_user(const struct sasl *sasl);

/* The password, at SASL_VERIFY.  Borrowed from sasl, which wipes it. */
struct span sasl_password(const struct sasl *sasl);

#endif
