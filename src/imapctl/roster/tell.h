/*
 * What has become of each line, for people and programs: never a password, and no hash.
 */
#ifndef IMAPCTL_ROSTER_TELL_H
#define IMAPCTL_ROSTER_TELL_H

#include "../ctl/ctl.h"
#include "base/arena.h"

struct order;
struct roster;

/* Whose line it is. */
struct told {
	uint64_t number;
	struct span name;
};

struct tell {
	const struct order *order;
	struct arena *arena;
	struct answer records;		/* for --json */
	size_t capacity;
	uint64_t added, updated, there, refused, passed_over;
};

void roster_tell_init(struct tell *tell, const struct order *order);
void roster_tell_fini(struct tell *tell);

/* A line was refused here; with a scheme of passwords, if that is why. */
void roster_tell_refusal(struct tell *tell, uint64_t number, struct span name, struct span scheme, const char *why);

/* The server has said what has become of a user. */
void roster_tell_state(struct tell *tell, const struct told *user, struct span state);

/* Say the sums, and what was passed over of a roster, which may be NULL.  Returns the exit code: the one given, or EX_DATAERR when some were refused. */
int roster_tell_end(struct tell *tell, const struct roster *roster, int code);

#endif
