/*
 * What the mechanisms share: the exchange under way, and the ways it can go on.  Each is one function that takes
 * the client's next message, without its base64.
 */
#ifndef MECHANISM_H
#define MECHANISM_H

#include "auth/sasl.h"
#include "base/buffer.h"
#include "scram.h"

/* What the next message from the client, or from the caller, is. */
enum sasl_step { SASL_NEW, SASL_FIRST, SASL_SECOND, SASL_LAST, SASL_ASKED, SASL_ENDED };

struct sasl {
	enum sasl_mechanism mechanism;
	enum sasl_step step;
	struct sasl_facts facts;
	struct buffer user, identity, password, challenge;
	bool is_forbidden;		/* to act as the identity */
	struct scram scram;
	const char *reason;		/* of SASL_FAILED; static */
};

typedef enum sasl_event sasl_take(struct sasl *sasl, struct span message);

sasl_take sasl_take_plain, sasl_take_login, sasl_take_scram, sasl_take_oauthbearer, sasl_take_xoauth2,
    sasl_take_external;

/* Keep a password or token in memory that is wiped. */
void sasl_keep_secret(struct sasl *sasl, struct span secret);

/* Read a saslname (RFC 5802 section 7): "=2C" stands for a comma, "=3D" for an equals sign.  False: it is none. */
bool sasl_read_name(struct span text, struct buffer *name_out);

/* Wait for the client's next message, after sending this. */
enum sasl_event sasl_send(struct sasl *sasl, enum sasl_step next, struct span message);

/* Wait for the caller's answer. */
enum sasl_event sasl_ask(struct sasl *sasl, enum sasl_event event);

/* Keep the identity that the client wants to act as, unless it is the user. */
void sasl_keep_identity(struct sasl *sasl, struct span identity);

enum sasl_event sasl_end(struct sasl *sasl, enum sasl_event event);
enum sasl_event sasl_fail(struct sasl *sasl, const char *reason);

#endif
