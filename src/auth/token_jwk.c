/*
 * JWK Sets (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), read by jansson.  As RFC 7517 section 5 asks, keys
 * that we do not understand are left aside; a set of which nothing is left is an error.  Pure.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "token_keys.h"

static const char *
text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* A number in base64url; length 0: of any size. */
static bool
take_number(const json_t *jwk, const char *name, size_t length, struct buffer *out)
{
	const char *text = text_of(jwk, name);

	return text != NULL && base64url_decode(span_from_string(text), out) && out->length > 0 &&
	    (length == 0 || out->length == length);
}

static bool
take_rsa(const json_t *jwk, struct public_key *key)
{
	key->kind = KEY_RSA;
	return take_number(jwk, "n", 0, &key->first) && take_number(jwk, "e", 0, &key->second);
}

/* RFC 7518 section 6.2.1: the numbers are as long as the curve's, zeros in front included. */
static bool
take_curve(const json_t *jwk, struct public_key *key)
{
	static const struct {
		const char *type, *curve;
		enum key_kind kind;
		size_t length;
	} curves[] = {
		{ "EC", "P-256", KEY_P256, 32 }, { "EC", "P-384", KEY_P384, 48 }, { "EC", "P-521", KEY_P521, 66 },
		{ "OKP", "Ed25519", KEY_ED25519, 32 },
	};
	const char *type = text_of(jwk, "kty"), *curve = text_of(jwk, "crv");

	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (curve == NULL || strcmp(type, curves[i].type) != 0 || strcmp(curve, curves[i].curve) != 0)
			continue;
		key->kind = curves[i].kind;
		return take_number(jwk, "x", curves[i].length, &key->first) &&
		    (key->kind == KEY_ED25519 || take_number(jwk, "y", curves[i].length, &key->second));
	}
	return false;
}

/* For signatures, as far as it says (RFC 7517 sections 4.2 and 4.3). */
static bool
is_for_signatures(const json_t *jwk)
{
	const char *use = text_of(jwk, "use");
	const json_t *operations = json_object_get(jwk, "key_ops"), *operation;
	size_t index;

	if (use != NULL && strcmp(use, "sig") != 0)
		return false;
	if (operations == NULL)
		return true;
	json_array_foreach(operations, index, operation)
		if (json_is_string(operation) && strcmp(json_string_value(operation), "verify") == 0)
			return true;
	return false;
}

static char *
copy_text(const json_t *jwk, const char *name)
{
	const char *text = text_of(jwk, name);

	return text == NULL ? NULL : memory_copy_string(text);
}

/* A static reason why it is left aside, or NULL. */
static const char *
read_key(const json_t *jwk, struct public_key *key)
{
	const char *type = text_of(jwk, "kty");

	if (type == NULL)
		return "there is no \"kty\"";
	if (!is_for_signatures(jwk))
		return "the key is not for signatures";
	if (!(strcmp(type, "RSA") == 0 ? take_rsa(jwk, key) : take_curve(jwk, key)))
		return "the key is of no kind that is known, or incomplete";
	key->id = copy_text(jwk, "kid");
	key->algorithm = copy_text(jwk, "alg");
	return public_key_objection(key);
}

/* False: nothing more should be read. */
static bool
add_key(struct token_keys *keys, const json_t *jwk, const char **reason_out)
{
	struct public_key key = { .id = NULL };

	if (json_object_get(jwk, "d") != NULL || json_object_get(jwk, "k") != NULL) {
		*reason_out = "this is a secret; imapd needs public keys alone";
		return false;
	}
	*reason_out = read_key(jwk, &key);
	if (*reason_out == NULL && keys->count == TOKEN_KEYS_MAX)
		*reason_out = "there are too many keys";
	if (*reason_out != NULL) {
		public_key_fini(&key);
		return true;
	}
	keys->at = memory_resize(keys->at, keys->count + 1, sizeof *keys->at);
	keys->at[keys->count++] = key;
	return true;
}

static bool
add_keys(struct token_keys *keys, const json_t *root, struct buffer *reason_out)
{
	const json_t *set = json_object_get(root, "keys"), *jwk;
	const char *reason = "there is no key", *latest;
	size_t index, before = keys->count;

	if (set == NULL) {
		if (!add_key(keys, root, &reason) || reason != NULL) {
			buffer_add_string(reason_out, reason);
			return false;
		}
		return true;
	}
	json_array_foreach(set, index, jwk) {
		if (!add_key(keys, jwk, &latest)) {
			buffer_printf(reason_out, "key %zu: %s", index + 1, latest);
			return false;
		}
		reason = latest != NULL ? latest : reason;
	}
	if (keys->count == before)
		buffer_printf(reason_out, "no key can be used: %s", reason);
	return keys->count > before;
}

bool
token_keys_read_json(struct token_keys *keys, struct span text, struct buffer *reason_out)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text.at, text.length, JSON_REJECT_DUPLICATES, &error);
	bool is_good = false;

	if (root == NULL)
		buffer_printf(reason_out, "%d:%d: %s", error.line, error.column < 1 ? 1 : error.column, error.text);
	else if (!json_is_object(root))
		buffer_add_string(reason_out, "this is no JWK Set");
	else
		is_good = add_keys(keys, root, reason_out);
	json_decref(root);
	return is_good;
}
