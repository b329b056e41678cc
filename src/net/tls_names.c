/*
 * Certificates for the names that clients ask for (SNI, RFC 6066 section 3).  They are added before the first
 * handshake and stay as they are, so a lookup needs no lock, and a name nobody has costs no memory.
 */
#include "tls_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

struct tls_named {
	struct tls_named *next;
	struct span name;		/* owned; of a wildcard what is behind its star: ".example.org" */
	bool is_wildcard;
	mbedtls_x509_crt chain;
	mbedtls_pk_context keys[TLS_SLOTS];	/* one for each slot: see struct tls_slot */
};

int
tls_load_key(mbedtls_pk_context *key, const mbedtls_x509_crt *chain, const char *file)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	int error = mbedtls_pk_parse_keyfile(key, file, NULL, tls_random, NULL);

	if (error == 0 && mbedtls_pk_check_pair(&chain->pk, key, tls_random, NULL) != 0)
		error = TLS_FOREIGN_KEY;
#else
	int error = mbedtls_pk_parse_keyfile(key, file, NULL);

	if (error == 0 && mbedtls_pk_check_pair(&chain->pk, key) != 0)
		error = TLS_FOREIGN_KEY;
#endif
	return error;
}

static struct tls_named *
named_new(struct span name)
{
	struct tls_named *named = NEW(struct tls_named);

	named->is_wildcard = span_starts_with(name, SPAN("*."));
	name = span_from(name, named->is_wildcard ? 1 : 0);
	named->name = span_of(memory_copy_span(name), name.length);
	mbedtls_x509_crt_init(&named->chain);
	for (size_t i = 0; i < TLS_SLOTS; i++)
		mbedtls_pk_init(&named->keys[i]);
	return named;
}

static void
named_free(struct tls_named *named)
{
	for (size_t i = 0; i < TLS_SLOTS; i++)
		mbedtls_pk_free(&named->keys[i]);
	mbedtls_x509_crt_free(&named->chain);
	free((void *)(uintptr_t)named->name.at);
	free(named);
}

bool
tls_context_add_certificate(struct tls_context *context, const char *name, const char *certificate_file,
    const char *key_file, char **error_out)
{
	struct tls_named *named;
	const char *file = certificate_file;
	int error;

	assert_off_loop();
	named = named_new(span_from_string(name));
	error = mbedtls_x509_crt_parse_file(&named->chain, certificate_file);
	for (size_t i = 0; i < TLS_SLOTS && error == 0; i++) {
		file = key_file;
		error = tls_load_key(&named->keys[i], &named->chain, key_file);
	}
	if (error != 0) {
		*error_out = tls_error_text(file, error);
		named_free(named);
		return false;
	}
	named->next = context->named;
	context->named = named;
	return true;
}

/* A star stands for one whole label (RFC 6125 section 6.4.3). */
static bool
fits(const struct tls_named *named, struct span name)
{
	if (named->is_wildcard)
		name = span_from(name, span_find(name, '.'));
	return span_equals_nocase(named->name, name);
}

static const struct tls_named *
find(const struct tls_context *context, struct span name)
{
	const struct tls_named *found = NULL;

	for (const struct tls_named *named = context->named; named != NULL; named = named->next)
		if (fits(named, name) && (found == NULL || found->is_wildcard))
			found = named;
	return found;
}

int
tls_names_choose(struct tls_slot *slot, mbedtls_ssl_context *ssl, struct span name)
{
	const struct tls_context *context = slot->context;
	struct tls_named *named = (struct tls_named *)(uintptr_t)find(context, name);

	if (named == NULL)
		return 0;
	if (slot->current != NULL)
		slot->current->shown = &named->chain;
	return mbedtls_ssl_set_hs_own_cert(ssl, &named->chain, &named->keys[slot - context->slots]);
}

const mbedtls_x509_crt *
tls_names_chain(const struct tls_context *context, const char *server_name)
{
	bool is_wildcard = server_name[0] == '*';
	struct span name = span_from_string(server_name + is_wildcard);

	for (const struct tls_named *named = context->named; named != NULL; named = named->next)
		if (named->is_wildcard == is_wildcard && span_equals_nocase(named->name, name))
			return &named->chain;
	return NULL;
}

void
tls_names_free(struct tls_context *context)
{
	while (context->named != NULL) {
		struct tls_named *named = context->named;

		context->named = named->next;
		named_free(named);
	}
}
