/*
 * The protocol log: a line for each command, in files with the columns of Exchange Server 2013's protocol log for IMAP4.
 * Lines are gathered on the loop and written by a worker; what cannot be written is lost, and that is logged.  Loop thread.
 */
#ifndef CONTROL_PROTOCOL_LOG_H
#define CONTROL_PROTOCOL_LOG_H

#include <stdint.h>

#include "base/span.h"

struct protocol_log;
struct workers;

struct protocol_log_settings {
	const char *folder;		/* made when it is missing; like the rest borrowed */
	uint64_t size_octets;		/* of all files in it: the oldest go */
	uint64_t time_s;		/* older files go */
	struct workers *workers;
};

struct protocol_log *protocol_log_new(const struct protocol_log_settings *settings);

/* Writes what is left; behind workers_free(), so that nothing is under way.  Accepts NULL, leaves NULL behind. */
void protocol_log_free(struct protocol_log **log);

/*
 * One event.  Texts are borrowed, and redacted by who gives them: imap/redact.h.
 *
 *	command, parameters	of "a1 SELECT INBOX": it is split here; or a word of its own, with is_own
 *	is_last		the session is over: its numbers are forgotten
 */
struct protocol_event {
	struct span sid, user;
	const char *local_address, *address;	/* numeric; NULL: not known */
	uint64_t local_port, port;
	uint64_t duration_us, rq_octets, rp_octets;
	struct span command;
	bool is_own, is_last;
	struct span context;		/* the answer, "a1 OK done" */
};

void protocol_log_add(struct protocol_log *log, const struct protocol_event *event);

#endif
