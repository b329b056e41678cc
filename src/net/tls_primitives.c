/*
 * The arithmetic under TLS, by nettle.  mbedTLS lets its primitives be replaced when it is built (MBEDTLS_GCM_ALT and
 * its kind), which Debian's library was not.  But it calls them by their names, and the linker takes a name from the
 * program before it looks into a library: so the functions below stand in the place of the library's.  Everything
 * above them, protocol, keys, padding and checks, is mbedTLS's own.  AES-GCM becomes ten times as fast, the
 * multiplication on X25519 and P-256 that a handshake does three times, ten to twenty times.
 *
 * What is not dealt with here goes to the library's function.  The program must be linked with the shared library.
 * Any thread.
 */
#include "tls_primitives.h"

#include <dlfcn.h>
#include <mbedtls/aes.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/version.h>
#include <nettle/bignum.h>
#include <nettle/curve25519.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/gcm.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tls_internal.h"

#define P256_OCTETS 32

/* The library's function that one here stands before. */
static void *
library_function(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)	/* linked statically */
		abort();
	return found;
}

#define IN_LIBRARY(function) ((__typeof__(&function))library_function(#function))

/* AES-GCM. */

#if MBEDTLS_VERSION_NUMBER < 0x03000000

union gcm {
	struct gcm_aes128_ctx aes128;
	struct gcm_aes192_ctx aes192;
	struct gcm_aes256_ctx aes256;
};

bool
tls_is_aes_fast(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#else
	return false;
#endif
}

/* NULL: for the library. */
static const struct nettle_aead *
find_aead(const mbedtls_gcm_context *context, size_t nonce_length, size_t tag_length)
{
	if (nonce_length != GCM_IV_SIZE || tag_length != GCM_DIGEST_SIZE || context->cipher_ctx.cipher_info == NULL)
		return NULL;
	switch (context->cipher_ctx.cipher_info->type) {
	case MBEDTLS_CIPHER_AES_128_ECB:
		return &nettle_gcm_aes128;
	case MBEDTLS_CIPHER_AES_192_ECB:
		return &nettle_gcm_aes192;
	case MBEDTLS_CIPHER_AES_256_ECB:
		return &nettle_gcm_aes256;
	default:
		return NULL;
	}
}

/* The key is where the key schedule begins: FIPS 197 section 5.2. */
static void
begin(const struct nettle_aead *aead, const mbedtls_gcm_context *context, const uint8_t *nonce,
    const uint8_t *clear, size_t clear_length, union gcm *gcm)
{
	const mbedtls_aes_context *aes = context->cipher_ctx.cipher_ctx;
	uint8_t key[AES256_KEY_SIZE];

	for (size_t i = 0; i < aead->key_size; i++)
		key[i] = (uint8_t)(aes->rk[i / 4] >> 8 * (i % 4));
	aead->set_encrypt_key(gcm, key);
	aead->set_nonce(gcm, nonce);
	aead->update(gcm, clear_length, clear);
	memory_wipe(key, sizeof key);
}

int
mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *ctx, int mode, size_t length, const unsigned char *iv, size_t iv_len,
    const unsigned char *add, size_t add_len, const unsigned char *input, unsigned char *output, size_t tag_len,
    unsigned char *tag)
{
	const struct nettle_aead *aead = find_aead(ctx, iv_len, tag_len);
	union gcm gcm;

	if (aead == NULL)
		return IN_LIBRARY(mbedtls_gcm_crypt_and_tag)(ctx, mode, length, iv, iv_len, add, add_len, input, output,
		    tag_len, tag);
	begin(aead, ctx, iv, add, add_len, &gcm);
	(mode == MBEDTLS_GCM_ENCRYPT ? aead->encrypt : aead->decrypt)(&gcm, length, output, input);
	aead->digest(&gcm, tag_len, tag);
	memory_wipe(&gcm, sizeof gcm);
	return 0;
}

int
mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *ctx, size_t length, const unsigned char *iv, size_t iv_len,
    const unsigned char *add, size_t add_len, const unsigned char *tag, size_t tag_len, const unsigned char *input,
    unsigned char *output)
{
	uint8_t expected[GCM_DIGEST_SIZE];
	int error;

	if (find_aead(ctx, iv_len, tag_len) == NULL)
		return IN_LIBRARY(mbedtls_gcm_auth_decrypt)(ctx, length, iv, iv_len, add, add_len, tag, tag_len, input,
		    output);
	error = mbedtls_gcm_crypt_and_tag(ctx, MBEDTLS_GCM_DECRYPT, length, iv, iv_len, add, add_len, input, output,
	    tag_len, expected);
	if (error == 0 && !memeql_sec(expected, tag, tag_len)) {
		memory_wipe(output, length);
		error = MBEDTLS_ERR_GCM_AUTH_FAILED;
	}
	return error;
}

#else

/* The insides of its contexts are mbedTLS's own since 3.0. */
bool
tls_is_aes_fast(void)
{
	return false;
}

#endif

/* Multiplication on curves. */

static int
multiply_x25519(mbedtls_ecp_point *result, const mbedtls_mpi *factor, const mbedtls_ecp_point *point)
{
	uint8_t scalar[CURVE25519_SIZE], at[CURVE25519_SIZE], product[CURVE25519_SIZE] = { 0 };
	static const uint8_t zero[CURVE25519_SIZE];
	int error = mbedtls_mpi_write_binary_le(factor, scalar, sizeof scalar);

	if (error == 0)
		error = mbedtls_mpi_write_binary_le(&point->MBEDTLS_PRIVATE(X), at, sizeof at);
	if (error == 0)
		curve25519_mul(product, scalar, at);
	/* RFC 7748 section 6.1: the other's point is of small order. */
	if (error == 0 && memeql_sec(product, zero, sizeof zero))
		error = MBEDTLS_ERR_MPI_NOT_ACCEPTABLE;
	if (error == 0)
		error = mbedtls_mpi_read_binary_le(&result->MBEDTLS_PRIVATE(X), product, sizeof product);
	if (error == 0)
		error = mbedtls_mpi_lset(&result->MBEDTLS_PRIVATE(Z), 1);
	mbedtls_mpi_free(&result->MBEDTLS_PRIVATE(Y));
	memory_wipe(scalar, sizeof scalar);
	memory_wipe(product, sizeof product);
	return error;
}

static int
number_from_mbedtls(const mbedtls_mpi *number, mpz_t out)
{
	uint8_t octets[P256_OCTETS];
	int error = mbedtls_mpi_write_binary(number, octets, sizeof octets);

	nettle_mpz_set_str_256_u(out, sizeof octets, octets);
	memory_wipe(octets, sizeof octets);
	return error;
}

static int
number_to_mbedtls(const mpz_t number, mbedtls_mpi *out)
{
	uint8_t octets[P256_OCTETS];
	int error;

	nettle_mpz_get_str_256(sizeof octets, octets, number);
	error = mbedtls_mpi_read_binary(out, octets, sizeof octets);
	memory_wipe(octets, sizeof octets);
	return error;
}

/* GMP frees numbers as they are. */
static void
forget_number(mpz_t number)
{
	memory_wipe(mpz_limbs_modify(number, (mp_size_t)mpz_size(number) + 1), (mpz_size(number) + 1) * sizeof(mp_limb_t));
	mpz_clear(number);
}

/* Where the product lies.  Points off the curve are refused: nettle looks. */
static int
multiply_numbers(mpz_t x, mpz_t y, const mpz_t factor, bool is_generator)
{
	const struct ecc_curve *curve = nettle_get_secp_256r1();
	struct ecc_scalar scalar;
	struct ecc_point point;
	bool is_good;

	ecc_scalar_init(&scalar, curve);
	ecc_point_init(&point, curve);
	is_good = ecc_scalar_set(&scalar, factor) && (is_generator || ecc_point_set(&point, x, y));
	if (is_good && is_generator)
		ecc_point_mul_g(&point, &scalar);
	else if (is_good)
		ecc_point_mul(&point, &scalar, &point);
	if (is_good)
		ecc_point_get(&point, x, y);
	memory_wipe(scalar.p, ecc_size(curve) * sizeof *scalar.p);
	ecc_scalar_clear(&scalar);
	ecc_point_clear(&point);
	return is_good ? 0 : MBEDTLS_ERR_ECP_INVALID_KEY;
}

static int
multiply_p256(const mbedtls_ecp_group *group, mbedtls_ecp_point *result, const mbedtls_mpi *factor,
    const mbedtls_ecp_point *point)
{
	mpz_t x, y, number;
	int error;

	mpz_inits(x, y, number, NULL);
	error = number_from_mbedtls(factor, number);
	if (error == 0)
		error = number_from_mbedtls(&point->MBEDTLS_PRIVATE(X), x);
	if (error == 0)
		error = number_from_mbedtls(&point->MBEDTLS_PRIVATE(Y), y);
	if (error == 0)
		error = multiply_numbers(x, y, number, mbedtls_ecp_point_cmp(point, &group->G) == 0);
	if (error == 0)
		error = number_to_mbedtls(x, &result->MBEDTLS_PRIVATE(X));
	if (error == 0)
		error = number_to_mbedtls(y, &result->MBEDTLS_PRIVATE(Y));
	if (error == 0)
		error = mbedtls_mpi_lset(&result->MBEDTLS_PRIVATE(Z), 1);
	forget_number(number);
	forget_number(x);
	forget_number(y);
	return error;
}

static bool
is_affine(const mbedtls_ecp_point *point)
{
	return mbedtls_mpi_cmp_int(&point->MBEDTLS_PRIVATE(Z), 1) == 0;
}

int
mbedtls_ecp_mul_restartable(mbedtls_ecp_group *grp, mbedtls_ecp_point *R, const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng, mbedtls_ecp_restart_ctx *rs_ctx)
{
	int error;

	if ((grp->id != MBEDTLS_ECP_DP_CURVE25519 && grp->id != MBEDTLS_ECP_DP_SECP256R1) || !is_affine(P))
		return IN_LIBRARY(mbedtls_ecp_mul_restartable)(grp, R, m, P, f_rng, p_rng, rs_ctx);
	error = mbedtls_ecp_check_privkey(grp, m);
	if (error == 0 && grp->id == MBEDTLS_ECP_DP_SECP256R1)
		return multiply_p256(grp, R, m, P);
	if (error == 0)
		error = mbedtls_ecp_check_pubkey(grp, P);
	return error != 0 ? error : multiply_x25519(R, m, P);
}
