/*
 * Public keys, and what they have signed (RFC 7518 section 3, RFC 8037 section 3.1), by nettle.
 */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "base/buffer.h"

enum key_kind { KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

/* Octets of the numbers, as big as they come; owned. */
struct public_key {
	enum key_kind kind;
	char *id;		/* "kid"; NULL: none */
	char *algorithm;	/* "alg"; NULL: any that fits the kind */
	struct buffer first;	/* RSA: n; EC: x; Ed25519: the key */
	struct buffer second;	/* RSA: e; EC: y */
};

struct signature_algorithm;

/* By the name in "alg", compared octet for octet; NULL: unknown, "none" and all with a shared secret among them. */
const struct signature_algorithm *signature_algorithm_find(struct span name);

/* Whether a key may be used so: one kind of algorithm for each kind of key, and the one that it names, if any. */
bool signature_fits(const struct signature_algorithm *algorithm, const struct public_key *key);

/* Whether the key can be one: numbers of a sensible size, a point on its curve.  A static reason, or NULL. */
const char *public_key_objection(const struct public_key *key);

/* Whether it has signed the text.  The algorithm fits. */
bool signature_verify(const struct signature_algorithm *algorithm, const struct public_key *key, struct span text,
    struct span signature);

void public_key_fini(struct public_key *key);

#endif
