/*
 * SCRAM-SHA-256 without its base64: messages in, messages out (RFC 5802 section 5, RFC 7677).
 */
#ifndef SCRAM_H
#define SCRAM_H

#include "base/buffer.h"
#include "scram_keys.h"

struct scram {
	struct buffer header;		/* the GS2 header as it came */
	struct buffer client_first;	/* client-first-message-bare */
	struct buffer server_first;
	struct buffer nonce;		/* the client's, followed by ours */
	struct scram_keys keys;
	bool is_fake;			/* no such user: goes on, and fails at the end */
};

enum scram_result { SCRAM_GOOD, SCRAM_WRONG, SCRAM_MALFORMED };

/*
 * Take the client's first message.
 *
 *	nonce		our part, printable and without comma
 *	user_out	gets the decoded name
 *
 * SCRAM_WRONG: wants channel binding, or to act as somebody else.
 */
enum scram_result scram_client_first(struct scram *scram, struct span message, struct span nonce,
    struct buffer *user_out);

/* Append the server's first message; keys are those of a credential, or made up by scram_fake_keys(). */
void scram_server_first(struct scram *scram, struct buffer *out);

/* Keys that nobody has, under a salt that is always the same for this user. */
void scram_fake_keys(struct scram *scram, struct span secret, struct span user);

/* Take the client's final message; SCRAM_GOOD appends the server's. */
enum scram_result scram_client_final(struct scram *scram, struct span message, struct buffer *out);

void scram_fini(struct scram *scram);

#endif
