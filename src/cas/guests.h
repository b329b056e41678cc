/*
 * How often programs that set themselves up may come and ask: they show no password, so nothing else bounds what they cost.
 * Counted in windows of time, each address by itself and all together.  Pure.
 */
#ifndef CAS_GUESTS_H
#define CAS_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#define GUESTS_WINDOW_MS   2000
#define GUESTS_ADDRESS_MAX 50		/* a program comes and asks some ten times: five at once behind one address */
#define GUESTS_MAX	   200

struct map;

struct guests {
	struct map *by_address;		/* counts.c: within the window; NULL: nobody yet */
	uint64_t began_us;		/* the window */
	unsigned count;			/* within it */
};

enum guests_verdict {
	GUESTS_WELCOME,
	GUESTS_TOO_OFTEN,		/* this address */
	GUESTS_TOO_MANY,		/* all together: nobody is to come until the window is over */
};

void guests_fini(struct guests *guests);

/*
 * Count that somebody comes, or asks.
 *
 *	address	of the peer; those of this host are no single program but a proxy, and counted with all alone
 *	now_us	clock_monotonic_us()
 */
enum guests_verdict guests_count(struct guests *guests, const char *address, uint64_t now_us);

/* How long until the window is over; 0: it is. */
uint64_t guests_rest_ms(const struct guests *guests, uint64_t now_us);

#endif
