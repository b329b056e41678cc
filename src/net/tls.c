/*
 * TLS on a stream.  The handshake, and the encryption of much output, are jobs: the TLS object is then
 * lent to a worker together with the octets it needs, and the loop only collects what arrives meanwhile.
 * Everything else happens here on the loop.
 */
#include "net/tls.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tls_internal.h"
#include "tls_primitives.h"

#define INLINE_MAX ((size_t)64 * 1024)	/* more output than this is encrypted by a worker, */
#define FAST_MAX   ((size_t)192 * 1024)	/* or than this where AES is fast: less than a tenth of a millisecond */
#define LEND_MAX   ((size_t)256 * 1024)
#define WIRE_MAX   ((size_t)128 * 1024)	/* encrypted and not yet taken by the kernel */
#define READ_SIZE  16384
#define REST_MS	   1000		/* without a use, until the memory of record buffers is given back */

static void
destroy(struct tls *tls)
{
	tls_close(tls);
	tls_forget_users(tls);
	evbuffer_free(tls->received);
	evbuffer_free(tls->wire);
	evbuffer_free(tls->lent_in);
	evbuffer_free(tls->lent_out);
	evbuffer_free(tls->lent_plain);
	tls_context_free(&tls->context);
	free(tls);
}

/* Of those who have come to us, and have said something. */
static void
count_handshake(const struct tls *tls, enum metric_handshake result, enum metric_tls_version version)
{
	if (tls->context->is_server)
		metric_count(METRIC_TLS_HANDSHAKES, result, version);
}

static void
fail(struct tls *tls, enum stream_end reason, const char *text)
{
	if (tls->state == TLS_SHAKING && tls->is_started)
		count_handshake(tls, METRIC_HANDSHAKE_FAILED, METRIC_TLS_NONE);
	tls->state = TLS_OVER;
	timer_stop(&tls->limit);
	if (tls->error[0] == '\0')
		snprintf(tls->error, sizeof tls->error, "%s", text);
	stream_note_end(tls->stream, reason);
}

static void
fail_by_code(struct tls *tls, int code)
{
	char text[TLS_TEXT];

	mbedtls_strerror(code, text, sizeof text);
	fail(tls, STREAM_ERROR, text);
}

/* What is wrong with the other end's certificate, the first of several; else what the code says. */
static void
fail_handshake(struct tls *tls)
{
	char text[TLS_TEXT];

	if (tls->result != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
		fail_by_code(tls, tls->result);
		return;
	}
	mbedtls_x509_crt_verify_info(text, sizeof text, "", mbedtls_ssl_get_verify_result(tls->ssl));
	text[strcspn(text, "\n")] = '\0';
	fail(tls, STREAM_ERROR, text);
}

static void
on_limit(void *context)
{
	struct tls *tls = context;

	fail(tls, STREAM_TIMEOUT, "handshake took too long");
	stream_advance(tls->stream);
}

static void
on_rest(void *context)
{
	struct tls *tls = context;

	if (tls->was_used)
		timer_start_ms(&tls->rest, REST_MS);
	else if (tls->state == TLS_OPEN && !tls->is_lent)
		tls_rest(tls);
	tls->was_used = false;
}

static void
note_use(struct tls *tls)
{
	tls->was_used = true;
	if (!timer_is_running(&tls->rest))
		timer_start_ms(&tls->rest, REST_MS);
}

static struct evbuffer *
evbuffer_make(void)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer == NULL)
		abort();
	return buffer;
}

static void
lend(struct tls *tls, void (*work)(struct job *job), void (*done)(struct job *job))
{
	tls->is_lent = true;
	tls->bio_in = tls->lent_in;
	tls->bio_out = tls->lent_out;
	tls->job.work = work;
	tls->job.done = done;
	workers_submit(tls->compute, &tls->job);
}

/* Take the object back.  False: its stream has gone, and so it is gone, too. */
static bool
take_back(struct tls *tls)
{
	tls->is_lent = false;
	tls->pending = 0;
	if (tls->stream == NULL) {
		destroy(tls);
		return false;
	}
	evbuffer_add_buffer(tls->wire, tls->lent_out);
	evbuffer_prepend_buffer(tls->received, tls->lent_in);
	tls->bio_in = tls->received;
	tls->bio_out = tls->wire;
	return true;
}

static void
work_handshake(struct job *job)
{
	struct tls *tls = CONTAINER_OF(job, struct tls, job);

	tls->result = tls_handshake(tls);
}

static void
on_handshake(struct job *job)
{
	struct tls *tls = CONTAINER_OF(job, struct tls, job);

	if (!take_back(tls))
		return;
	if (tls->result == 0 && tls->state == TLS_SHAKING) {
		tls->state = TLS_OPEN;
		tls->version = mbedtls_ssl_get_version(tls->ssl);
		tls->cipher = mbedtls_ssl_get_ciphersuite(tls->ssl);
		timer_stop(&tls->limit);
		tls->stream->is_established_new = true;
		count_handshake(tls, tls->is_resumed ? METRIC_HANDSHAKE_RESUMED : METRIC_HANDSHAKE_OK,
		    strcmp(tls->version, "TLSv1.3") == 0 ? METRIC_TLS_13 : METRIC_TLS_12);
	} else if (tls->result != 0 && tls->result != MBEDTLS_ERR_SSL_WANT_READ) {
		fail_handshake(tls);
	}
	stream_advance(tls->stream);
}

static void
work_encrypt(struct job *job)
{
	struct tls *tls = CONTAINER_OF(job, struct tls, job);

	tls->result = tls_encrypt(tls, tls->lent_plain, SIZE_MAX);
}

static void
on_encrypted(struct job *job)
{
	struct tls *tls = CONTAINER_OF(job, struct tls, job);

	if (!take_back(tls))
		return;
	if (tls->result != 0)
		fail_by_code(tls, tls->result);
	stream_advance(tls->stream);
}

static void
go_on_shaking(struct tls *tls)
{
	bool is_first = !tls->context->is_server && !tls->is_started;

	if (evbuffer_get_length(tls->received) == 0 && !is_first) {
		if (tls->stream->is_wire_ended)
			fail(tls, STREAM_ERROR, "closed during the handshake");
		return;
	}
	tls->is_started = true;
	evbuffer_add_buffer(tls->lent_in, tls->received);
	lend(tls, work_handshake, on_handshake);
}

/* The owner writes no more, and nothing comes from DEFLATE: close_notify is due. */
static bool
is_all_written(const struct tls *tls)
{
	const struct stream *stream = tls->stream;

	return stream->is_ending_output && !tls->is_close_sent &&
	    (stream->deflate == NULL || deflate_pending(stream->deflate) == 0);
}

static size_t
inline_max(const struct tls *tls)
{
	return tls_is_aes_fast() && strstr(tls->cipher, "AES") != NULL ? FAST_MAX : INLINE_MAX;
}

static void
encrypt(struct tls *tls)
{
	struct evbuffer *output = tls->stream->output;
	int error;

	if (evbuffer_get_length(tls->wire) >= WIRE_MAX)
		return;
	if (evbuffer_get_length(output) > inline_max(tls)) {
		evbuffer_remove_buffer(output, tls->lent_plain, LEND_MAX);
		tls->pending = evbuffer_get_length(tls->lent_plain);
		lend(tls, work_encrypt, on_encrypted);
		return;
	}
	error = tls_encrypt(tls, output, SIZE_MAX);
	if (error == 0 && is_all_written(tls)) {
		tls->is_close_sent = true;
		error = mbedtls_ssl_close_notify(tls->ssl);
	}
	if (error != 0)
		fail_by_code(tls, error);
}

/* What ssl_read() says when it has no octets. */
static void
note_read(struct tls *tls, int result)
{
	if (result == MBEDTLS_ERR_SSL_WANT_READ) {
		/* Without close_notify: the command line that was cut is never executed, so no harm to a
		 * server; a client does not know whether there was more. */
		if (tls->stream->is_wire_ended)
			stream_note_end(tls->stream, tls->context->is_server ? STREAM_EOF : STREAM_ERROR);
	} else if (result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
		stream_note_end(tls->stream, STREAM_EOF);
	} else {
		fail_by_code(tls, result);
	}
}

/* In TLS 1.3 a client gets its ticket after the handshake: RFC 8446 section 4.6.1. */
static bool
is_new_ticket(int result)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)result;
	return false;
#endif
}

static void
decrypt(struct tls *tls)
{
	struct stream *stream = tls->stream;
	bool is_record_begun = evbuffer_get_length(tls->bio_in) > 0;
	uint8_t octets[READ_SIZE];

	/* Behind close_notify there is nothing: the end of the wire would look like a connection that was cut. */
	while (!stream->has_ended && stream_wants_input(stream)) {
		size_t before = evbuffer_get_length(tls->bio_in), left;
		int n = mbedtls_ssl_read(tls->ssl, octets, sizeof octets);

		if (is_new_ticket(n)) {
			tls_keep_session(tls);
			continue;
		}
		/* mbedTLS 3.6 wants to be asked again behind a ticket, although there is more. */
		left = evbuffer_get_length(tls->bio_in);
		if (n == MBEDTLS_ERR_SSL_WANT_READ && left > 0 && left < before)
			continue;
		if (n <= 0) {
			if (is_record_begun)
				stream_await_more(stream);
			note_read(tls, n);
			return;
		}
		is_record_begun = false;
		evbuffer_add(stream_arrived(stream), octets, (size_t)n);
		stream_note_arrived(stream);
	}
}

void
tls_advance(struct stream *stream)
{
	struct tls *tls = stream->tls;

	if (tls->state == TLS_SHAKING && !tls->is_lent)
		go_on_shaking(tls);
	if (tls->state == TLS_OPEN)
		note_use(tls);
	if (tls->state == TLS_OPEN && !tls->is_lent)
		decrypt(tls);
	if (tls->state == TLS_OPEN && !tls->is_lent)
		encrypt(tls);
	if (tls->state == TLS_OVER)
		evbuffer_drain(stream->output, evbuffer_get_length(stream->output));
}

bool
tls_owes_farewell(const struct stream *stream)
{
	const struct tls *tls = stream->tls;

	return tls->state == TLS_OPEN && !tls->is_close_sent;
}

bool
tls_has_work(const struct stream *stream)
{
	const struct tls *tls = stream->tls;

	return tls->state == TLS_OPEN && !tls->is_lent && evbuffer_get_length(stream->output) > 0 &&
	    evbuffer_get_length(tls->wire) < WIRE_MAX;
}

bool
tls_is_shaking(const struct stream *stream)
{
	return stream->tls->state == TLS_SHAKING;
}

struct evbuffer *
tls_received(struct tls *tls)
{
	return tls->received;
}

struct evbuffer *
tls_wire(const struct tls *tls)
{
	return tls->wire;
}

size_t
tls_pending(const struct tls *tls)
{
	return tls->pending;
}

void
tls_leave(struct stream *stream)
{
	struct tls *tls = stream->tls;

	if (tls == NULL)
		return;
	stream->tls = NULL;
	tls->stream = NULL;
	timer_stop(&tls->limit);
	timer_stop(&tls->rest);
	if (!tls->is_lent)
		destroy(tls);
}

static struct tls *
start(struct stream *stream, struct tls_context *context, struct workers *compute)
{
	struct tls *tls = NEW(struct tls);

	tls->stream = stream;
	tls->context = tls_context_hold(context);
	tls->compute = compute;
	tls->received = evbuffer_make();
	tls->wire = evbuffer_make();
	tls->lent_in = evbuffer_make();
	tls->lent_out = evbuffer_make();
	tls->lent_plain = evbuffer_make();
	tls->bio_in = tls->received;
	tls->bio_out = tls->wire;
	timer_init(&tls->limit, stream->loop, on_limit, tls);
	timer_start_ms(&tls->limit, context->handshake_ms);
	timer_init(&tls->rest, stream->loop, on_rest, tls);
	evbuffer_add_buffer(tls->wire, stream->output);
	stream->tls = tls;
	stream_advance_later(stream);
	return tls;
}

void
stream_start_tls(struct stream *stream, struct tls_context *context, struct workers *compute)
{
	struct tls *tls = start(stream, context, compute);

	if (!stream_has_input(stream))
		return;
	evbuffer_drain(stream->input, evbuffer_get_length(stream->input));
	fail(tls, STREAM_ERROR, "octets in plaintext before the handshake");
}

void
stream_start_tls_to(struct stream *stream, struct tls_context *context, struct workers *compute, const char *name)
{
	assert(!context->is_server && name[0] != '\0' && strlen(name) < sizeof stream->tls->server_name);
	stream_start_tls(stream, context, compute);
	strcpy(stream->tls->server_name, name);
}

void
stream_begin_with_tls(struct stream *stream, struct tls_context *context, struct workers *compute)
{
	struct tls *tls = start(stream, context, compute);

	evbuffer_add_buffer(tls->received, stream->input);
}

bool
stream_is_tls(const struct stream *stream)
{
	return stream->tls != NULL;
}

bool
stream_is_tls_established(const struct stream *stream)
{
	return stream->tls != NULL && stream->tls->state == TLS_OPEN;
}

void
stream_tls_facts(const struct stream *stream, struct tls_facts *facts_out)
{
	const struct tls *tls = stream->tls;

	*facts_out = (struct tls_facts){ 0 };
	if (tls == NULL)
		return;
	if (tls->error[0] != '\0')
		facts_out->error = tls->error;
	facts_out->is_silent = !tls->is_started && (stream->is_wire_ended || tls->error[0] == '\0');
	if (tls->state != TLS_OPEN)
		return;
	facts_out->version = tls->version;
	facts_out->cipher = tls->cipher;
	facts_out->is_resumed = tls->is_resumed;
	if (tls->server_name[0] != '\0')
		facts_out->server_name = tls->server_name;
	if (tls->certificate_error[0] != '\0')
		facts_out->certificate_error = tls->certificate_error;
}
