/*
 * What the files of room link share.
 *
 *	link.c		attempts of the cas, and the mailbox role of this process
 *	server.c	mailbox servers on other hosts: whether they are there
 *	port.c		where other hosts come in
 *	giveback.c	clients that the mailbox role has done with
 *	conversation.c	the lines that are said
 *	relay.c		attempts to log in at a server of another kind
 *	dialog.c	the lines that are said there
 *	home.c		what such a server is called
 *	key.c		the key file
 */
#ifndef LINK_INTERNAL_H
#define LINK_INTERNAL_H

#include "base/list.h"
#include "link/link.h"
#include "loop/loop.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/tls.h"

struct link {
	struct loop *loop;
	link_arrived *on_arrived;	/* NULL: no mailbox role here, or stopped */
	void *context;
	bool is_local;			/* there has been a mailbox role here */
	size_t attempts;
	struct link_patience patience;
	struct list servers;		/* struct server, in the order of naming */
	struct list ports;		/* struct port */
	struct list strangers;		/* struct stranger, oldest first */
	size_t stranger_count;
	struct list given;		/* struct given: links on their way back */
	link_lost *on_lost;
	void *lost_context;
	struct link_figures figures;
	struct tls_context *authorities[2];	/* for relays: those believed in; none at all.  NULL: not read yet */
	struct trust *trusts[2];		/* that are being read for both; relay.c */
};

/*
 * A mailbox server on another host, and the pulse: a connection of its own that asks it NOOP all the time.  The
 * pulse finds out what no other connection can, because those may rightly be silent for hours.
 */
struct server {
	struct list link;
	struct link *owner;
	char *name, *address;
	struct tls_context *tls;
	struct workers *compute;
	struct connector *connector;	/* of the pulse, like what follows */
	struct stream *stream;
	struct timer next;		/* the next question, or the next try to connect */
	struct timer limit;		/* of a try */
	struct timer silence;		/* since the last answer */
	uint64_t wait_ms;		/* before the next try, without jitter */
	uint64_t answered_us;		/* when it last answered the pulse */
	uint64_t asked_us;		/* when it was asked last; 0: it has answered */
	uint64_t rtt_us;		/* of the last question; 0: not known */
	uint64_t reconnects;		/* how often it was there again */
	bool was_up;			/* ever */
	bool is_down;			/* the last thing we know: it is not there */
	char reason[160];		/* why, as it was logged */
	bool is_known;			/* it has answered, and is not lost since */
	bool is_hurried;		/* somebody waits for what the try under way finds */
	int64_t since_s;		/* calendar; when is_down or is_known changed */
};

struct server *server_find(const struct link *link, struct span name);

/* Somebody who began at began_us could not reach it: unless the pulse has felt it since, believe that until it
 * does. */
void server_doubt(struct server *server, uint64_t began_us);

/* It has answered a login: that is as good as a pulse. */
void server_felt(struct server *server);

/* Speak TLS to a server on a stream that was connected to it. */
void server_start_tls(const struct server *server, struct stream *stream);

/* Begin or end to find out whether they are there. */
void servers_watch(struct link *link, bool is_wanted);

void link_servers_free(struct link *link);
void ports_free(struct link *link);
void given_free(struct link *link);

#endif
