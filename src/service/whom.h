/*
 * The sessions that a word of an operator means: verbs who, kick and trace.
 */
#ifndef WHOM_H
#define WHOM_H

#include "config/config.h"
#include "control/session.h"
#include "directory/directory.h"

struct whom {
	struct span word;		/* a name, a session id, an address or a network; empty: everybody */
	struct directory_name user;	/* empty: it cannot be a name */
	bool is_network;
	struct config_network network;
	struct span client;		/* a part of its ID, in any case */
	bool takes_strangers;		/* without a word */
};

/* The word is borrowed for as long as the result is used. */
void whom_init(struct whom *whom, struct span word);

bool whom_fits(const struct whom *whom, const struct session_facts *facts);

#endif
