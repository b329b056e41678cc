/*
 * What streams that speak TLS share: certificates, keys, suites, tickets.  Made before the loop runs or on
 * a worker, because files are read; read-only afterwards, except what its locks guard.
 */
#include "tls_internal.h"

#include <stdio.h>
#include <stdlib.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "tls_primitives.h"

/* AEAD with forward secrecy. */
static const int suites_chacha_first[] = {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

static const int suites_aes_first[] = {
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

static const int psk_suites[] = { MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, 0 };

static const char *server_protocols[] = { "imap", NULL };
static const char *http_protocols[] = { "http/1.1", NULL };

int
tls_random(void *context, unsigned char *octets, size_t length)
{
	(void)context;
	random_fill(octets, length);
	return 0;
}

/* The name a client asks for chooses the certificate, and is remembered for the log. */
static int
on_server_name(void *context, mbedtls_ssl_context *ssl, const unsigned char *name, size_t length)
{
	struct tls_slot *slot = context;
	struct tls *tls = slot->current;

	if (tls != NULL && length < sizeof tls->server_name) {
		memcpy(tls->server_name, name, length);
		tls->server_name[length] = '\0';
	}
	return tls_names_choose(slot, ssl, span_of(name, length));
}

static void
limit_versions(mbedtls_ssl_config *config, bool is_psk)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
		MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
		MBEDTLS_SSL_IANA_TLS_GROUP_NONE };

	mbedtls_ssl_conf_groups(config, groups);
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	if (is_psk)
		mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519,
		MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE };

	(void)is_psk;
	mbedtls_ssl_conf_curves(config, groups);
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
	    MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static void
slot_init(struct tls_context *context, struct tls_slot *slot, bool is_psk)
{
	const int *suites = is_psk ? psk_suites : tls_is_aes_fast() ? suites_aes_first : suites_chacha_first;
	mbedtls_ssl_config *config = &slot->config;

	pthread_mutex_init(&slot->mutex, NULL);
	slot->context = context;
	mbedtls_pk_init(&slot->key);
	mbedtls_ssl_config_init(config);
	if (mbedtls_ssl_config_defaults(config,
		context->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		abort();
	mbedtls_ssl_conf_rng(config, tls_random, NULL);
	limit_versions(config, is_psk);
	mbedtls_ssl_conf_ciphersuites(config, suites);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03060100
	/* Off by default since 3.6.1; tls_keep_session() wants to hear of them. */
	if (!context->is_server)
		mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config,
		    MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
	if (!context->is_server)
		return;
	mbedtls_ssl_conf_sni(config, on_server_name, slot);
	mbedtls_ssl_conf_session_tickets_cb(config, tls_ticket_write, tls_ticket_parse, slot);
}

static struct tls_context *
context_new(bool is_server, bool is_psk)
{
	struct tls_context *context = NEW(struct tls_context);

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS)
		abort();
#endif
	atomic_init(&context->holders, 1);
	context->is_server = is_server;
	context->handshake_ms = TLS_HANDSHAKE_MS;
	pthread_mutex_init(&context->mutex, NULL);
	mbedtls_x509_crt_init(&context->chain);
	mbedtls_x509_crt_init(&context->authorities);
	mbedtls_ssl_session_init(&context->session);
	if (is_server)
		context->tickets = tls_tickets_new();
	for (size_t i = 0; i < TLS_SLOTS; i++)
		slot_init(context, &context->slots[i], is_psk);
	return context;
}

char *
tls_error_text(const char *file, int error)
{
	char reason[TLS_TEXT], text[TLS_TEXT + 4096];

	if (error > 0)
		snprintf(reason, sizeof reason, "%d of its certificates cannot be read", error);
	else if (error == TLS_FOREIGN_KEY)
		snprintf(reason, sizeof reason, "this key does not belong to the certificate");
	else
		mbedtls_strerror(error, reason, sizeof reason);
	snprintf(text, sizeof text, "%s: %s", file, reason);
	return memory_copy_string(text);
}

static int
load_key(struct tls_slot *slot, const char *file)
{
	int error = tls_load_key(&slot->key, &slot->context->chain, file);

	return error != 0 ? error :
		mbedtls_ssl_conf_own_cert(&slot->config, &slot->context->chain, &slot->key);
}

struct tls_context *
tls_context_new(const char *certificate_file, const char *key_file, char **error_out)
{
	struct tls_context *context;
	const char *file = certificate_file;
	int error;

	assert_off_loop();
	context = context_new(true, false);
	error = mbedtls_x509_crt_parse_file(&context->chain, certificate_file);
	context->has_chain = error == 0;
	for (size_t i = 0; i < TLS_SLOTS && error == 0; i++) {
		file = key_file;
		mbedtls_ssl_conf_alpn_protocols(&context->slots[i].config, server_protocols);
		error = load_key(&context->slots[i], key_file);
	}
	if (error != 0) {
		*error_out = tls_error_text(file, error);
		tls_context_free(&context);
	}
	return context;
}

void
tls_context_serve_http(struct tls_context *context)
{
	for (size_t i = 0; i < TLS_SLOTS; i++)
		mbedtls_ssl_conf_alpn_protocols(&context->slots[i].config, http_protocols);
}

struct tls_context *
tls_context_new_psk(struct span key, struct span identity, bool is_server)
{
	struct tls_context *context = context_new(is_server, true);

	for (size_t i = 0; i < TLS_SLOTS; i++) {
		if (mbedtls_ssl_conf_psk(&context->slots[i].config, key.at, key.length, identity.at,
			identity.length) != 0)
			abort();
	}
	return context;
}

struct tls_context *
tls_context_new_mutual(const char *certificate_file, const char *key_file, const char *ca_file,
    bool is_server, char **error_out)
{
	struct tls_context *context;
	const char *file = certificate_file;
	int error;

	assert_off_loop();
	context = context_new(is_server, false);
	error = mbedtls_x509_crt_parse_file(&context->chain, certificate_file);
	context->has_chain = error == 0;
	if (error == 0) {
		file = ca_file;
		error = mbedtls_x509_crt_parse_file(&context->authorities, ca_file);
	}
	for (size_t i = 0; i < TLS_SLOTS && error == 0; i++) {
		mbedtls_ssl_config *config = &context->slots[i].config;

		file = key_file;
		mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
		mbedtls_ssl_conf_ca_chain(config, &context->authorities, NULL);
		error = load_key(&context->slots[i], key_file);
	}
	if (error != 0) {
		*error_out = tls_error_text(file, error);
		tls_context_free(&context);
	}
	return context;
}

/* Who believes no authority believes any certificate. */
static void
believe(struct tls_context *context, bool has_authorities)
{
	context->has_chain = has_authorities;
	for (size_t i = 0; i < TLS_SLOTS; i++) {
		mbedtls_ssl_conf_authmode(&context->slots[i].config,
		    has_authorities ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
		if (has_authorities)
			mbedtls_ssl_conf_ca_chain(&context->slots[i].config, &context->chain, NULL);
	}
}

struct tls_context *
tls_context_new_client(const char *ca_file, char **error_out)
{
	struct tls_context *context;
	int error = 0;

	assert_off_loop();
	context = context_new(false, false);
	if (ca_file != NULL)
		error = mbedtls_x509_crt_parse_file(&context->chain, ca_file);
	if (error != 0) {
		*error_out = tls_error_text(ca_file, error);
		tls_context_free(&context);
		return NULL;
	}
	believe(context, ca_file != NULL);
	return context;
}

struct tls_context *
tls_context_new_client_of_system(char **error_out)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Alpine, Arch */
		"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora and its kin */
		"/etc/ssl/ca-bundle.pem",		/* SUSE */
		"/etc/ssl/cert.pem",			/* OpenBSD, FreeBSD */
	};
	struct tls_context *context;

	assert_off_loop();
	context = context_new(false, false);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (mbedtls_x509_crt_parse_file(&context->chain, files[i]) >= 0) {
			believe(context, true);
			return context;
		}
	}
	*error_out = memory_copy_string("this system has no certificates of authorities (Debian: package ca-certificates)");
	tls_context_free(&context);
	return NULL;
}

void
tls_context_set_server_name(struct tls_context *context, const char *name)
{
	free(context->server_name);
	context->server_name = memory_copy_string(name);
}

void
tls_context_offer_protocol(struct tls_context *context, const char *protocol)
{
	free(context->protocol);
	context->protocol = memory_copy_string(protocol);
	context->protocols[0] = context->protocol;
	for (size_t i = 0; i < TLS_SLOTS; i++)
		mbedtls_ssl_conf_alpn_protocols(&context->slots[i].config, context->protocols);
}

#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_NUMBER >= 0x03000000
#define HAVE_TLS_1_3
#endif

bool
tls_knows_1_3(void)
{
#ifdef HAVE_TLS_1_3
	return true;
#else
	return false;
#endif
}

bool
tls_context_require_1_3(struct tls_context *context, char **error_out)
{
#ifdef HAVE_TLS_1_3
	(void)error_out;
	for (size_t i = 0; i < TLS_SLOTS; i++)
		mbedtls_ssl_conf_min_tls_version(&context->slots[i].config, MBEDTLS_SSL_VERSION_TLS1_3);
	return true;
#else
	(void)context;
	*error_out = memory_copy_string("this imapd was built with " MBEDTLS_VERSION_STRING_FULL
	    ", which has no TLS 1.3");
	return false;
#endif
}

void
tls_context_set_handshake_timeout(struct tls_context *context, uint64_t ms)
{
	context->handshake_ms = ms;
}

void
tls_context_share_tickets(struct tls_context *context, const struct tls_context *older)
{
	tls_tickets_free(&context->tickets);
	context->tickets = tls_tickets_hold(older->tickets);
}

struct tls_context *
tls_context_hold(struct tls_context *context)
{
	atomic_fetch_add(&context->holders, 1);
	return context;
}

void
tls_context_free(struct tls_context **context_pointer)
{
	struct tls_context *context = *context_pointer;

	*context_pointer = NULL;
	if (context == NULL || atomic_fetch_sub(&context->holders, 1) != 1)
		return;
	for (size_t i = 0; i < TLS_SLOTS; i++) {
		mbedtls_ssl_config_free(&context->slots[i].config);
		mbedtls_pk_free(&context->slots[i].key);
		pthread_mutex_destroy(&context->slots[i].mutex);
	}
	tls_names_free(context);
	mbedtls_ssl_session_free(&context->session);
	mbedtls_x509_crt_free(&context->chain);
	mbedtls_x509_crt_free(&context->authorities);
	tls_tickets_free(&context->tickets);
	pthread_mutex_destroy(&context->mutex);
	free(context->server_name);
	free(context->protocol);
	free(context);
}

bool
tls_context_validity(const struct tls_context *context, const char *server_name, const char *name,
    struct tls_validity *validity_out)
{
	const mbedtls_x509_crt *chain = context->has_chain ? &context->chain : NULL;

	if (server_name != NULL)
		chain = tls_names_chain(context, server_name);
	if (chain != NULL)
		tls_chain_validity(chain, name, validity_out);
	return chain != NULL;
}
