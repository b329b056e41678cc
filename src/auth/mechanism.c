/*
 * The ways an exchange can go on.  Pure.
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
