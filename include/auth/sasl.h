/*
 * The server side of SASL as state machines (RFC 4422): PLAIN (RFC 4616), LOGIN, SCRAM with SHA-1 or SHA-256,
 * bound to the TLS channel or not (RFC 5802, RFC 7677), OAUTHBEARER (RFC 7628), XOAUTH2, and EXTERNAL by the client's
 * certificate (RFC 4422 appendix A).  Pure: whoever calls looks the user up and has passwords and tokens verified on a
 * worker between two steps.  Any thread, one at a time; each call costs microseconds.
 *
 *	event = sasl_start(sasl, initial);
 *	SASL_CHALLENGE		send "+ " sasl_challenge() CRLF, then sasl_respond() with the client's line
 *	SASL_LOOK_UP		find sasl_user() in the directory, then sasl_credential()
 *	SASL_VERIFY		as SASL_LOOK_UP, and password_verify() on a worker, then sasl_verified()
 *	SASL_CHECK_TOKEN	token_check() of sasl_password() on a worker, then sasl_token()
 *	SASL_AUTHORIZE		find sasl_user() in the directory, then sasl_found(): nothing else is to be proved
 *	SASL_DONE		sasl_user() is who it says, and may act as sasl_identity()
 *	SASL_FAILED		NO [AUTHENTICATIONFAILED]; the same words whatever the cause
 *	SASL_MALFORMED		BAD: not base64, or not what the mechanism's grammar allows
 *	SASL_CANCELLED		BAD: the client sent "*"
 *
 * Text on the wire is base64, strictly: RFC 4648 section 3.5, no white space, canonical padding.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/token.h"
#include "base/span.h"

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_1,
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS,
	SASL_OAUTHBEARER,
	SASL_XOAUTH2,
	SASL_EXTERNAL,
	SASL_MECHANISM_COUNT
};

/* Sets of mechanisms: 1 << SASL_PLAIN and so on. */
#define SASL_BIT(mechanism)	(1u << (mechanism))
#define SASL_SCRAM		(SASL_BIT(SASL_SCRAM_SHA_1) | SASL_BIT(SASL_SCRAM_SHA_256) | SASL_SCRAM_PLUS)
#define SASL_BEARER		(SASL_BIT(SASL_OAUTHBEARER) | SASL_BIT(SASL_XOAUTH2))
#define SASL_SCRAM_PLUS		(SASL_BIT(SASL_SCRAM_SHA_1_PLUS) | SASL_BIT(SASL_SCRAM_SHA_256_PLUS))

enum sasl_event {
	SASL_CHALLENGE,
	SASL_LOOK_UP,
	SASL_VERIFY,
	SASL_CHECK_TOKEN,
	SASL_AUTHORIZE,
	SASL_DONE,
	SASL_FAILED,
	SASL_MALFORMED,
	SASL_CANCELLED
};

/* How an exchange can be bound to the channel it runs in (RFC 5056); octets are empty where it cannot. */
#define SASL_BINDING_COUNT 2
struct sasl_binding {
	const char *type;	/* "tls-exporter"; static */
	struct span octets;
};

/* What is known where the exchange runs.  All it points to is borrowed until sasl_free(). */
struct sasl_facts {
	/* Octets that stay the same for the life of a server and that no client knows: from them come the salts
	 * that unknown users seem to have. */
	struct span secret;
	unsigned offered;	/* the mechanisms that the client was told of */
	struct sasl_binding bindings[SASL_BINDING_COUNT];
	const struct span *certificate_names;	/* of the client's certificate, which was verified: users it may be */
	size_t certificate_name_count;		/* 0: there is none */
	const char *token_scope, *openid_configuration;	/* what a client whose token is refused may need; or NULL */
};

/* A longer line from the client is SASL_MALFORMED; base64 text, without CRLF.  It has room for a token. */
#define SASL_LINE_MAX 12288

struct sasl;

/*
 * Find a mechanism among those this side permits; letters compare without regard to case.
 *
 *	permitted	a set
 *
 * False: unknown, or not permitted here.
 */
bool sasl_find_mechanism(struct span name, unsigned permitted, enum sasl_mechanism *mechanism_out);

/* The name as in AUTH=NAME.  Static. */
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);

/* Begin an exchange. */
struct sasl *sasl_new(enum sasl_mechanism mechanism, const struct sasl_facts *facts);

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
 * log in: the exchange goes on and fails at its end, as with a wrong password; so it does for a user without keys
 * for this mechanism.
 *
 *	owner	whose it is, as the client gave the name: nobody has one salt for each, as users have,
 *		whatever else sasl_user() says
 */
enum sasl_event sasl_credential(struct sasl *sasl, struct span credential, struct span owner);

/* Answer SASL_VERIFY: SASL_DONE or SASL_FAILED. */
enum sasl_event sasl_verified(struct sasl *sasl, bool is_match);

/*
 * Answer SASL_CHECK_TOKEN.
 *
 *	user	whom the token stands for; ignored unless TOKEN_GOOD
 */
enum sasl_event sasl_token(struct sasl *sasl, enum token_verdict verdict, struct span user);

/* Answer SASL_AUTHORIZE: whether there is such a user, who may log in. */
enum sasl_event sasl_found(struct sasl *sasl, bool is_found);

/* Base64 of the challenge; may be empty.  Borrowed until the next call. */
struct span sasl_challenge(const struct sasl *sasl);

/* The name as the client gave it, not prepared: see directory_prepare_name().  Borrowed from sasl. */
struct span sasl_user(const struct sasl *sasl);

/*
 * As whom the client wants to act, not prepared: an authorization identity (RFC 4422 section 3.4.1) other than
 * sasl_user(); empty: as that.  Whoever looks the user up finds out whether that may be.  Borrowed from sasl.
 */
struct span sasl_identity(const struct sasl *sasl);

/*
 * Between a question and its answer: the user may not act as is wanted, or as nobody.  The exchange goes on, and ends
 * as with a wrong password, whatever is proved.
 */
void sasl_forbid(struct sasl *sasl);

/*
 * After SASL_FAILED a word for the log: "password", "no-keys" (none for this mechanism, or there is no such user),
 * "channel-binding", "not-permitted" (to act as that), "certificate", those of token_verdict_word().  NULL: nothing was
 * compared here.  It is set, too, when the client has cancelled after it was told of an error.  Static.
 */
const char *sasl_reason(const struct sasl *sasl);

/* The password at SASL_VERIFY, the token at SASL_CHECK_TOKEN.  Borrowed from sasl, which wipes it. */
struct span sasl_password(const struct sasl *sasl);

#endif
