/*
 * Bearer tokens: JWTs (RFC 7519) in compact form that an issuer has signed whose keys we have (RFC 7515, 7517, 7518,
 * 8037).  Nothing in a token chooses how it is checked but the issuer's name and the key's: an algorithm fits one
 * kind of key alone, there is none with a shared secret, and no address in a token is ever followed.  Pure.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/buffer.h"

struct token_rules;

/* A longer token is TOKEN_MALFORMED. */
#define TOKEN_MAX 9000

/* What tokens must say.  Texts are copied. */
struct token_settings {
	char *const *audiences;		/* one of them must be that of the token */
	size_t audience_count;
	const char *scope;		/* a word of the token's scope; NULL: any scope */
	const char *user_claim;		/* whose value is the user's name */
	uint64_t skew_s;		/* how much the issuer's clock may differ from ours */
};

struct token_rules *token_rules_new(const struct token_settings *settings);

/* Rules are counted, and do not change once tokens are checked by them.  Any thread. */
struct token_rules *token_rules_hold(struct token_rules *rules);
void token_rules_free(struct token_rules **rules);

/* Add an issuer, as its tokens name it; the keys that are added then are its own. */
void token_rules_add_issuer(struct token_rules *rules, const char *issuer);

/*
 * Add keys of the issuer added last.
 *
 *	text	a JWK Set (RFC 7517 section 5), one JWK, or public keys and certificates in PEM
 *
 * False, with nothing added: reason_out gets what is wrong, led by "LINE:COLUMN: " where that is known.
 */
bool token_rules_add_keys(struct token_rules *rules, struct span text, struct buffer *reason_out);

enum token_verdict {
	TOKEN_GOOD,
	TOKEN_MALFORMED,	/* not a signed JWT, or with a part that must be understood and is not */
	TOKEN_ISSUER,		/* of somebody else */
	TOKEN_ALGORITHM,	/* of another kind than the keys, none, or not known */
	TOKEN_KEY,		/* the issuer has no key of this name */
	TOKEN_SIGNATURE,
	TOKEN_EXPIRED,		/* or it never expires */
	TOKEN_NOT_YET,		/* issued or valid in the future */
	TOKEN_AUDIENCE,
	TOKEN_SCOPE,
	TOKEN_USER,		/* names no user, or an address that is not verified */
	TOKEN_VERDICT_COUNT
};

/*
 * Check a token.
 *
 *	now_s		since 1970
 *	user_out	gets the user's name; untouched unless TOKEN_GOOD
 *
 * Worker thread: the signature takes a fraction of a millisecond.
 */
enum token_verdict token_check(const struct token_rules *rules, struct span token, int64_t now_s,
    struct buffer *user_out);

/* A word for the log: "token-expired".  Static. */
const char *token_verdict_word(enum token_verdict verdict);

#endif
