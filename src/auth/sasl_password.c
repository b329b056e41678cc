/*
 * PLAIN and LOGIN: the client says its password.  Pure.
 */
#include <assert.h>

#include "mechanism.h"

static enum sasl_event
keep_password(struct sasl *sasl, struct span password)
{
	sasl_keep_secret(sasl, password);
	return sasl_ask(sasl, SASL_VERIFY);
}

/*
 * RFC 4616 section 2: [authzid] NUL authcid NUL passwd.  The last two have an octet at least; without one they are
 * wrong, not malformed: a user who has typed nothing is to be asked again (RFC 9051 section 6.2.3).
 */
enum sasl_event
sasl_take_plain(struct sasl *sasl, struct span message)
{
	struct span identity, user, password;

	identity = span_slice(message, 0, span_find(message, '\0'));
	message = span_from(message, identity.length + 1);
	user = span_slice(message, 0, span_find(message, '\0'));
	if (user.length == message.length)
		return sasl_end(sasl, SASL_MALFORMED);
	password = span_from(message, user.length + 1);
	if (span_find(password, '\0') < password.length)
		return sasl_end(sasl, SASL_MALFORMED);
	buffer_add_span(&sasl->user, user);
	sasl_keep_identity(sasl, identity);
	return keep_password(sasl, password);
}

/* draft-murchison-sasl-login-00: two prompts that everybody ignores. */
enum sasl_event
sasl_take_login(struct sasl *sasl, struct span message)
{
	if (span_find(message, '\0') < message.length)
		return sasl_end(sasl, SASL_MALFORMED);
	if (sasl->step == SASL_FIRST) {
		buffer_add_span(&sasl->user, message);
		return sasl_send(sasl, SASL_SECOND, SPAN("Password:"));
	}
	return keep_password(sasl, message);
}

enum sasl_event
sasl_verified(struct sasl *sasl, bool is_match)
{
	assert(sasl->step == SASL_ASKED && (SASL_BIT(sasl->mechanism) & SASL_SCRAM) == 0);
	if (!is_match)
		return sasl_fail(sasl, "password");
	return sasl->is_forbidden ? sasl_fail(sasl, "not-permitted") : sasl_end(sasl, SASL_DONE);
}
