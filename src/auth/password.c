/*
 * Deriving and verifying credentials.  Whatever is compared is compared in constant time, and a
 * credential that cannot fit costs what a fresh one costs.  Worker thread.
 */
#include "auth/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "salted.h"
#include "scram_keys.h"

/* RFC 4013 section 2.1: spaces other than U+0020 become it, and these vanish. */
static bool
is_space(ucs4_t character)
{
	return character == 0xa0 || character == 0x1680 ||
	    (character >= 0x2000 && character <= 0x200b) || character == 0x202f ||
	    character == 0x205f || character == 0x3000;
}

static bool
is_nothing(ucs4_t character)
{
	return character == 0xad || character == 0x34f || character == 0x1806 ||
	    (character >= 0x180b && character <= 0x180d) ||
	    (character >= 0x200c && character <= 0x200d) || character == 0x2060 ||
	    (character >= 0xfe00 && character <= 0xfe0f) || character == 0xfeff;
}

static void
map_characters(struct span text, struct buffer *out)
{
	for (size_t at = 0; at < text.length;) {
		ucs4_t character;
		int length = u8_mbtouc(&character, text.at + at, text.length - at);

		if (is_space(character))
			buffer_add_octet(out, ' ');
		else if (!is_nothing(character))
			buffer_add(out, text.at + at, (size_t)length);
		at += (size_t)length;
	}
}

void
password_prepare(struct span password, struct buffer *out)
{
	struct buffer mapped = { 0 };
	uint8_t *normal;
	size_t length;

	if (u8_check(password.at, password.length) != NULL) {
		buffer_add_span(out, password);
		return;
	}
	map_characters(password, &mapped);
	normal = u8_normalize(UNINORM_NFKC, mapped.at, mapped.length, NULL, &length);
	if (normal == NULL || length == 0)	/* nothing but what vanishes: an empty one would fit all such */
		buffer_add_span(out, password);
	else
		buffer_add(out, normal, length);
	if (normal != NULL) {
		memory_wipe(normal, length);
		free(normal);
	}
	if (mapped.at != NULL)
		memory_wipe(mapped.at, mapped.length);
	buffer_free(&mapped);
}

static void
derive_keys(struct span password, struct scram_keys *keys)
{
	struct buffer prepared = { 0 };

	password_prepare(password, &prepared);
	scram_keys_derive(keys, buffer_span(&prepared));
	if (prepared.at != NULL)
		memory_wipe(prepared.at, prepared.length);
	buffer_free(&prepared);
}

static bool
is_usable(struct span password)
{
	return password.length > 0 && password.length <= PASSWORD_MAX &&
	    span_find(password, '\0') == password.length;
}

static void
add_keys(struct span password, enum hash hash, struct buffer *credential_out)
{
	struct scram_keys keys = { .hash = hash, .iterations = PASSWORD_ITERATIONS,
		.salt_length = SCRAM_SALT_LENGTH };

	random_fill(keys.salt, keys.salt_length);
	derive_keys(password, &keys);
	scram_keys_write(&keys, credential_out);
	memory_wipe(&keys, sizeof keys);
}

bool
password_derive(struct span password, bool wants_sha1, struct buffer *credential_out)
{
	assert_off_loop();
	if (!is_usable(password))
		return false;
	add_keys(password, HASH_SHA_256, credential_out);
	if (wants_sha1) {
		buffer_add_octet(credential_out, ' ');
		add_keys(password, HASH_SHA_1, credential_out);
	}
	return true;
}

static bool
verify_scram(struct span password, const struct scram_keys *keys)
{
	struct scram_keys derived = *keys;
	bool is_match;

	derive_keys(password, &derived);
	is_match = memory_equals_secret(derived.stored_key, keys->stored_key, hash_length(keys->hash));
	memory_wipe(&derived, sizeof derived);
	return is_match;
}

/* As long as a fresh credential takes, and always false. */
static bool
verify_nothing(struct span password)
{
	struct scram_keys keys = { .hash = HASH_SHA_256, .iterations = PASSWORD_ITERATIONS,
		.salt_length = SCRAM_SALT_LENGTH };

	verify_scram(password, &keys);
	return false;
}

static bool
verify_crypt(struct span password, struct span credential)
{
	struct crypt_data *data = NEW(struct crypt_data);
	char *phrase = memory_copy_span(password), *setting = memory_copy_span(credential);
	const char *hash = crypt_rn(phrase, setting, data, (int)sizeof *data);
	bool is_known = hash != NULL && hash[0] != '*';
	bool is_match = is_known && strlen(hash) == credential.length &&
	    memory_equals_secret(hash, setting, credential.length);

	memory_wipe(data, sizeof *data);
	memory_wipe(phrase, password.length);
	free(data);
	free(phrase);
	free(setting);
	return is_known ? is_match : verify_nothing(password);
}

/* As long as a fresh credential takes: whom a site has brought along is nobody's business. */
static bool
verify_salted(struct span password, struct span credential)
{
	verify_nothing(password);
	return salted_fits(password, credential);
}

bool
password_verify(struct span password, struct span credential)
{
	struct scram_keys keys;

	assert_off_loop();
	if (!is_usable(password))
		return verify_nothing(SPAN("-"));
	if (scram_keys_find(credential, HASH_SHA_256, &keys) || scram_keys_find(credential, HASH_SHA_1, &keys))
		return verify_scram(password, &keys);
	if (salted_is_credential(credential))
		return verify_salted(password, credential);
	if (password_is_credential(credential))
		return verify_crypt(password, credential);
	return verify_nothing(password);
}

/* One or more schemes, and nothing else. */
static bool
is_scram(struct span text)
{
	struct scram_keys keys;

	while (text.length > 0) {
		struct span scheme = span_slice(text, 0, span_find(text, ' '));

		if (!scram_keys_parse(scheme, &keys))
			return false;
		if (scheme.length == text.length)
			return true;
		text = span_from(text, scheme.length + 1);
	}
	return false;
}

enum password_kind
password_kind(struct span credential)
{
	if (credential.length == 0)
		return PASSWORD_NONE;
	if (is_scram(credential))
		return PASSWORD_KEYS;
	if (salted_is_credential(credential) || span_starts_with(credential, SPAN("$1$")))
		return PASSWORD_WEAK_HASH;
	return PASSWORD_STRONG_HASH;
}

bool
password_is_credential(struct span text)
{
	if (is_scram(text) || salted_is_credential(text))
		return true;
	/* crypt(5): "$" id "$"; DES hashes are too weak to be let in. */
	return text.length >= 4 && text.length < CRYPT_OUTPUT_SIZE && text.at[0] == '$' &&
	    span_find(span_from(text, 1), '$') > 0 &&
	    span_find(span_from(text, 1), '$') < text.length - 1 &&
	    span_find(text, '\0') == text.length &&
	    !span_starts_with(text, SPAN("$SCRAM"));
}
