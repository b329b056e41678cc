/*
 * The head of a request: request line and header fields.  RFC 9112 sections 2 to 6.  Pure; any thread.
 */
#ifndef HEAD_H
#define HEAD_H

#include "base/arena.h"

#define HEAD_LINE_MAX	8192	/* RFC 9112 section 3: at least 8,000 octets */
#define HEAD_MAX	16384
#define HEAD_FIELDS_MAX 64

struct head_field {
	struct span name, value;
};

struct head {
	size_t length;			/* what the head takes of the input */
	struct span method, path, query;
	struct span host;		/* of the target, or else of the field Host; empty: HTTP/1.0 has none */
	unsigned minor;			/* HTTP/1.minor: 0 or 1 */
	bool has_query;
	bool closes;			/* the client asks for no more than this on the connection */
	bool expects_continue;
	uint64_t body_length;
	struct head_field fields[HEAD_FIELDS_MAX];
	size_t field_count;
};

/* What is wrong, as an answer says it. */
struct head_fault {
	unsigned status;
	const char *text;
};

enum head_outcome {
	HEAD_NEED_MORE,
	HEAD_DONE,
	HEAD_WRONG,		/* where the next request would begin is unknown: answer and close */
};

/*
 * Read the head at the front of the input.  The same octets have the same outcome however they arrive in pieces, but
 * that a fault may be told before the end of the head.
 *
 *	head_out	spans point into the input; complete at HEAD_DONE only
 */
enum head_outcome head_parse(struct span input, struct head *head_out, struct head_fault *fault_out);

/* A field by its name in any case; empty when there is none. */
struct span head_field(const struct head *head, const char *name);

/* "localhost", "127.0.0.1" or "[::1]", with or without a port: a way to this machine that no name server has a say in. */
bool head_is_host_local(struct span host);

#endif
