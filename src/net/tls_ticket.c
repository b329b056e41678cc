/*
 * Session tickets (RFC 5077, RFC 8446 section 4.6.1): the session itself, sealed with a key of ours, so
 * that nothing is kept for a client.  Keys are replaced every 12 hours, and the one before still opens.
 *
 *	ticket = key name (4) issued (8) nonce (12) AES-256-GCM(session) tag (16)
 *
 * Any thread: the key ring has a lock.
 */
#include "tls_internal.h"

#include <mbedtls/gcm.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

#define NAME_LENGTH  4
#define NONCE_LENGTH 12
#define TAG_LENGTH   16
#define AAD_LENGTH   (NAME_LENGTH + 8)
#define HEAD_LENGTH  (AAD_LENGTH + NONCE_LENGTH)
#define ROTATE_S     (12 * 3600)
#define LIFETIME_S   (12 * 3600)	/* at most ROTATE_S: the key before is enough to open any */

struct ticket_key {
	uint8_t name[NAME_LENGTH];
	uint8_t key[32];
	int64_t since_s;
};

struct tls_tickets {
	atomic_uint holders;
	pthread_mutex_t mutex;
	struct ticket_key keys[2];	/* under mutex; the first seals */
};

static void
key_new(struct ticket_key *key)
{
	random_fill(key->name, sizeof key->name);
	random_fill(key->key, sizeof key->key);
	key->since_s = clock_calendar_s();
}

struct tls_tickets *
tls_tickets_new(void)
{
	struct tls_tickets *tickets = NEW(struct tls_tickets);

	atomic_init(&tickets->holders, 1);
	pthread_mutex_init(&tickets->mutex, NULL);
	key_new(&tickets->keys[0]);
	key_new(&tickets->keys[1]);
	return tickets;
}

struct tls_tickets *
tls_tickets_hold(struct tls_tickets *tickets)
{
	atomic_fetch_add(&tickets->holders, 1);
	return tickets;
}

void
tls_tickets_free(struct tls_tickets **tickets_pointer)
{
	struct tls_tickets *tickets = *tickets_pointer;

	*tickets_pointer = NULL;
	if (tickets == NULL || atomic_fetch_sub(&tickets->holders, 1) != 1)
		return;
	pthread_mutex_destroy(&tickets->mutex);
	memory_wipe(tickets->keys, sizeof tickets->keys);
	free(tickets);
}

static void
key_to_seal(struct tls_tickets *tickets, struct ticket_key *key_out)
{
	pthread_mutex_lock(&tickets->mutex);
	if (clock_calendar_s() - tickets->keys[0].since_s >= ROTATE_S) {
		tickets->keys[1] = tickets->keys[0];
		key_new(&tickets->keys[0]);
	}
	*key_out = tickets->keys[0];
	pthread_mutex_unlock(&tickets->mutex);
}

static bool
key_to_open(struct tls_tickets *tickets, const uint8_t *name, struct ticket_key *key_out)
{
	bool is_found = false;

	pthread_mutex_lock(&tickets->mutex);
	for (size_t i = 0; i < COUNT_OF(tickets->keys) && !is_found; i++) {
		is_found = memcmp(tickets->keys[i].name, name, NAME_LENGTH) == 0;
		if (is_found)
			*key_out = tickets->keys[i];
	}
	pthread_mutex_unlock(&tickets->mutex);
	return is_found;
}

static void
put_time(uint8_t *at, int64_t time_s)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)time_s >> (56 - 8 * i));
}

static int64_t
get_time(const uint8_t *at)
{
	uint64_t time_s = 0;

	for (int i = 0; i < 8; i++)
		time_s = time_s << 8 | at[i];
	return (int64_t)time_s;
}

/* Encrypt or decrypt in place; on opening, the tag is compared. */
static int
apply(const struct ticket_key *key, bool is_sealing, uint8_t *ticket, size_t length)
{
	uint8_t *body = ticket + HEAD_LENGTH, *tag = body + length, *nonce = ticket + AAD_LENGTH;
	mbedtls_gcm_context gcm;
	int error;

	mbedtls_gcm_init(&gcm);
	error = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * sizeof key->key);
	if (error == 0 && is_sealing)
		error = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, length, nonce, NONCE_LENGTH,
		    ticket, AAD_LENGTH, body, body, TAG_LENGTH, tag);
	else if (error == 0)
		error = mbedtls_gcm_auth_decrypt(&gcm, length, nonce, NONCE_LENGTH, ticket, AAD_LENGTH,
		    tag, TAG_LENGTH, body, body);
	mbedtls_gcm_free(&gcm);
	return error;
}

/* The certificate of a client is in the session of TLS 1.2 alone, and should be looked at each time. */
static bool
has_certificate(const mbedtls_ssl_session *session)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return session->MBEDTLS_PRIVATE(peer_cert) != NULL;
#else
	return session->peer_cert != NULL;
#endif
}

/* TLS 1.3 wants a ticket: this one opens nothing, and is to be thrown away at once (RFC 8446 section 4.6.1). */
static int
write_void_ticket(unsigned char *start, size_t *length_out, uint32_t *lifetime_s_out)
{
	random_fill(start, HEAD_LENGTH);
	*length_out = HEAD_LENGTH;
	*lifetime_s_out = 0;
	return 0;
}

int
tls_ticket_write(void *context, const mbedtls_ssl_session *session, unsigned char *start,
    const unsigned char *end, size_t *length_out, uint32_t *lifetime_s_out)
{
	struct tls_slot *slot = context;
	struct ticket_key key;
	size_t room = (size_t)(end - start), length = 0;
	int error;

	*length_out = 0;
	if (room < HEAD_LENGTH + TAG_LENGTH)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	if (slot->context->asks_certificates && has_certificate(session))
		return write_void_ticket(start, length_out, lifetime_s_out);
	error = mbedtls_ssl_session_save(session, start + HEAD_LENGTH, room - HEAD_LENGTH - TAG_LENGTH,
	    &length);
	if (error != 0)
		return error;
	key_to_seal(slot->context->tickets, &key);
	memcpy(start, key.name, NAME_LENGTH);
	put_time(start + NAME_LENGTH, clock_calendar_s());
	random_fill(start + AAD_LENGTH, NONCE_LENGTH);
	error = apply(&key, true, start, length);
	memory_wipe(&key, sizeof key);
	if (error != 0)
		return error;
	*length_out = HEAD_LENGTH + length + TAG_LENGTH;
	*lifetime_s_out = LIFETIME_S;
	return 0;
}

int
tls_ticket_parse(void *context, mbedtls_ssl_session *session, unsigned char *ticket, size_t length)
{
	struct tls_slot *slot = context;
	struct ticket_key key;
	int64_t age_s;
	int error;

	if (length < HEAD_LENGTH + TAG_LENGTH || !key_to_open(slot->context->tickets, ticket, &key))
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	length -= HEAD_LENGTH + TAG_LENGTH;
	error = apply(&key, false, ticket, length);
	memory_wipe(&key, sizeof key);
	if (error != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	age_s = clock_calendar_s() - get_time(ticket + NAME_LENGTH);
	if (age_s < 0 || age_s >= LIFETIME_S)
		return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	error = mbedtls_ssl_session_load(session, ticket + HEAD_LENGTH, length);
	if (error == 0 && slot->current != NULL)
		slot->current->is_resumed = true;
	return error;
}
