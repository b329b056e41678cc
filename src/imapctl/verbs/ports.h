/*
 * The ports of this host's configuration that are not for IMAP clients, tried one after the other.
 */
#ifndef PORTS_H
#define PORTS_H

#include "config/config.h"

enum port_result { PORT_ANSWERS, PORT_IS_SILENT, PORT_NOT_TRIED };

struct port_report {
	const char *health_set, *probe;	/* names of the verb health; static */
	const char *target;		/* "lmtp 127.0.0.1:24" */
	enum port_result result;
	uint64_t us;
	const char *error;		/* a sentence; empty: PORT_ANSWERS */
};

/* The report is borrowed. */
typedef void port_told(const struct port_report *report, void *context);

/*
 * Try them.
 *
 *	cas, mailbox	states of the services; empty: not played here, and their ports are left out
 *	timeout_s	how long one may be silent
 */
void ports_try(const struct config *config, const char *cas, const char *mailbox, unsigned timeout_s, port_told *told,
    void *context);

#endif
