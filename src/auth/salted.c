/*
 * Digests of passwords, with salt and without: {SHA}, {SSHA512} and their kin.  Pure.
 */
#include "salted.h"

#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/base64.h"
#include "base/memory.h"

#define SALT_MAX 256

static const struct scheme {
	struct span name, written_as;
	const struct nettle_hash *hash;
	bool has_salt;
} schemes[] = {
	{ SPAN("SSHA512"), SPAN("{SSHA512}"), &nettle_sha512, true },
	{ SPAN("SSHA256"), SPAN("{SSHA256}"), &nettle_sha256, true },
	{ SPAN("SSHA"), SPAN("{SSHA}"), &nettle_sha1, true },
	{ SPAN("SMD5"), SPAN("{SMD5}"), &nettle_md5, true },
	{ SPAN("SHA512"), SPAN("{SHA512}"), &nettle_sha512, false },
	{ SPAN("SHA256"), SPAN("{SHA256}"), &nettle_sha256, false },
	{ SPAN("SHA"), SPAN("{SHA}"), &nettle_sha1, false },
	{ SPAN("SHA1"), SPAN("{SHA}"), &nettle_sha1, false },
	{ SPAN("LDAP-MD5"), SPAN("{LDAP-MD5}"), &nettle_md5, false },
	{ SPAN("PLAIN-MD5"), SPAN("{LDAP-MD5}"), &nettle_md5, false },
};

union state {
	struct md5_ctx md5;
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

static const struct scheme *
find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (span_equals_nocase(name, schemes[i].name))
			return &schemes[i];
	return NULL;
}

bool
salted_is_scheme(struct span scheme)
{
	return find(scheme) != NULL;
}

static bool
has_right_length(const struct scheme *scheme, size_t length)
{
	size_t digest = scheme->hash->digest_size;

	return scheme->has_salt ? length >= digest && length <= digest + SALT_MAX : length == digest;
}

bool
salted_read(struct span name, struct span value, enum salted_encoding encoding, struct buffer *credential_out)
{
	const struct scheme *scheme = find(name);
	struct buffer octets = { 0 };
	bool is_good;

	if (scheme == NULL)
		return false;
	if (encoding == SALTED_USUAL && !scheme->has_salt && value.length == 2 * (size_t)scheme->hash->digest_size)
		encoding = SALTED_HEX;		/* as Dovecot's password_decode() tells them apart */
	is_good = (encoding == SALTED_HEX ? hex_decode(value, &octets) : base64_decode(value, &octets)) &&
	    has_right_length(scheme, octets.length);
	if (is_good) {
		buffer_add_span(credential_out, scheme->written_as);
		base64_encode(buffer_span(&octets), credential_out);
	}
	buffer_free(&octets);
	return is_good;
}

/* The scheme of "{SCHEME}VALUE", and the octets of the value.  NULL: it is none, or damaged. */
static const struct scheme *
take_apart(struct span credential, struct buffer *octets_out)
{
	size_t end = span_find(credential, '}');
	const struct scheme *scheme = NULL;

	if (credential.length > 0 && credential.at[0] == '{' && end < credential.length)
		scheme = find(span_slice(credential, 1, end - 1));
	if (scheme == NULL || !base64_decode(span_from(credential, end + 1), octets_out) ||
	    !has_right_length(scheme, octets_out->length))
		return NULL;
	return scheme;
}

bool
salted_is_credential(struct span text)
{
	struct buffer octets = { 0 };
	bool is_one = take_apart(text, &octets) != NULL;

	buffer_free(&octets);
	return is_one;
}

bool
salted_fits(struct span password, struct span credential)
{
	struct buffer octets = { 0 };
	const struct scheme *scheme = take_apart(credential, &octets);
	uint8_t digest[SHA512_DIGEST_SIZE];
	union state state;
	bool fits = false;

	if (scheme != NULL) {
		struct span salt = span_from(buffer_span(&octets), scheme->hash->digest_size);

		scheme->hash->init(&state);
		scheme->hash->update(&state, password.length, password.at);
		scheme->hash->update(&state, salt.length, salt.at);
		scheme->hash->digest(&state, scheme->hash->digest_size, digest);
		fits = memory_equals_secret(digest, octets.at, scheme->hash->digest_size);
		memory_wipe(&state, sizeof state);
		memory_wipe(digest, sizeof digest);
	}
	buffer_free(&octets);
	return fits;
}
