/*
 * One end of a TLS conversation over memory: the mbedTLS object, and its handshake.  Because its octets
 * come from and go to buffers, it can run on any thread, one at a time.
 */
#include "tls_internal.h"

#include <mbedtls/platform.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"

#define RECORD_LENGTH 16384	/* RFC 5246 section 6.2.1: the longest */
#define BUFFER_HEAD   128	/* octets of a record buffer that mbedTLS keeps something in between records */

static int
bio_send(void *context, const unsigned char *octets, size_t length)
{
	struct tls *tls = context;

	if (evbuffer_add(tls->bio_out, octets, length) != 0)
		abort();
	return (int)length;
}

static int
bio_receive(void *context, unsigned char *octets, size_t length)
{
	struct tls *tls = context;
	int n = evbuffer_remove(tls->bio_in, octets, length);

	return n > 0 ? n : MBEDTLS_ERR_SSL_WANT_READ;
}

/* A client offers the session of the connection before. */
static int
offer_session(struct tls *tls)
{
	struct tls_context *context = tls->context;
	int error = 0;

	pthread_mutex_lock(&context->mutex);
	if (context->has_session)
		error = mbedtls_ssl_set_session(tls->ssl, &context->session);
	pthread_mutex_unlock(&context->mutex);
	return error;
}

void
tls_keep_session(struct tls *tls)
{
	struct tls_context *context = tls->context;
	mbedtls_ssl_session session;

	if (tls->server_name[0] != '\0')	/* of one server among many: the next connection is for another one */
		return;
	mbedtls_ssl_session_init(&session);
	if (mbedtls_ssl_get_session(tls->ssl, &session) != 0) {
		mbedtls_ssl_session_free(&session);
		return;
	}
	pthread_mutex_lock(&context->mutex);
	mbedtls_ssl_session_free(&context->session);
	context->session = session;
	context->has_session = true;
	pthread_mutex_unlock(&context->mutex);
}

static int
open_session(struct tls *tls)
{
	struct tls_context *context = tls->context;
	int error;

	tls->slot = &context->slots[atomic_fetch_add(&context->next_slot, 1) % TLS_SLOTS];
	tls->ssl = NEW(mbedtls_ssl_context);
	mbedtls_ssl_init(tls->ssl);
	error = mbedtls_ssl_setup(tls->ssl, &tls->slot->config);
	mbedtls_ssl_set_bio(tls->ssl, tls, bio_send, bio_receive, NULL);
	if (error != 0 || context->is_server)
		return error;
	if (tls->server_name[0] != '\0')
		return mbedtls_ssl_set_hostname(tls->ssl, tls->server_name);
	error = mbedtls_ssl_set_hostname(tls->ssl, context->server_name);
	return error != 0 ? error : offer_session(tls);
}

/* Where sessions are not kept, nobody looks at the other end's certificates again: some KiB of each connection. */
static void
forget_certificates(struct tls *tls)
{
#ifdef MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
	mbedtls_ssl_session *session = tls->ssl->MBEDTLS_PRIVATE(session);
	mbedtls_x509_crt **chain = &session->MBEDTLS_PRIVATE(peer_cert);

	mbedtls_x509_crt_free(*chain);
	mbedtls_free(*chain);
	*chain = NULL;
#else
	(void)tls;
#endif
}

int
tls_handshake(struct tls *tls)
{
	int error = 0;

	assert_off_loop();
	if (tls->ssl == NULL)
		error = open_session(tls);
	if (error != 0)
		return error;
	pthread_mutex_lock(&tls->slot->mutex);
	tls->slot->current = tls;
	error = mbedtls_ssl_handshake(tls->ssl);
	tls->slot->current = NULL;
	pthread_mutex_unlock(&tls->slot->mutex);
	if (error == 0 && !tls->context->is_server)
		tls_keep_session(tls);
	if (error == 0 && !tls->context->is_server && tls->server_name[0] != '\0')
		forget_certificates(tls);
	if (error == 0)
		tls_bind(tls);
	if (error == 0)
		tls_read_users(tls);
	return error;
}

int
tls_encrypt(struct tls *tls, struct evbuffer *plain, size_t limit)
{
	while (evbuffer_get_length(plain) > 0 && limit > 0) {
		size_t length = evbuffer_get_length(plain);
		int n;

		length = length < RECORD_LENGTH ? length : RECORD_LENGTH;
		n = mbedtls_ssl_write(tls->ssl, evbuffer_pullup(plain, (ev_ssize_t)length), length);
		if (n < 0)
			return n;
		evbuffer_drain(plain, (size_t)n);
		limit -= (size_t)n < limit ? (size_t)n : limit;
	}
	return 0;
}

/* The pages that lie within a buffer read as zeros from now on, and take memory again when they are written to. */
static void
give_back(unsigned char *buffer, size_t length)
{
#ifndef MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)buffer + BUFFER_HEAD + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)buffer + length) / page * page;

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
#else
	(void)buffer;
	(void)length;
#endif
}

void
tls_rest(struct tls *tls)
{
	mbedtls_ssl_context *ssl = tls->ssl;

	if (ssl->MBEDTLS_PRIVATE(in_left) > 0 || ssl->MBEDTLS_PRIVATE(out_left) > 0 || mbedtls_ssl_check_pending(ssl))
		return;
	give_back(ssl->MBEDTLS_PRIVATE(in_buf), MBEDTLS_SSL_IN_CONTENT_LEN);
	give_back(ssl->MBEDTLS_PRIVATE(out_buf), MBEDTLS_SSL_OUT_CONTENT_LEN);
}

void
tls_close(struct tls *tls)
{
	if (tls->ssl == NULL)
		return;
	mbedtls_ssl_free(tls->ssl);
	free(tls->ssl);
	tls->ssl = NULL;
}
