/*
 * What the files of the check share.
 */
#ifndef CHECK_H
#define CHECK_H

#include "internal.h"
#include "net/holder.h"
#include "service/service.h"

struct check {
	const struct config *config;
	struct config_problems *problems;
	const struct service_occasion *occasion;
	bool is_blind;			/* another user than we are will read the files, and we cannot become it */
	struct holder server;		/* the process that answers to imapctl; no pid: none does */
};

/* check_ports.c: whether somebody else listens where we shall. */
void check_ports(struct check *check);

/* check_data.c: whether somebody else uses the data directory, or it is damaged. */
void check_data(const struct check *check);

/* certificates.c: certificates, keys and authorities, as we can read them. */
void check_certificates(const struct check *check);

#endif
