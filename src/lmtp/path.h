/*
 * Addresses of the envelope: RFC 5321 section 4.1.2 ("Reverse-path", "Forward-path"), RFC 6531 section 3.3.
 * Pure.
 */
#ifndef LMTP_PATH_H
#define LMTP_PATH_H

#include "base/span.h"

#define LMTP_LOCAL_MAX	255	/* octets; RFC 5321 section 4.5.3.1.1 asks for 64 */
#define LMTP_DOMAIN_MAX 255	/* RFC 5321 section 4.5.3.1.2 */
#define LMTP_TEXT_MAX	(2 + 2 * LMTP_LOCAL_MAX + 1 + LMTP_DOMAIN_MAX)	/* with quotes and backslashes */

/* An address without its quotes; all empty for "<>". */
struct lmtp_path {
	uint8_t local[LMTP_LOCAL_MAX];
	size_t local_length;
	uint8_t domain[LMTP_DOMAIN_MAX];
	size_t domain_length;
	struct span text;	/* as written, without route and angle brackets; borrowed from the input */
};

/*
 * Read "<local@domain>" and move *input behind it.  A route ("<@a,@b:local@domain>") is skipped, a domain may
 * be missing.  False, with path_out in any state, when it is no path, too long or not in UTF-8.
 */
bool lmtp_path_parse(struct span *input, struct lmtp_path *path_out);

/* The longest name of a user that lmtp_path_candidates() makes. */
#define LMTP_NAME_MAX (LMTP_LOCAL_MAX + 1 + LMTP_DOMAIN_MAX)

/*
 * The names under which a recipient may be known, the first that exists counts: "user+detail@domain",
 * "user@domain", "user+detail", "user" (RFC 5233 section 1 for the detail).  The index runs from 0; false
 * when there is no further one.
 *
 *	name_out	LMTP_NAME_MAX octets
 */
bool lmtp_path_candidate(const struct lmtp_path *path, size_t index, uint8_t *name_out, size_t *length_out);

#endif
