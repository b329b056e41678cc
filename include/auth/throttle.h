/*
 * How long the answer to a failed login is held back: 2, 4, 8 and then 15 seconds for each further
 * failure from the same address or for the same user.  A success is never held back, so nobody can lock
 * out a user by guessing.  Bounded tables: the entry unused for longest makes room.  Loop thread.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include "base/span.h"

struct throttle;

/* Failures are forgotten so long after the last one. */
#define THROTTLE_MEMORY_S 900

/* capacity: addresses, and as many users. */
struct throttle *throttle_new(size_t capacity);
void throttle_free(struct throttle **throttle);

/*
 * Whom to count as one: octets for an IPv4 address, and for all of an IPv6 /64.
 *
 *	address	 as for throttle_failed(); what is given back lives as long as both
 */
struct span throttle_place(const char *address, uint8_t octets_out[16]);

/*
 * Note a failure and tell how long to wait before saying so.
 *
 *	address	 numeric, without port; all of an IPv6 /64 counts as one, and ::ffff:a.b.c.d as a.b.c.d
 *	user	 as the client gave it; may be empty
 *	now_us	 clock_monotonic_us()
 */
uint32_t throttle_failed(struct throttle *throttle, const char *address, struct span user,
    uint64_t now_us);

/*
 * Note a success: the user's failures are forgotten.  Those of the address stay, since somebody who
 * guesses may have an account, too.
 */
void throttle_succeeded(struct throttle *throttle, struct span user);

#endif
