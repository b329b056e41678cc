/*
 * What nettle computes in the place of mbedTLS is what mbedTLS computes, and mbedTLS itself calls it.
 */
#include "../../src/net/tls_primitives.h"

#include <dlfcn.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/version.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define IN_LIBRARY(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static uint32_t seed;

static int
repeatable_random(void *context, unsigned char *octets, size_t length)
{
	(void)context;
	for (size_t i = 0; i < length; i++)
		octets[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
	return 0;
}

static void
assert_stands_before_library(const char *name)
{
	assert_non_null(dlsym(RTLD_NEXT, name));
	assert_ptr_not_equal(dlsym(RTLD_DEFAULT, name), dlsym(RTLD_NEXT, name));
}

static void
multiply_both(mbedtls_ecp_group *group, const mbedtls_mpi *factor, const mbedtls_ecp_point *point, mbedtls_ecp_point *product)
{
	mbedtls_ecp_point expected;

	mbedtls_ecp_point_init(&expected);
	assert_int_equal(mbedtls_ecp_mul(group, product, factor, point, repeatable_random, NULL), 0);
	assert_int_equal(IN_LIBRARY(mbedtls_ecp_mul_restartable)(group, &expected, factor, point, repeatable_random, NULL, NULL), 0);
	assert_int_equal(mbedtls_ecp_point_cmp(product, &expected), 0);
	mbedtls_ecp_point_free(&expected);
}

static void
products_are_the_library_s(void **state)
{
	static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1 };

	(void)state;
	assert_stands_before_library("mbedtls_ecp_mul_restartable");
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		mbedtls_ecp_group group;
		mbedtls_ecp_point first, second;
		mbedtls_mpi factor;

		mbedtls_ecp_group_init(&group);
		mbedtls_ecp_point_init(&first);
		mbedtls_ecp_point_init(&second);
		mbedtls_mpi_init(&factor);
		assert_int_equal(mbedtls_ecp_group_load(&group, curves[i]), 0);
		for (int round = 0; round < 10; round++) {
			assert_int_equal(mbedtls_ecp_gen_privkey(&group, &factor, repeatable_random, NULL), 0);
			multiply_both(&group, &factor, &group.G, &first);
			assert_int_equal(mbedtls_ecp_gen_privkey(&group, &factor, repeatable_random, NULL), 0);
			multiply_both(&group, &factor, &first, &second);
		}
		mbedtls_mpi_free(&factor);
		mbedtls_ecp_point_free(&second);
		mbedtls_ecp_point_free(&first);
		mbedtls_ecp_group_free(&group);
	}
}

/* RFC 7748 section 6.1. */
static void
exchange_of_the_rfc(void **state)
{
	static const uint8_t secret[32] = { 0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66,
		0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a };
	static const uint8_t public[32] = { 0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7,
		0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a };
	mbedtls_ecp_group group;
	mbedtls_ecp_point product;
	mbedtls_mpi factor;
	uint8_t clamped[32], octets[32];
	size_t length;

	(void)state;
	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&product);
	mbedtls_mpi_init(&factor);
	assert_int_equal(mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_CURVE25519), 0);
	memcpy(clamped, secret, sizeof clamped);
	clamped[0] &= 248;
	clamped[31] = (uint8_t)((clamped[31] & 127) | 64);
	assert_int_equal(mbedtls_mpi_read_binary_le(&factor, clamped, sizeof clamped), 0);
	assert_int_equal(mbedtls_ecp_mul(&group, &product, &factor, &group.G, repeatable_random, NULL), 0);
	assert_int_equal(mbedtls_ecp_point_write_binary(&group, &product, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, octets, sizeof octets), 0);
	assert_memory_equal(octets, public, sizeof public);
	mbedtls_mpi_free(&factor);
	mbedtls_ecp_point_free(&product);
	mbedtls_ecp_group_free(&group);
}

/* A point that is on no curve, or of small order, gives no secret away. */
static void
assert_refused(mbedtls_ecp_group_id curve, const uint8_t *octets, size_t length)
{
	mbedtls_ecp_group group;
	mbedtls_ecp_point point, product;
	mbedtls_mpi factor;

	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&point);
	mbedtls_ecp_point_init(&product);
	mbedtls_mpi_init(&factor);
	assert_int_equal(mbedtls_ecp_group_load(&group, curve), 0);
	assert_int_equal(mbedtls_ecp_gen_privkey(&group, &factor, repeatable_random, NULL), 0);
	assert_int_equal(mbedtls_ecp_point_read_binary(&group, &point, octets, length), 0);
	assert_int_not_equal(mbedtls_ecp_mul(&group, &product, &factor, &point, repeatable_random, NULL), 0);
	mbedtls_mpi_lset(&factor, 0);
	assert_int_not_equal(mbedtls_ecp_mul(&group, &product, &factor, &group.G, repeatable_random, NULL), 0);
	mbedtls_mpi_free(&factor);
	mbedtls_ecp_point_free(&product);
	mbedtls_ecp_point_free(&point);
	mbedtls_ecp_group_free(&group);
}

static void
bad_points_are_refused(void **state)
{
	uint8_t off_curve[65] = { 4, [32] = 1, [64] = 1 }, small_order[32] = { 0 }, order_4[32] = { 1 };

	(void)state;
	assert_refused(MBEDTLS_ECP_DP_SECP256R1, off_curve, sizeof off_curve);
	assert_refused(MBEDTLS_ECP_DP_CURVE25519, small_order, sizeof small_order);
	assert_refused(MBEDTLS_ECP_DP_CURVE25519, order_4, sizeof order_4);
}

#define LONGEST 16384

static void
seal_both(mbedtls_gcm_context *gcm, size_t length, size_t clear_length, size_t nonce_length, size_t tag_length)
{
	static uint8_t in[LONGEST], out[LONGEST], expected[LONGEST];
	uint8_t nonce[16], clear[64], tag[16] = { 0 }, expected_tag[16] = { 0 };

	repeatable_random(NULL, in, length);
	repeatable_random(NULL, nonce, sizeof nonce);
	repeatable_random(NULL, clear, sizeof clear);
	assert_int_equal(mbedtls_gcm_crypt_and_tag(gcm, MBEDTLS_GCM_ENCRYPT, length, nonce, nonce_length, clear, clear_length,
	    in, out, tag_length, tag), 0);
	assert_int_equal(IN_LIBRARY(mbedtls_gcm_crypt_and_tag)(gcm, MBEDTLS_GCM_ENCRYPT, length, nonce, nonce_length, clear,
	    clear_length, in, expected, tag_length, expected_tag), 0);
	assert_memory_equal(out, expected, length);
	assert_memory_equal(tag, expected_tag, sizeof tag);
	assert_int_equal(mbedtls_gcm_auth_decrypt(gcm, length, nonce, nonce_length, clear, clear_length, tag, tag_length, out,
	    out), 0);
	assert_memory_equal(out, in, length);
	tag[tag_length - 1] ^= 1;
	assert_int_equal(mbedtls_gcm_auth_decrypt(gcm, length, nonce, nonce_length, clear, clear_length, tag, tag_length,
	    expected, out), MBEDTLS_ERR_GCM_AUTH_FAILED);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(out[i], 0);
}

static void
gcm_is_the_library_s(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 1000, LONGEST };
	uint8_t key[32];

	(void)state;
	if (tls_is_aes_fast())
		assert_stands_before_library("mbedtls_gcm_crypt_and_tag");
	for (unsigned bits = 128; bits <= 256; bits += 64) {
		mbedtls_gcm_context gcm;

		mbedtls_gcm_init(&gcm);
		repeatable_random(NULL, key, sizeof key);
		assert_int_equal(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, bits), 0);
		for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
			seal_both(&gcm, lengths[i], 13, 12, 16);
			seal_both(&gcm, lengths[i], 0, 12, 16);
			seal_both(&gcm, lengths[i], 20, 16, 12);	/* for the library */
		}
		mbedtls_gcm_free(&gcm);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_the_library_s),
		cmocka_unit_test(exchange_of_the_rfc),
		cmocka_unit_test(bad_points_are_refused),
		cmocka_unit_test(gcm_is_the_library_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
