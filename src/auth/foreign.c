/*
 * Reading what other programs store instead of a password.  Names of schemes are Dovecot's (doveadm-pw(1)), of which those
 * of RFC 2307 are some; hashes are those of crypt(5).  Pure.
 */
#include "auth/foreign.h"

#include <crypt.h>
#include <stdlib.h>

#include "auth/password.h"
#include "base/base64.h"
#include "base/memory.h"
#include "salted.h"

/* What a login may cost: about a second of one core, 256 MiB. */
#define ROUNDS_MAX	1000000
#define BCRYPT_COST_MAX 14

enum form { PLAIN, CRYPT, SCRAM };

static const struct {
	struct span name;
	enum form form;
} schemes[] = {
	{ SPAN("PLAIN"), PLAIN }, { SPAN("CLEARTEXT"), PLAIN }, { SPAN("CLEAR"), PLAIN },
	{ SPAN("CRYPT"), CRYPT }, { SPAN("SHA512-CRYPT"), CRYPT }, { SPAN("SHA256-CRYPT"), CRYPT },
	{ SPAN("BLF-CRYPT"), CRYPT }, { SPAN("MD5-CRYPT"), CRYPT }, { SPAN("MD5"), CRYPT }, { SPAN("DES-CRYPT"), CRYPT },
	{ SPAN("SCRAM-SHA-256"), SCRAM }, { SPAN("SCRAM-SHA-1"), SCRAM },
};

/* The last parts of the hashes of crypt(5), which tell whether one is whole. */
static const struct {
	struct span prefix, name;
	size_t length;
} hashes[] = {
	{ SPAN("$y$"), SPAN("yescrypt"), 43 }, { SPAN("$gy$"), SPAN("gost-yescrypt"), 43 }, { SPAN("$7$"), SPAN("scrypt"), 43 },
	{ SPAN("$2a$"), SPAN("bcrypt"), 53 }, { SPAN("$2b$"), SPAN("bcrypt"), 53 }, { SPAN("$2x$"), SPAN("bcrypt"), 53 },
	{ SPAN("$2y$"), SPAN("bcrypt"), 53 }, { SPAN("$6$"), SPAN("sha512crypt"), 86 }, { SPAN("$5$"), SPAN("sha256crypt"), 43 },
	{ SPAN("$1$"), SPAN("md5crypt"), 22 },
};

/* The part behind so many dollar signs, up to the next. */
static struct span
part(struct span hash, size_t index)
{
	for (; index > 0; index--)
		hash = span_from(hash, span_find(hash, '$') + 1);
	return span_slice(hash, 0, span_find(hash, '$'));
}

static struct span
last_part(struct span hash)
{
	size_t at = hash.length;

	while (at > 0 && hash.at[at - 1] != '$')
		at--;
	return span_from(hash, at);
}

/* A digit of crypt(5)'s base 64; 64: it is none. */
static unsigned
digit(struct span text, size_t at)
{
	static const struct span digits = SPAN("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return at < text.length ? (unsigned)span_find(digits, text.at[at]) : 64;
}

/* "j9T" of yescrypt: flavour, log2 of N less one, r less one; more parameters are for special cases.  128 * N * r octets. */
static bool
is_costly_yescrypt(struct span parameters)
{
	return parameters.length != 3 || digit(parameters, 1) > 15 || digit(parameters, 2) > 31;
}

/* "CU..../...." and salt of scrypt: log2 of N, then r and p, each in five digits that begin with the lowest. */
static bool
is_costly_scrypt(struct span parameters)
{
	if (digit(parameters, 0) > 16 || digit(parameters, 1) > 32 || digit(parameters, 6) > 2)
		return true;
	for (size_t i = 2; i < 11; i++)
		if (i != 6 && digit(parameters, i) != 0)
			return true;
	return false;
}

static bool
is_costly(struct span name, struct span hash)
{
	static const struct span rounds = SPAN("rounds=");
	struct span parameters = part(hash, 2);
	uint64_t number;

	if (span_equals(name, SPAN("bcrypt")))
		return !span_to_number(parameters, BCRYPT_COST_MAX, &number);
	if (span_equals(name, SPAN("scrypt")))
		return is_costly_scrypt(parameters);
	if (name.length >= 8 && span_equals(span_from(name, name.length - 8), SPAN("yescrypt")))
		return is_costly_yescrypt(parameters);
	return span_starts_with(parameters, rounds) &&
	    !span_to_number(span_from(parameters, rounds.length), ROUNDS_MAX, &number);
}

static bool
libcrypt_knows(struct span hash)
{
	char *setting = memory_copy_span(hash);
	int verdict = crypt_checksalt(setting);

	free(setting);
	return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY || verdict == CRYPT_SALT_TOO_CHEAP;
}

static enum foreign_password
read_crypt(struct span hash, struct buffer *out, struct span *scheme_out)
{
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		if (!span_starts_with(hash, hashes[i].prefix))
			continue;
		*scheme_out = hashes[i].name;
		if (last_part(hash).length != hashes[i].length || !password_is_credential(hash))
			return FOREIGN_DAMAGED;
		if (!libcrypt_knows(hash))
			return FOREIGN_UNKNOWN;
		if (is_costly(hashes[i].name, hash))
			return FOREIGN_COSTLY;
		buffer_add_span(out, hash);
		return FOREIGN_HASH;
	}
	if (hash.length > 0 && hash.at[0] == '$')
		*scheme_out = span_slice(hash, 0, span_find(span_from(hash, 1), '$') + 2);
	else
		*scheme_out = SPAN("DES-CRYPT");
	return FOREIGN_UNKNOWN;
}

/* Dovecot's "4096,SALT,STOREDKEY,SERVERKEY" in the words of RFC 5803. */
static enum foreign_password
read_scram(struct span scheme, struct span value, struct buffer *out)
{
	static const uint8_t separators[] = { ':', '$', ':' };
	struct buffer credential = { 0 };
	size_t commas = 0;
	bool is_good;

	for (size_t i = 0; i < scheme.length; i++)
		buffer_add_octet(&credential, ascii_upper(scheme.at[i]));
	buffer_add_octet(&credential, '$');
	for (size_t i = 0; i < value.length; i++) {
		bool is_comma = value.at[i] == ',' && commas < COUNT_OF(separators);

		buffer_add_octet(&credential, is_comma ? separators[commas++] : value.at[i]);
	}
	is_good = password_is_credential(buffer_span(&credential));
	if (is_good)
		buffer_add_span(out, buffer_span(&credential));
	buffer_free(&credential);
	return is_good ? FOREIGN_HASH : FOREIGN_DAMAGED;
}

static enum foreign_password
read_form(enum form form, struct span scheme, struct span value, struct buffer *out, struct span *scheme_out)
{
	switch (form) {
	case PLAIN:
		buffer_add_span(out, value);
		return value.length == 0 ? FOREIGN_NONE : FOREIGN_PLAIN;
	case CRYPT:
		return read_crypt(value, out, scheme_out);
	default:
		return read_scram(scheme, value, out);
	}
}

/* Take ".HEX" or ".B64" off a scheme.  False: another one. */
static bool
take_encoding(struct span *scheme, enum salted_encoding *encoding_out)
{
	size_t dot = span_find(*scheme, '.');
	struct span name = span_from(*scheme, dot + 1);

	*encoding_out = SALTED_USUAL;
	if (dot == scheme->length)
		return true;
	scheme->length = dot;
	*encoding_out = span_equals_nocase(name, SPAN("hex")) ? SALTED_HEX : SALTED_BASE64;
	return *encoding_out == SALTED_HEX || span_equals_nocase(name, SPAN("b64")) || span_equals_nocase(name, SPAN("base64"));
}

static enum foreign_password
read_scheme(struct span scheme, struct span value, struct buffer *out, struct span *scheme_out)
{
	enum foreign_password result = FOREIGN_UNKNOWN;
	enum salted_encoding encoding;
	struct buffer decoded = { 0 };

	if (!take_encoding(&scheme, &encoding))
		return FOREIGN_UNKNOWN;
	if (salted_is_scheme(scheme))
		return salted_read(scheme, value, encoding, out) ? FOREIGN_HASH : FOREIGN_DAMAGED;
	if (encoding != SALTED_USUAL) {
		if (!(encoding == SALTED_HEX ? hex_decode(value, &decoded) : base64_decode(value, &decoded)))
			result = FOREIGN_DAMAGED;
		value = buffer_span(&decoded);
	}
	for (size_t i = 0; i < COUNT_OF(schemes) && result == FOREIGN_UNKNOWN; i++) {
		if (span_equals_nocase(scheme, schemes[i].name)) {
			result = read_form(schemes[i].form, scheme, value, out, scheme_out);
			break;
		}
	}
	buffer_wipe(&decoded);
	return result;
}

enum foreign_password
foreign_password_read(struct span text, struct buffer *out, struct span *scheme_out)
{
	size_t end = span_find(text, '}');

	*scheme_out = SPAN("");
	if (text.length == 0)
		return FOREIGN_NONE;
	if (text.at[0] != '{' || end == text.length) {
		if (password_is_credential(text) && text.at[0] != '$') {	/* of another imapd: keys of SCRAM */
			buffer_add_span(out, text);
			return FOREIGN_HASH;
		}
		return read_crypt(text, out, scheme_out);
	}
	*scheme_out = span_slice(text, 1, end - 1);
	return read_scheme(*scheme_out, span_from(text, end + 1), out, scheme_out);
}

bool
foreign_is_bearable(struct span credential)
{
	struct buffer hash = { 0 };
	struct span scheme;
	bool is_bearable = password_is_credential(credential);

	if (is_bearable && credential.at[0] == '$')
		is_bearable = read_crypt(credential, &hash, &scheme) == FOREIGN_HASH;
	buffer_wipe(&hash);
	return is_bearable;
}
