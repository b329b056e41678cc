/*
 * The four names of SCRAM as SASL mechanisms (RFC 5802, RFC 7677).  Pure.
 */
#include <assert.h>

#include "base/base64.h"
#include "base/random.h"
#include "mechanism.h"

#define NONCE_OCTETS 18		/* 24 characters of base64, none of them a comma */

/* A client that was offered a -PLUS of either hash function knows that we can bind. */
static void
prepare(struct sasl *sasl)
{
	struct scram *scram = &sasl->scram;

	scram->hash = sasl->mechanism == SASL_SCRAM_SHA_1 || sasl->mechanism == SASL_SCRAM_SHA_1_PLUS ?
	    HASH_SHA_1 : HASH_SHA_256;
	scram->is_plus = (SASL_BIT(sasl->mechanism) & SASL_SCRAM_PLUS) != 0;
	scram->is_plus_offered = (sasl->facts.offered & SASL_SCRAM_PLUS) != 0;
	scram->bindings = sasl->facts.bindings;
}

static enum sasl_event
end_badly(struct sasl *sasl, enum scram_result result)
{
	return result == SCRAM_WRONG ? sasl_fail(sasl, sasl->scram.reason) : sasl_end(sasl, SASL_MALFORMED);
}

static enum sasl_event
take_first(struct sasl *sasl, struct span message)
{
	struct buffer nonce = { 0 }, identity = { 0 };
	uint8_t octets[NONCE_OCTETS];
	enum scram_result result;

	prepare(sasl);
	random_fill(octets, sizeof octets);
	base64_encode(span_of(octets, sizeof octets), &nonce);
	result = scram_client_first(&sasl->scram, message, buffer_span(&nonce), &sasl->user, &identity);
	if (result == SCRAM_GOOD)
		sasl_keep_identity(sasl, buffer_span(&identity));
	buffer_free(&identity);
	buffer_free(&nonce);
	return result == SCRAM_GOOD ? sasl_ask(sasl, SASL_LOOK_UP) : end_badly(sasl, result);
}

static enum sasl_event
take_final(struct sasl *sasl, struct span message)
{
	struct buffer answer = { 0 };
	enum scram_result result = scram_client_final(&sasl->scram, message, &answer);
	enum sasl_event event;

	if (result == SCRAM_GOOD && sasl->is_forbidden)
		event = sasl_fail(sasl, "not-permitted");
	/* IMAP has no data with its OK: the signature is one more challenge (RFC 4422 section 5, 3b). */
	else if (result == SCRAM_GOOD)
		event = sasl_send(sasl, SASL_LAST, buffer_span(&answer));
	else
		event = end_badly(sasl, result);
	buffer_free(&answer);
	return event;
}

enum sasl_event
sasl_take_scram(struct sasl *sasl, struct span message)
{
	if (sasl->step == SASL_FIRST)
		return take_first(sasl, message);
	if (sasl->step == SASL_SECOND)
		return take_final(sasl, message);
	return sasl_end(sasl, message.length == 0 ? SASL_DONE : SASL_MALFORMED);
}

enum sasl_event
sasl_credential(struct sasl *sasl, struct span credential, struct span owner)
{
	struct buffer message = { 0 };
	enum sasl_event event;

	assert(sasl->step == SASL_ASKED && (SASL_BIT(sasl->mechanism) & SASL_SCRAM) != 0);
	scram_use_credential(&sasl->scram, credential, sasl->facts.secret, owner);
	buffer_clear(&sasl->challenge);
	scram_server_first(&sasl->scram, &message);
	event = sasl_send(sasl, SASL_SECOND, buffer_span(&message));
	buffer_free(&message);
	return event;
}
