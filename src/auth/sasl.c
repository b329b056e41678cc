/*
 * SASL exchanges (RFC 4422 section 5): which mechanisms there are, which message comes when, base64 taken off and
 * put on.  Pure.
 */
#include "auth/sasl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "mechanism.h"

static const struct {
	const char *name;
	const char *greeting;	/* the challenge when there is no initial response */
	sasl_take *take;
} mechanisms[SASL_MECHANISM_COUNT] = {
	[SASL_PLAIN] = { "PLAIN", "", sasl_take_plain },
	[SASL_LOGIN] = { "LOGIN", "Username:", sasl_take_login },
	[SASL_SCRAM_SHA_1] = { "SCRAM-SHA-1", "", sasl_take_scram },
	[SASL_SCRAM_SHA_1_PLUS] = { "SCRAM-SHA-1-PLUS", "", sasl_take_scram },
	[SASL_SCRAM_SHA_256] = { "SCRAM-SHA-256", "", sasl_take_scram },
	[SASL_SCRAM_SHA_256_PLUS] = { "SCRAM-SHA-256-PLUS", "", sasl_take_scram },
	[SASL_OAUTHBEARER] = { "OAUTHBEARER", "", sasl_take_oauthbearer },
	[SASL_XOAUTH2] = { "XOAUTH2", "", sasl_take_xoauth2 },
	[SASL_EXTERNAL] = { "EXTERNAL", "", sasl_take_external },
};

bool
sasl_find_mechanism(struct span name, unsigned permitted, enum sasl_mechanism *mechanism_out)
{
	for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if (!span_equals_nocase(name, span_from_string(mechanisms[i].name)))
			continue;
		if ((permitted & SASL_BIT(i)) == 0)
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
sasl_new(enum sasl_mechanism mechanism, const struct sasl_facts *facts)
{
	struct sasl *sasl = NEW(struct sasl);

	sasl->mechanism = mechanism;
	sasl->facts = *facts;
	return sasl;
}

void
sasl_free(struct sasl **sasl)
{
	if (*sasl == NULL)
		return;
	buffer_free(&(*sasl)->user);
	buffer_free(&(*sasl)->identity);
	buffer_wipe(&(*sasl)->password);
	buffer_free(&(*sasl)->challenge);
	scram_fini(&(*sasl)->scram);
	free(*sasl);
	*sasl = NULL;
}

static enum sasl_event
take(struct sasl *sasl, struct span line)
{
	struct buffer message = { 0 };
	enum sasl_event event;

	buffer_clear(&sasl->challenge);
	if (line.length > SASL_LINE_MAX)
		return sasl_end(sasl, SASL_MALFORMED);
	buffer_reserve(&message, line.length + 1);
	if (base64_decode(line, &message))
		event = mechanisms[sasl->mechanism].take(sasl, buffer_span(&message));
	else
		event = sasl_end(sasl, SASL_MALFORMED);
	buffer_wipe(&message);
	return event;
}

enum sasl_event
sasl_start(struct sasl *sasl, const struct span *initial)
{
	assert(sasl->step == SASL_NEW);
	if (initial == NULL)
		return sasl_send(sasl, SASL_FIRST, span_from_string(mechanisms[sasl->mechanism].greeting));
	sasl->step = SASL_FIRST;
	return take(sasl, span_equals(*initial, SPAN("=")) ? SPAN("") : *initial);
}

enum sasl_event
sasl_respond(struct sasl *sasl, struct span line)
{
	assert(sasl->step == SASL_FIRST || sasl->step == SASL_SECOND || sasl->step == SASL_LAST);
	if (span_equals(line, SPAN("*")))
		return sasl_end(sasl, SASL_CANCELLED);
	return take(sasl, line);
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
sasl_identity(const struct sasl *sasl)
{
	return buffer_span(&sasl->identity);
}

void
sasl_forbid(struct sasl *sasl)
{
	assert(sasl->step == SASL_ASKED);
	sasl->is_forbidden = true;
}

struct span
sasl_password(const struct sasl *sasl)
{
	return buffer_span(&sasl->password);
}

const char *
sasl_reason(const struct sasl *sasl)
{
	return sasl->reason;
}
