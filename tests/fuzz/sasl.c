/*
 * Whole SASL exchanges: the input's first octet chooses the mechanism, its lines are what the client says.  No
 * exchange ends as somebody whom nothing has proved: what the caller answers is always no.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/sasl.h"
#include "base/base64.h"

/* The line as it is, or, so that more gets through, as base64 of it. */
static struct span
line_of(struct span *input, struct buffer *encoded)
{
	struct span line = span_slice(*input, 0, span_find(*input, '\n'));

	*input = span_from(*input, line.length + 1);
	if (line.length == 0 || line.at[0] != '!')
		return line;
	buffer_clear(encoded);
	base64_encode(span_from(line, 1), encoded);
	return buffer_span(encoded);
}

static enum sasl_event
answer(struct sasl *sasl, enum sasl_event event)
{
	switch (event) {
	case SASL_LOOK_UP:
		return sasl_credential(sasl, SPAN("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
		    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), sasl_user(sasl));
	case SASL_VERIFY:
		assert(sasl_password(sasl).length < SASL_LINE_MAX);
		return sasl_verified(sasl, false);
	case SASL_CHECK_TOKEN:
		return sasl_token(sasl, TOKEN_SIGNATURE, SPAN(""));
	case SASL_AUTHORIZE:
		return sasl_found(sasl, false);
	default:
		return event;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span names[] = { SPAN("tim@example.org") };
	const struct sasl_facts facts = { .secret = SPAN("secret"), .offered = size > 1 && data[1] % 2 == 0 ? ~0u : 0,
		.bindings = { { "tls-exporter", SPAN("0123456789abcdef0123456789abcdef") },
		    { "tls-server-end-point", SPAN("fedcba9876543210") } },
		.certificate_names = names, .certificate_name_count = 1, .token_scope = "imap" };
	struct span input = span_of(data, size);
	struct buffer encoded = { 0 };
	enum sasl_event event;
	struct sasl *sasl;

	if (size < 2)
		return 0;
	sasl = sasl_new(data[0] % SASL_MECHANISM_COUNT, &facts);
	input = span_from(input, 2);
	event = answer(sasl, sasl_start(sasl, NULL));
	while (event == SASL_CHALLENGE && input.length > 0)
		event = answer(sasl, sasl_respond(sasl, line_of(&input, &encoded)));
	assert(event != SASL_DONE);
	assert(event == SASL_CHALLENGE || event == SASL_FAILED || event == SASL_MALFORMED || event == SASL_CANCELLED);
	sasl_free(&sasl);
	buffer_free(&encoded);
	return 0;
}
