/*
 * What doctor finds, and what its files share: how grave it is, a sentence, and the command that mends it.
 */
#ifndef IMAPCTL_FINDING_H
#define IMAPCTL_FINDING_H

#include "../ctl/order.h"
#include "base/arena.h"
#include "base/buffer.h"

struct config;

enum severity {
	NOTE,			/* could be better; the exit status is 0 all the same */
	WARNING,		/* will go wrong, or does so for some */
	WRONG,			/* goes wrong now */
};

struct doctor {
	const struct order *order;
	const struct config *config;
	struct arena *arena;
	bool is_running;		/* a server answers */
	long pid;			/* of it; 0: not known */
	unsigned found;			/* what is more than a note */
	struct buffer records;		/* of the JSON object */
};

/*
 * Tell of a finding.
 *
 *	command	that mends it, or looks closer
 *	format	of a sentence without a full stop
 */
void finding(struct doctor *doctor, enum severity severity, const char *command, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Text that lives as long as the doctor. */
const char *doctor_text(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A call of imapctl with the configuration where it is not the usual one, and these words. */
const char *doctor_imapctl(struct doctor *doctor, const char *words);

/* The examinations.  configuration.c, and certificates.c: files that the configuration names; host.c: the host and its
 * folders; server.c: the server that runs, if one does; names.c: the zone of a domain. */
void doctor_configuration(struct doctor *doctor);
void doctor_certificates(struct doctor *doctor);
void doctor_host(struct doctor *doctor);
void doctor_server(struct doctor *doctor);
void doctor_names(struct doctor *doctor, const char *domain);

/* running.c: whether a server that runs has what its files say, and whether all of its log is kept. */
void doctor_drift(struct doctor *doctor);
void doctor_journal(struct doctor *doctor);

/* server.c: whether somebody takes a connection there, within 3 s for each address. */
bool doctor_reaches(const char *host, const char *port);

#endif
