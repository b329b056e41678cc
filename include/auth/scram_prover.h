/*
 * The client's side of SCRAM (RFC 5802, RFC 7677): messages in, messages out, without their base64.  Pure, but for the
 * nonce; one thread at a time.
 */
#ifndef AUTH_SCRAM_PROVER_H
#define AUTH_SCRAM_PROVER_H

#include "base/buffer.h"

struct scram_prover;

/* Who proves what; all borrowed as long as the prover. */
struct scram_proof {
	bool is_sha256;		/* else SHA-1 */
	struct span user, password;
	struct span identity;	/* as whom is acted (RFC 4422 section 3.4.1); empty: as the user */
	struct span end_point;	/* the -PLUS mechanism: bound to tls-server-end-point (RFC 5929 section 4); empty: not bound */
	struct span nonce;	/* printable, without comma; empty: a fresh one, as it must be but in tests */
	bool could_bind;	/* not bound, but only because the server has not offered it (RFC 5802 section 6: "y") */
};

struct scram_prover *scram_prover_new(const struct scram_proof *proof);

/* Wipes what it knows; accepts NULL, leaves NULL behind. */
void scram_prover_free(struct scram_prover **prover);

/* Append the first message. */
void scram_prover_begin(struct scram_prover *prover, struct buffer *out);

/*
 * Take the server's first message and append the final one.  False: it is malformed, or asks for less than 4096 or more
 * than a million iterations.  Slow.
 */
bool scram_prover_answer(struct scram_prover *prover, struct span message, struct buffer *out);

/* Whether the server's final message proves that it knows the password, too. */
bool scram_prover_check(const struct scram_prover *prover, struct span message);

#endif
