/*
 * The LDAP servers of a site as one: connections that wait for the next question, and which servers
 * answer.  Any number of workers at a time; every call may wait for the network.
 */
#ifndef SERVERS_H
#define SERVERS_H

#include <ldap.h>

#include "directory/directory.h"

struct servers;

/* A connection on which users have been bound is never searched with, and the other way round. */
enum servers_use {
	SERVERS_SEARCH,		/* bound as the service, when it has a name */
	SERVERS_BIND,		/* for the user's own bind */
	SERVERS_USE_COUNT
};

/*
 *	settings	borrowed until return
 *	password	of settings->bind_dn; copied
 */
struct servers *servers_new(const struct directory_ldap_settings *settings, struct span password);

/* Accepts NULL, leaves NULL behind. */
void servers_free(struct servers **servers);

/* Ask one server and return LDAP's result code.  May be called again, for another server. */
typedef int servers_question(LDAP *ldap, void *context);

/*
 * Put a question to the first server that is up.  A server that does not answer in time, closes, or is
 * busy (RFC 4511 section 4.1.9) is left alone for a while and the next one asked.
 *
 * LDAP_SERVER_DOWN: none answered.  Otherwise what the question returned.
 */
int servers_ask(struct servers *servers, enum servers_use use, servers_question *question, void *context);

#endif
