/*
 * What the verb health finds out, as its files share it: health_status.c what the server says of itself, health_probe.c what
 * comes of asking as a client does, health_report.c how it is told.  Blocking.
 */
#ifndef IMAPCTL_HEALTH_H
#define IMAPCTL_HEALTH_H

#include "base/arena.h"
#include "findings.h"
#include "verbs.h"

enum health_state { HEALTHY, DISABLED, DEGRADED, UNHEALTHY };	/* from good to bad */

enum health_set {
	SET_IMAP, SET_PROXY, SET_PROTOCOL, SET_STORE, SET_TRANSPORT, SET_AUTODISCOVER, SET_ECP, SET_MONITORING, SET_COUNT
};

extern const char *const health_set_names[SET_COUNT];

struct rtt {
	struct rtt *next;
	const char *labels;		/* "backend=mbx1" */
	uint64_t us;
};

struct health {
	const struct order *order;
	struct ctl *ctl;
	struct arena *arena;
	struct findings probes, components;
	enum health_state sets[SET_COUNT];
	bool is_asked[SET_COUNT];	/* there is such a thing here */
	char cas[32], mailbox[32];	/* states of the services; empty: not played here */
	struct span *listeners;		/* "imaps 127.0.0.1:993" */
	size_t listener_count;
	uint64_t free_octets;		/* UINT64_MAX: not known */
	struct rtt *rtts;		/* of the last answers of mailbox servers */
	char trouble[400];		/* of a trial */
	uint64_t us;
};

/* Note what a probe or a monitor of a set has come to; error is empty where all is well. */
void health_add(struct health *health, enum health_set set, const char *name, const char *target, enum health_state state,
    uint64_t us, const char *error);

/* Note the state of a service, in the words of Get-ServerComponentState. */
void health_add_component(struct health *health, const char *name, const char *state);

/* A field of a record, in the arena; NULL: the line is none of this kind. */
const char *health_field(struct health *health, struct span line, const char *kind, const char *key);

/* Print what was noted.  Gives the exit code. */
int health_tell(struct health *health);

/* Take what the verbs stats and status have answered; stats first, whose times status tells with. */
void health_take_stats(struct health *health, const struct answer *answer);
void health_take_status(struct health *health, const struct answer *answer);

/* Whether there is room where mail is kept. */
void health_look_at_disk(struct health *health);

/* Try a port where clients come. */
void health_probe_listener(struct health *health, struct span listener);

/* Try the other ports of the configuration, and find those of which the server does not know. */
void health_probe_configured(struct health *health);

/* Log in, append, fetch and delete as a user who is there for this alone. */
void health_probe_deeply(struct health *health);

#endif
