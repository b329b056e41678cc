/*
 * Whether a password is that of an entry in LDAP.  Any number of workers at a time; waits for the network.
 */
#ifndef BIND_H
#define BIND_H

#include "servers.h"

/*
 * As directory_verify().
 *
 *	base		of all entries, a pattern: for somebody who does not exist
 *	credential	the entry's distinguished name; empty: nobody
 */
enum directory_status bind_verify(struct servers *servers, const char *base, struct span credential,
    struct span password, bool *is_match_out);

#endif
