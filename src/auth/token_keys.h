/*
 * The keys of an issuer, from its file.
 */
#ifndef TOKEN_KEYS_H
#define TOKEN_KEYS_H

#include "signature.h"

#define TOKEN_KEYS_MAX 64

struct token_keys {
	struct public_key *at;
	size_t count;
};

/* token_rules_add_keys() for one of these sets. */
bool token_keys_read_json(struct token_keys *keys, struct span text, struct buffer *reason_out);
bool token_keys_read_pem(struct token_keys *keys, struct span text, struct buffer *reason_out);

void token_keys_fini(struct token_keys *keys);

#endif
