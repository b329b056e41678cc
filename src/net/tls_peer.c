/*
 * What the certificate of a client says: the names in it that stand for users, once TLS has verified it.  Worker
 * thread, when the handshake is over.
 */
#include "tls_internal.h"

#include <mbedtls/asn1.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

#define NAMES_MAX 16

/* Tags of GeneralName: RFC 5280 section 4.2.1.6. */
#define OTHER_NAME  (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0)
#define RFC822_NAME (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 1)

static const struct span user_principal_name = { (const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03", 10 };
static const struct span smtp_utf8_mailbox = { (const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x08\x09", 8 };	/* RFC 9598 */
static const struct span common_name = { (const uint8_t *)"\x55\x04\x03", 3 };

bool
tls_context_ask_certificates(struct tls_context *context, const char *ca_file, enum tls_user_field field,
    char **error_out)
{
	int error;

	assert_off_loop();
	error = mbedtls_x509_crt_parse_file(&context->authorities, ca_file);
	if (error != 0) {
		*error_out = tls_error_text(ca_file, error);
		return false;
	}
	context->user_field = field;
	for (size_t i = 0; i < TLS_SLOTS; i++) {
		mbedtls_ssl_conf_authmode(&context->slots[i].config, MBEDTLS_SSL_VERIFY_OPTIONAL);
		mbedtls_ssl_conf_ca_chain(&context->slots[i].config, &context->authorities, NULL);
	}
	context->asks_certificates = true;
	return true;
}

static void
add_name(struct tls *tls, struct span name)
{
	if (name.length == 0 || tls->user_count == NAMES_MAX || span_find(name, '\0') < name.length)
		return;
	tls->users = memory_resize(tls->users, tls->user_count + 1, sizeof *tls->users);
	tls->users[tls->user_count++] = span_of(memory_copy_span(name), name.length);
}

/* SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT UTF8String }, the sequence's own head taken off. */
static void
add_other_name(struct tls *tls, struct span der)
{
	unsigned char *at = (unsigned char *)(uintptr_t)der.at, *end = at + der.length;
	struct span type;
	size_t length;

	if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_OID) != 0)
		return;
	type = span_of(at, length);
	at += length;
	if (!span_equals(type, user_principal_name) && !span_equals(type, smtp_utf8_mailbox))
		return;
	if (mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED) == 0 &&
	    mbedtls_asn1_get_tag(&at, end, &length, MBEDTLS_ASN1_UTF8_STRING) == 0 && at + length == end)
		add_name(tls, span_of(at, length));
}

static void
add_alternative_names(struct tls *tls, const mbedtls_x509_crt *certificate)
{
	for (const mbedtls_x509_sequence *name = &certificate->subject_alt_names; name != NULL; name = name->next) {
		struct span value = span_of(name->buf.p, name->buf.len);

		if (tls->context->user_field == TLS_USER_RFC822_NAME && name->buf.tag == RFC822_NAME)
			add_name(tls, value);
		if (tls->context->user_field == TLS_USER_OTHER_NAME && name->buf.tag == OTHER_NAME)
			add_other_name(tls, value);
	}
}

/* Of two nobody could say which one is the user. */
static void
add_common_name(struct tls *tls, const mbedtls_x509_crt *certificate)
{
	const mbedtls_x509_name *found = NULL;

	for (const mbedtls_x509_name *name = &certificate->subject; name != NULL; name = name->next) {
		if (!span_equals(span_of(name->oid.p, name->oid.len), common_name))
			continue;
		if (found != NULL)
			return;
		found = name;
	}
	if (found != NULL && (found->val.tag == MBEDTLS_ASN1_UTF8_STRING ||
	    found->val.tag == MBEDTLS_ASN1_PRINTABLE_STRING || found->val.tag == MBEDTLS_ASN1_IA5_STRING))
		add_name(tls, span_of(found->val.p, found->val.len));
}

void
tls_read_users(struct tls *tls)
{
	const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(tls->ssl);
	uint32_t flags = mbedtls_ssl_get_verify_result(tls->ssl);

	if (!tls->context->asks_certificates || certificate == NULL)
		return;
	if (flags != 0) {
		mbedtls_x509_crt_verify_info(tls->certificate_error, sizeof tls->certificate_error, "", flags);
		tls->certificate_error[strcspn(tls->certificate_error, "\n")] = '\0';
		return;
	}
	if (tls->context->user_field == TLS_USER_COMMON_NAME)
		add_common_name(tls, certificate);
	else
		add_alternative_names(tls, certificate);
	if (tls->user_count == 0)
		strcpy(tls->certificate_error, "names no user");
}

void
tls_forget_users(struct tls *tls)
{
	for (size_t i = 0; i < tls->user_count; i++)
		free((void *)(uintptr_t)tls->users[i].at);
	free(tls->users);
}

const struct span *
stream_tls_users(const struct stream *stream, size_t *count_out)
{
	const struct tls *tls = stream->tls;

	*count_out = tls != NULL && tls->state == TLS_OPEN ? tls->user_count : 0;
	return *count_out > 0 ? tls->users : NULL;
}
