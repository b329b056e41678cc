/*
 * EXTERNAL (RFC 4422 appendix A): TLS has verified a certificate of the client's, which names the users it may be.
 * Pure.
 */
#include "mechanism.h"

/*
 * Without an authorization identity it is the first name of the certificate; with one that is none of its names, the
 * first of them wants to act as that.
 */
enum sasl_event
sasl_take_external(struct sasl *sasl, struct span message)
{
	const struct sasl_facts *facts = &sasl->facts;

	if (span_find(message, '\0') < message.length)
		return sasl_end(sasl, SASL_MALFORMED);
	if (facts->certificate_name_count == 0)
		return sasl_fail(sasl, "certificate");
	if (message.length == 0)
		message = facts->certificate_names[0];
	for (size_t i = 0; i < facts->certificate_name_count; i++) {
		if (!span_equals_nocase(message, facts->certificate_names[i]))
			continue;
		buffer_add_span(&sasl->user, message);
		return sasl_ask(sasl, SASL_AUTHORIZE);
	}
	buffer_add_span(&sasl->user, facts->certificate_names[0]);
	sasl_keep_identity(sasl, message);
	return sasl_ask(sasl, SASL_AUTHORIZE);
}
