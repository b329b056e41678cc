/*
 * The algorithms as one table, each with the one kind of key it is for.  Numbers live in GMP for the time of a call,
 * so keys can be used by many threads.  Pure.
 */
#include "signature.h"

#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/eddsa.h>
#include <nettle/nettle-meta.h>
#include <nettle/pss.h>
#include <nettle/rsa.h>
#include <stdlib.h>

#include "base/memory.h"

#define RSA_BITS_MIN 2048	/* RFC 7518 section 3.3 */
#define RSA_BITS_MAX 8192
#define DIGEST_MAX 64

struct signature_algorithm {
	const char *name;
	enum key_kind kind;
	const struct nettle_hash *hash;
	bool (*verify)(const struct signature_algorithm *algorithm, const struct public_key *key,
	    const uint8_t *digest, struct span signature);
	uint8_t prefix[19];	/* RSASSA-PKCS1-v1_5: what stands before the digest, RFC 8017 section 9.2 */
};

static void
hash_text(const struct nettle_hash *hash, struct span text, uint8_t digest_out[DIGEST_MAX])
{
	union {
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;	/* SHA-384, too */
	} state;

	hash->init(&state);
	hash->update(&state, text.length, text.at);
	hash->digest(&state, hash->digest_size, digest_out);
}

static bool
rsa_init(const struct public_key *key, struct rsa_public_key *rsa)
{
	rsa_public_key_init(rsa);
	nettle_mpz_set_str_256_u(rsa->n, key->first.length, key->first.at);
	nettle_mpz_set_str_256_u(rsa->e, key->second.length, key->second.at);
	return rsa_public_key_prepare(rsa) == 1;
}

static bool
verify_pkcs1(const struct signature_algorithm *algorithm, const struct public_key *key, const uint8_t *digest,
    struct span signature)
{
	uint8_t info[32 + DIGEST_MAX];
	struct rsa_public_key rsa;
	bool is_good;
	mpz_t number;

	memcpy(info, algorithm->prefix, sizeof algorithm->prefix);
	memcpy(info + sizeof algorithm->prefix, digest, algorithm->hash->digest_size);
	nettle_mpz_init_set_str_256_u(number, signature.length, signature.at);
	is_good = rsa_init(key, &rsa) && signature.length == rsa.size &&
	    rsa_pkcs1_verify(&rsa, sizeof algorithm->prefix + algorithm->hash->digest_size, info, number) == 1;
	mpz_clear(number);
	rsa_public_key_clear(&rsa);
	return is_good;
}

/* RFC 7518 section 3.5: the salt is as long as the digest. */
static bool
verify_pss(const struct signature_algorithm *algorithm, const struct public_key *key, const uint8_t *digest,
    struct span signature)
{
	size_t length = algorithm->hash->digest_size;
	struct rsa_public_key rsa;
	bool is_good;
	mpz_t number;

	nettle_mpz_init_set_str_256_u(number, signature.length, signature.at);
	is_good = rsa_init(key, &rsa) && signature.length == rsa.size && mpz_cmp(number, rsa.n) < 0;
	if (is_good && algorithm->hash == &nettle_sha256)
		is_good = rsa_pss_sha256_verify_digest(&rsa, length, digest, number) == 1;
	else if (is_good && algorithm->hash == &nettle_sha384)
		is_good = rsa_pss_sha384_verify_digest(&rsa, length, digest, number) == 1;
	else if (is_good)
		is_good = rsa_pss_sha512_verify_digest(&rsa, length, digest, number) == 1;
	mpz_clear(number);
	rsa_public_key_clear(&rsa);
	return is_good;
}

static const struct ecc_curve *
curve_of(enum key_kind kind, size_t *octets_out)
{
	*octets_out = kind == KEY_P256 ? 32 : kind == KEY_P384 ? 48 : 66;
	return kind == KEY_P256 ? nettle_get_secp_256r1() :
	    kind == KEY_P384 ? nettle_get_secp_384r1() : nettle_get_secp_521r1();
}

/* False: not on the curve. */
static bool
point_init(const struct public_key *key, struct ecc_point *point)
{
	size_t octets;
	bool is_good;
	mpz_t x, y;

	ecc_point_init(point, curve_of(key->kind, &octets));
	nettle_mpz_init_set_str_256_u(x, key->first.length, key->first.at);
	nettle_mpz_init_set_str_256_u(y, key->second.length, key->second.at);
	is_good = ecc_point_set(point, x, y) == 1;
	mpz_clear(x);
	mpz_clear(y);
	return is_good;
}

/* RFC 7518 section 3.4: both numbers, each as long as the curve's. */
static bool
verify_ecdsa(const struct signature_algorithm *algorithm, const struct public_key *key, const uint8_t *digest,
    struct span signature)
{
	struct dsa_signature numbers;
	struct ecc_point point;
	size_t octets;
	bool is_good;

	curve_of(key->kind, &octets);
	if (signature.length != 2 * octets)
		return false;
	dsa_signature_init(&numbers);
	nettle_mpz_set_str_256_u(numbers.r, octets, signature.at);
	nettle_mpz_set_str_256_u(numbers.s, octets, signature.at + octets);
	is_good = point_init(key, &point) &&
	    ecdsa_verify(&point, algorithm->hash->digest_size, digest, &numbers) == 1;
	ecc_point_clear(&point);
	dsa_signature_clear(&numbers);
	return is_good;
}

/* DigestInfo without its digest: its own length, the hash function, the digest's length. */
#define INFO(length, hash, digest) \
	{ 0x30, length, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, 0x05, 0x00, 0x04, digest }
#define NO_INFO { 0 }

static const struct signature_algorithm algorithms[] = {
	{ "RS256", KEY_RSA, &nettle_sha256, verify_pkcs1, INFO(0x31, 0x01, 0x20) },
	{ "RS384", KEY_RSA, &nettle_sha384, verify_pkcs1, INFO(0x41, 0x02, 0x30) },
	{ "RS512", KEY_RSA, &nettle_sha512, verify_pkcs1, INFO(0x51, 0x03, 0x40) },
	{ "PS256", KEY_RSA, &nettle_sha256, verify_pss, NO_INFO },
	{ "PS384", KEY_RSA, &nettle_sha384, verify_pss, NO_INFO },
	{ "PS512", KEY_RSA, &nettle_sha512, verify_pss, NO_INFO },
	{ "ES256", KEY_P256, &nettle_sha256, verify_ecdsa, NO_INFO },
	{ "ES384", KEY_P384, &nettle_sha384, verify_ecdsa, NO_INFO },
	{ "ES512", KEY_P521, &nettle_sha512, verify_ecdsa, NO_INFO },
	{ "EdDSA", KEY_ED25519, NULL, NULL, NO_INFO },	/* hashes by itself */
};

const struct signature_algorithm *
signature_algorithm_find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (span_equals(name, span_from_string(algorithms[i].name)))
			return &algorithms[i];
	return NULL;
}

bool
signature_fits(const struct signature_algorithm *algorithm, const struct public_key *key)
{
	return algorithm->kind == key->kind &&
	    (key->algorithm == NULL || strcmp(key->algorithm, algorithm->name) == 0);
}

static const char *
object_to_rsa(const struct public_key *key)
{
	struct rsa_public_key rsa;
	bool is_good = rsa_init(key, &rsa) && mpz_odd_p(rsa.n) && mpz_odd_p(rsa.e) && mpz_cmp_ui(rsa.e, 3) >= 0 &&
	    mpz_sizeinbase(rsa.e, 2) <= 64;
	size_t bits = mpz_sizeinbase(rsa.n, 2);

	rsa_public_key_clear(&rsa);
	if (!is_good)
		return "this is no RSA key";
	return bits < RSA_BITS_MIN || bits > RSA_BITS_MAX ? "an RSA key has 2048 to 8192 bits" : NULL;
}

const char *
public_key_objection(const struct public_key *key)
{
	struct ecc_point point;
	bool is_good;

	if (key->kind == KEY_RSA)
		return object_to_rsa(key);
	if (key->kind == KEY_ED25519)
		return key->first.length == ED25519_KEY_SIZE ? NULL : "an Ed25519 key has 32 octets";
	is_good = point_init(key, &point);
	ecc_point_clear(&point);
	return is_good ? NULL : "the point is not on the curve";
}

bool
signature_verify(const struct signature_algorithm *algorithm, const struct public_key *key, struct span text,
    struct span signature)
{
	uint8_t digest[DIGEST_MAX];

	if (key->kind == KEY_ED25519)
		return signature.length == ED25519_SIGNATURE_SIZE &&
		    ed25519_sha512_verify(key->first.at, text.length, text.at, signature.at) == 1;
	hash_text(algorithm->hash, text, digest);
	return algorithm->verify(algorithm, key, digest, signature);
}

void
public_key_fini(struct public_key *key)
{
	free(key->id);
	free(key->algorithm);
	buffer_free(&key->first);
	buffer_free(&key->second);
}
