/*
 * What mechanisms have in common: the ways an exchange can go on, secrets, names.  Pure.
 */
#include "mechanism.h"

#include "base/base64.h"

enum sasl_event
sasl_send(struct sasl *sasl, enum sasl_step next, struct span message)
{
	sasl->step = next;
	base64_encode(message, &sasl->challenge);
	return SASL_CHALLENGE;
}

enum sasl_event
sasl_ask(struct sasl *sasl, enum sasl_event event)
{
	sasl->step = SASL_ASKED;
	return event;
}

enum sasl_event
sasl_end(struct sasl *sasl, enum sasl_event event)
{
	sasl->step = SASL_ENDED;
	return event;
}

enum sasl_event
sasl_fail(struct sasl *sasl, const char *reason)
{
	sasl->reason = reason;
	return sasl_end(sasl, SASL_FAILED);
}

/* Growing moves a buffer and leaves the old octets behind: ask for the room before writing. */
void
sasl_keep_secret(struct sasl *sasl, struct span secret)
{
	buffer_reserve(&sasl->password, secret.length + 1);
	buffer_add_span(&sasl->password, secret);
}

void
sasl_keep_identity(struct sasl *sasl, struct span identity)
{
	if (!span_equals_nocase(identity, buffer_span(&sasl->user)))
		buffer_add_span(&sasl->identity, identity);
}

bool
sasl_read_name(struct span text, struct buffer *name_out)
{
	if (text.length == 0 || span_find(text, '\0') < text.length)
		return false;
	for (size_t at = 0; at < text.length; at++) {
		struct span escape = span_slice(text, at, 3);

		if (text.at[at] != '=') {
			buffer_add_octet(name_out, text.at[at]);
			continue;
		}
		if (span_equals(escape, SPAN("=2C")))
			buffer_add_octet(name_out, ',');
		else if (span_equals(escape, SPAN("=3D")))
			buffer_add_octet(name_out, '=');
		else
			return false;
		at += 2;
	}
	return true;
}
