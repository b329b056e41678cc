#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define INPUT_SIZE  (1 << 14)
#define INPUT_MAX   (1 << 23)	/* a line of SORT names a million messages */
#define PACKED_SIZE (1 << 16)
#define RAW_BITS    (-15)	/* DEFLATE alone (RFC 4978 section 4) */

double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void
fail(const char *what)
{
	fprintf(stderr, "load: %.200s\n", what);
	exit(1);
}

/* ---- TLS -------------------------------------------------------------------------------------------------- */

static int
on_session(SSL *tls, SSL_SESSION *session)
{
	struct client *client = SSL_get_app_data(tls);

	SSL_SESSION_free(client->session);
	client->session = session;
	return 1;	/* it is ours now */
}

/* One for all connections.  It offers what mail programs offer: AES-GCM first, and ChaCha20. */
static SSL_CTX *
tls_context(void)
{
	static SSL_CTX *context;

	if (context == NULL) {
		context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
		SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
		SSL_CTX_set1_groups_list(context, "X25519:P-256");
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(context, on_session);
		SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
	}
	return context;
}

static void
shake_hands(struct client *client, bool is_resumed)
{
	bool has_session = is_resumed && client->session != NULL;

	client->tls = SSL_new(tls_context());
	SSL_set_app_data(client->tls, client);
	SSL_set_fd(client->tls, client->socket);
	if (has_session)
		SSL_set_session(client->tls, client->session);
	if (SSL_connect(client->tls) != 1)
		fail("TLS handshake");
	client->resumed += has_session && SSL_session_reused(client->tls);
}

/* ---- octets ----------------------------------------------------------------------------------------------- */

void
client_dial(struct client *client, int port, enum client_tls tls)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	client->socket = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0)
		fail("connect");
	if (client->input == NULL)
		client->input = malloc(client->size = INPUT_SIZE);
	client->have = client->at = 0;
	if (tls != NO_TLS)
		shake_hands(client, tls == RESUMED_TLS);
}

void
client_close(struct client *client)
{
	if (client->tls != NULL) {
		SSL_set_shutdown(client->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);	/* or its session is void */
		SSL_free(client->tls);
		client->tls = NULL;
	}
	close(client->socket);
}

static void
put_octets(struct client *client, const char *octets, size_t length)
{
	while (length > 0) {
		ssize_t sent = client->tls != NULL ? SSL_write(client->tls, octets, (int)length) : write(client->socket, octets, length);

		if (sent <= 0)
			fail("write");
		octets += sent;
		length -= (size_t)sent;
	}
}

static size_t
get_octets(struct client *client, char *out, size_t length)
{
	ssize_t got = client->tls != NULL ? SSL_read(client->tls, out, (int)length) : read(client->socket, out, length);

	if (got <= 0)
		fail("the server closed the connection");
	return (size_t)got;
}

/* What there is of a command goes with a flush; the server must not wait for the rest. */
void
client_put(struct client *client, const char *octets, size_t length)
{
	char out[1 << 14];

	if (!client->is_deflated) {
		put_octets(client, octets, length);
		return;
	}
	client->deflating.next_in = (Bytef *)(uintptr_t)octets;
	client->deflating.avail_in = (uInt)length;
	do {
		client->deflating.next_out = (Bytef *)out;
		client->deflating.avail_out = sizeof out;
		deflate(&client->deflating, Z_SYNC_FLUSH);
		put_octets(client, out, sizeof out - client->deflating.avail_out);
	} while (client->deflating.avail_out == 0);
}

/* Read what there is, up to this length; the octets are inflated where that was agreed. */
static size_t
get(struct client *client, char *out, size_t length)
{
	z_stream *stream = &client->inflating;

	if (!client->is_deflated)
		return get_octets(client, out, length);
	stream->next_out = (Bytef *)out;
	stream->avail_out = (uInt)length;
	while (stream->avail_out == length) {
		if (stream->avail_in == 0) {
			stream->next_in = (Bytef *)client->packed;
			stream->avail_in = (uInt)get_octets(client, client->packed, PACKED_SIZE);
		}
		if (inflate(stream, Z_SYNC_FLUSH) != Z_OK)
			fail("what came cannot be inflated");
	}
	return length - stream->avail_out;
}

void
client_compress(struct client *client)
{
	client_ask(client, "COMPRESS DEFLATE");
	if (client->have != client->at)
		fail("octets behind the answer to COMPRESS");
	client->packed = malloc(PACKED_SIZE);
	if (inflateInit2(&client->inflating, RAW_BITS) != Z_OK ||
	    deflateInit2(&client->deflating, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		fail("zlib");
	client->is_deflated = true;
}

/* ---- lines ------------------------------------------------------------------------------------------------ */

static void
more(struct client *client)
{
	size_t got;

	if (client->at > 0) {
		memmove(client->input, client->input + client->at, client->have - client->at);
		client->have -= client->at;
		client->at = 0;
	}
	if (client->have == client->size) {
		if (client->size == INPUT_MAX)
			fail("line too long");
		client->input = realloc(client->input, client->size *= 2);
	}
	got = get(client, client->input + client->have, client->size - client->have);
	client->have += got;
	client->octets += got;
}

static void
skip(struct client *client, size_t length)
{
	while (length > 0) {
		size_t here = client->have - client->at;

		if (here == 0) {
			client->at = client->have = 0;
			more(client);
			continue;
		}
		here = here < length ? here : length;
		client->at += here;
		length -= here;
	}
}

char *
client_line(struct client *client)
{
	for (;;) {
		char *start, *end, *brace;

		while ((end = memchr(client->input + client->at, '\n', client->have - client->at)) == NULL)
			more(client);
		start = client->input + client->at;
		client->at = (size_t)(end + 1 - client->input);
		if (end > start && end[-1] == '\r')
			end--;
		*end = '\0';
		brace = end > start && end[-1] == '}' ? strrchr(start, '{') : NULL;
		if (brace == NULL)
			return start;
		skip(client, strtoul(brace + 1, NULL, 10));
	}
}

void
client_await(struct client *client, const char *tag)
{
	size_t length = strlen(tag);
	char *text;

	do
		text = client_line(client);
	while (strncmp(text, tag, length) != 0 || text[length] != ' ');
	if (strncmp(text + length + 1, "OK", 2) != 0)
		fail(text);
}

void
client_ask(struct client *client, const char *command)
{
	char out[1024];
	int length = snprintf(out, sizeof out, "t %s\r\n", command);

	client_put(client, out, (size_t)length);
	client_await(client, "t");
}

void
client_log_in(struct client *client, unsigned user)
{
	char text[64];

	client_line(client);	/* the greeting */
	snprintf(text, sizeof text, "LOGIN bench%u bench", user);
	client_ask(client, text);
}
