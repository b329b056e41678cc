/*
 * SASL exchanges (RFC 4422 section 5): which message comes when, base64 taken off and put on, and the
 * three mechanisms simple enough to stand here.  Pure.
 */
#include "auth/sasl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/random.h"
#include "scram.h"

#define NONCE_OCTETS 18		/* 24 characters of base64, none of them a comma */

enum step { NEW_BORN, FIRST, SECOND, LAST, ASKED, ENDED };

struct sasl {
	enum sasl_mechanism mechanism;
	enum step step;		/* what the next message from the client, or from the caller, is */
	struct span secret;	/* borrowed */
	struct buffer user, password, challenge;
	struct scram scram;
};

typedef enum sasl_event take_message(struct sasl *sasl, struct span message);

static take_message take_plain, take_login, take_scram, take_external;

static const struct {
	const char *name;
	const char *greeting;	/* the challenge when there is no initial response */
	take_message *take;
} mechanisms[SASL_MECHANISM_COUNT] = {
	[SASL_PLAIN] = { "PLAIN", "", take_plain },
	[SASL_LOGIN] = { "LOGIN", "Username:", take_login },
	[SASL_SCRAM_SHA_256] = { "SCRAM-SHA-256", "", take_scram },
	[SASL_EXTERNAL] = { "EXTERNAL", "", take_external },
};

bool
sasl_find_mechanism(struct span name, unsigned permitted, enum sasl_mechanism *mechanism_out)
{
	for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if (!span_equals_nocase(name, span_from_string(mechanisms[i].name)))
			continue;
		if ((permitted & 1u << i) == 0)
			return false;
		*mechanism_out = (enum sasl_mechanism)i;
		return true;
	}
	return false;
}

const char *
sasl_mechanism_name(enum sasl_mechanism mechanism)
{
	return mechanisms[mechanism].name;
}

struct sasl *
sasl_new(enum sasl_mechanism mechanism, struct span secret)
{
	struct sasl *sasl = NEW(struct sasl);

	sasl->mechanism = mechanism;
	sasl->secret = secret;
	return sasl;
}

/* Growing moves a buffer and leaves the old octets behind: ask for the room before writing. */
static void
keep_secret(struct buffer *buffer, struct span octets)
{
	buffer_reserve(buffer, octets.length + 1);
	buffer_add_span(buffer, octets);
}

static void
wipe(struct buffer *buffer)
{
	if (buffer->at != NULL)
		memory_wipe(buffer->at, buffer->capacity);
	buffer_free(buffer);
}

void
sasl_free(struct sasl **sasl)
{
	if (*sasl == NULL)
		return;
	buffer_free(&(*sasl)->user);
	wipe(&(*sasl)->password);
	buffer_free(&(*sasl)->challenge);
	scram_fini(&(*sasl)->scram);
	free(*sasl);
	*sasl = NULL;
}

/* Wait for the client's next message, after sending this. */
static enum sasl_event
challenge(struct sasl *sasl, enum step next, struct span message)
{
	sasl->step = next;
	base64_encode(message, &sasl->challenge);
	return SASL_CHALLENGE;
}

/* Wait for the caller's answer. */
static enum sasl_event
ask(struct sasl *sasl, enum sasl_event event)
{
	sasl->step = ASKED;
	return event;
}

static enum sasl_event
end(struct sasl *sasl, enum sasl_event event)
{
	sasl->step = ENDED;
	return event;
}

/* RFC 4616 section 2: [authzid] NUL authcid NUL passwd. */
static enum sasl_event
take_plain(struct sasl *sasl, struct span message)
{
	struct span identity, user, password;

	identity = span_slice(message, 0, span_find(message, '\0'));
	message = span_from(message, identity.length + 1);
	user = span_slice(message, 0, span_find(message, '\0'));
	if (user.length == message.length)
		return end(sasl, SASL_MALFORMED);
	password = span_from(message, user.length + 1);
	if (user.length == 0 || password.length == 0 || span_find(password, '\0') < password.length)
		return end(sasl, SASL_MALFORMED);
	buffer_add_span(&sasl->user, user);
	if (identity.length > 0 && !span_equals_nocase(identity, user))
		return end(sasl, SASL_FAILED);
	keep_secret(&sasl->password, password);
	return ask(sasl, SASL_VERIFY);
}

/* draft-murchison-sasl-login-00: two prompts that everybody ignores. */
static enum sasl_event
take_login(struct sasl *sasl, struct span message)
{
	if (message.length == 0 || span_find(message, '\0') < message.length)
		return end(sasl, SASL_MALFORMED);
	if (sasl->step == FIRST) {
		buffer_add_span(&sasl->user, message);
		return challenge(sasl, SECOND, SPAN("Password:"));
	}
	keep_secret(&sasl->password, message);
	return ask(sasl, SASL_VERIFY);
}

/* RFC 4422 appendix A: the message is the authorization identity, which must be there on the link. */
static enum sasl_event
take_external(struct sasl *sasl, struct span message)
{
	if (message.length == 0 || span_find(message, '\0') < message.length)
		return end(sasl, SASL_MALFORMED);
	buffer_add_span(&sasl->user, message);
	return end(sasl, SASL_DONE);
}

static enum sasl_event
take_scram_first(struct sasl *sasl, struct span message)
{
	struct buffer nonce = { 0 };
	uint8_t octets[NONCE_OCTETS];
	enum scram_result result;

	random_fill(octets, sizeof octets);
	base64_encode(span_of(octets, sizeof octets), &nonce);
	result = scram_client_first(&sasl->scram, message, buffer_span(&nonce), &sasl->user);
	buffer_free(&nonce);
	if (result == SCRAM_GOOD)
		return ask(sasl, SASL_LOOK_UP);
	return end(sasl, result == SCRAM_WRONG ? SASL_FAILED : SASL_MALFORMED);
}

static enum sasl_event
take_scram_final(struct sasl *sasl, struct span message)
{
	struct buffer answer = { 0 };
	enum scram_result result = scram_client_final(&sasl->scram, message, &answer);
	enum sasl_event event;

	/* IMAP has no data with its OK: the signature is one more challenge (RFC 4422 section 5, 3b). */
	if (result == SCRAM_GOOD)
		event = challenge(sasl, LAST, buffer_span(&answer));
	else
		event = end(sasl, result == SCRAM_WRONG ? SASL_FAILED : SASL_MALFORMED);
	buffer_free(&answer);
	return event;
}

static enum sasl_event
take_scram(struct sasl *sasl, struct span message)
{
	if (sasl->step == FIRST)
		return take_scram_first(sasl, message);
	if (sasl->step == SECOND)
		return take_scram_final(sasl, message);
	return end(sasl, message.length == 0 ? SASL_DONE : SASL_MALFORMED);
}

static enum sasl_event
take(struct sasl *sasl, struct span line)
{
	struct buffer message = { 0 };
	enum sasl_event event;

	if (line.length > SASL_LINE_MAX)
		return end(sasl, SASL_MALFORMED);
	buffer_reserve(&message, line.length + 1);
	if (base64_decode(line, &message))
		event = mechanisms[sasl->mechanism].take(sasl, buffer_span(&message));
	else
		event = end(sasl, SASL_MALFORMED);
	wipe(&message);
	return event;
}

enum sasl_event
sasl_start(struct sasl *sasl, const struct span *initial)
{
	assert(sasl->step == NEW_BORN);
	if (initial == NULL)
		return challenge(sasl, FIRST,
		    span_from_string(mechanisms[sasl->mechanism].greeting));
	sasl->step = FIRST;
	return take(sasl, span_equals(*initial, SPAN("=")) ? SPAN("") : *initial);
}

enum sasl_event
sasl_respond(struct sasl *sasl, struct span line)
{
	assert(sasl->step == FIRST || sasl->step == SECOND || sasl->step == LAST);
	buffer_clear(&sasl->challenge);
	if (span_equals(line, SPAN("*")))
		return end(sasl, SASL_CANCELLED);
	return take(sasl, line);
}

enum sasl_event
sasl_credential(struct sasl *sasl, struct span credential)
{
	struct buffer message = { 0 };
	enum sasl_event event;

	assert(sasl->step == ASKED && sasl->mechanism == SASL_SCRAM_SHA_256);
	if (!scram_keys_parse(credential, &sasl->scram.keys))
		scram_fake_keys(&sasl->scram, sasl->secret, buffer_span(&sasl->user));
	buffer_clear(&sasl->challenge);
	scram_server_first(&sasl->scram, &message);
	event = challenge(sasl, SECOND, buffer_span(&message));
	buffer_free(&message);
	return event;
}

enum sasl_event
sasl_verified(struct sasl *sasl, bool is_match)
{
	assert(sasl->step == ASKED && sasl->mechanism != SASL_SCRAM_SHA_256);
	return end(sasl, is_match ? SASL_DONE : SASL_FAILED);
}

struct span
sasl_challenge(const struct sasl *sasl)
{
	return buffer_span(&sasl->challenge);
}

struct span
sasl_user(const struct sasl *sasl)
{
	return buffer_span(&sasl->user);
}

struct span
sasl_password(const struct sasl *sasl)
{
	return buffer_span(&sasl->password);
}
