/*
 * What one connection of the load generator does again and again, and on what terms.
 */
#ifndef WORK_H
#define WORK_H

#include "client.h"

#define SAMPLES_MAX 1000000

struct letter {
	char *octets;		/* as APPEND has it */
	size_t length;
	char *stuffed;		/* as DATA has it (RFC 5321 section 4.5.2) */
	size_t stuffed_length;
};

/* The same for all connections. */
struct plan {
	int port;
	enum client_tls tls;
	bool is_deflated, is_warm;
	bool is_anew;			/* another connection and login for each operation */
	unsigned first_user, users, connections, depth, messages, recipients;
	const char *mailbox;		/* that is selected, or appended to; with "%u": the connection's own */
	const char *workload;
	double seconds;
	uint64_t operations_max;	/* of each connection */
	struct letter *letters;
	unsigned letter_count;
	uint64_t salt;			/* no two runs store the same message */
};

struct worker {
	const struct plan *plan;
	unsigned number;
	struct client client;
	uint64_t operations, octets, rounds;	/* octets: that were sent or received */
	uint32_t *samples_us;
	size_t sample_count;
};

struct work {
	const char *name;
	/* What comes before the clock starts. */
	void (*prepare)(struct worker *worker);
	/* One round; it reports what it took by work_sample(). */
	void (*operate)(struct worker *worker);
};

/* The work of this name; another name is a template of IMAP commands, see work.c. */
const struct work *work_find(const char *name);
/* So many operations have taken the time since then. */
void work_sample(struct worker *worker, double begun_s, unsigned operations);
/* Read the messages of a file that letters.c has written. */
void work_read_letters(struct plan *plan, const char *path);

#endif
