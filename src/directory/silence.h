/*
 * An end to waiting for a server that says nothing.
 */
#ifndef SILENCE_H
#define SILENCE_H

#include <ldap.h>

/* For how long to wait each time; lives as long as the handles it was given to. */
struct silence {
	struct ldap_conncb on_connected;
	int limit_ms;
};

void silence_init(struct silence *silence, unsigned limit_s);

/* Have every read and write of the handle's connections fail after the limit.  LDAP's result code. */
int silence_limit(LDAP *ldap, struct silence *silence);

#endif
