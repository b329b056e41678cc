/*
 * SCRAM without its base64: messages in, messages out (RFC 5802 section 5, RFC 7677).
 */
#ifndef SCRAM_H
#define SCRAM_H

#include "auth/sasl.h"
#include "base/buffer.h"
#include "scram_keys.h"

struct scram {
	enum hash hash;			/* set by the caller before the first message, like the next three */
	bool is_plus;			/* the mechanism's name ends in -PLUS */
	bool is_plus_offered;		/* ... and such a one was offered on this connection */
	const struct sasl_binding *bindings;	/* of the connection, SASL_BINDING_COUNT of them; borrowed */
	struct span binding;		/* what the client's "c=" must hold behind the header; borrowed */
	struct buffer header;		/* the GS2 header as it came */
	struct buffer client_first;	/* client-first-message-bare */
	struct buffer server_first;
	struct buffer nonce;		/* the client's, followed by ours */
	struct scram_keys keys;
	bool is_fake;			/* no such user: goes on, and fails at the end */
	const char *reason;		/* of SCRAM_WRONG, for the log; static */
};

enum scram_result { SCRAM_GOOD, SCRAM_WRONG, SCRAM_MALFORMED };

/*
 * Take the client's first message.
 *
 *	nonce		our part, printable and without comma
 *	user_out	gets the decoded name
 *	identity_out	gets the decoded authorization identity, if there is one
 *
 * SCRAM_WRONG: wants another channel binding than it can have.
 */
enum scram_result scram_client_first(struct scram *scram, struct span message, struct span nonce,
    struct buffer *user_out, struct buffer *identity_out);

/* Use the keys of a credential, or keys that nobody has, under a salt that is always the same for this user. */
void scram_use_credential(struct scram *scram, struct span credential, struct span secret, struct span user);

/* Append the server's first message. */
void scram_server_first(struct scram *scram, struct buffer *out);

/* Take the client's final message; SCRAM_GOOD appends the server's. */
enum scram_result scram_client_final(struct scram *scram, struct span message, struct buffer *out);

void scram_fini(struct scram *scram);

#endif
