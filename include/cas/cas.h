/*
 * The client access role: a client before login, and the pipe to its mailbox after it.  Keeps no mail.
 * Loop thread; passwords are checked by compute workers.
 */
#ifndef CAS_CAS_H
#define CAS_CAS_H

#include "control/session.h"

struct buffer;
struct config;
struct control;
struct directory;
struct job_queue;
struct link;
struct loop;
struct tls_context;
struct token_rules;
struct protocol_log;
struct traces;
struct workers;

struct cas;

/* What the role is made of; all borrowed until cas_free(). */
struct cas_parts {
	struct loop *loop;
	struct workers *compute;	/* TLS, passwords */
	struct workers *guests;		/* TLS of programs that set themselves up: what they cost is theirs alone */
	struct workers *storage;	/* a directory that checks passwords itself is asked there */
	struct workers *names;		/* servers that users are relayed to are looked up there */
	struct directory *directory;	/* used by jobs of the queue below only */
	struct job_queue *directory_queue;	/* runs each job's work(), one at a time */
	struct link *link;
	struct tls_context *tls;		/* NULL: no TLS on any port */
	struct tls_context *http_tls;		/* likewise, for programs that set themselves up */
	struct token_rules *tokens;	/* whose tokens are believed; NULL: nobody's */
	struct traces *traces;		/* who looks on; NULL: nobody can */
	struct protocol_log *protocol_log;	/* NULL: there is none */
	struct span secret;		/* of this host, the same after each start: for salts of users unknown; copied */
	const struct config *config;
};

struct cas *cas_new(const struct cas_parts *parts);

/*
 * Bind the configured ports, all or none.  They accept from now on.
 *
 * False: *error_out, given, names the address and why.  May need the privilege to bind below 1024.
 */
bool cas_listen(struct cas *cas, char **error_out);

/*
 * Use another configuration, certificate and rules for tokens for what comes from now on.  Ports are opened and closed as it says, and
 * users who are denied now leave.
 *
 *	problems_out	gets a line for each port that cannot be opened; the others are served
 */
void cas_reload(struct cas *cas, const struct config *config, struct tls_context *tls, struct tls_context *http_tls,
    struct token_rules *tokens, struct buffer *problems_out);

/*
 * Stop accepting, tell every client BYE and close; calls back once the last one has gone, never before
 * it returns.
 */
typedef void cas_stopped(void *context);
void cas_stop(struct cas *cas, cas_stopped *on_stopped, void *context);

/*
 * As cas_stop(), but whoever is logged in leaves when the command under way has been answered, and with a
 * BYE of the cas's own.  They leave one by one, spread over a time; who still uploads stays till its end.
 * What then goes on is cut a few seconds later.
 *
 *	over_ms	0: all at once; called again while draining, it only sets another time
 */
void cas_drain(struct cas *cas, uint64_t over_ms, cas_stopped *on_stopped, void *context);

/*
 * A user may not log in any more: whoever is logged in as that one gets BYE once the command under way is
 * answered, and whoever is about to log in gets it at once.  Users of this process's own mailbox role are left to
 * mailbox_role_end_user().
 */
void cas_end_user(struct cas *cas, struct span user);

/*
 * The verbs move start, watch, cancel and status, until cas_free(); what was ordered and has not come to its end goes on.
 * Once, when it listens.
 */
void cas_register(struct cas *cas, struct control *control);

/*
 * A user is to get another name, as was noted by directory_rename_begin(): every mailbox server on another host is asked, then
 * the directory is changed, then every server is told.  Calls back, at once or later: refused, and nothing has changed;
 * or switched, and after that told, or waits when one of them does not answer: then this goes on, also with the next process.
 *
 *	why	with refused and waits: a sentence; borrowed
 */
struct directory_rename;
enum cas_renaming { CAS_RENAME_REFUSED, CAS_RENAME_SWITCHED, CAS_RENAME_TOLD, CAS_RENAME_WAITS };
typedef void cas_renamed(enum cas_renaming outcome, const char *why, void *context);
void cas_rename(struct cas *cas, const struct directory_rename *rename, cas_renamed *on_renamed, void *context);

/* Only before cas_listen() or after on_stopped. */
void cas_free(struct cas **cas);

/*
 * Walk the clients, those who are logged in or the others, in the order in which they came to be that: control/session.h.
 * Returns where to go on.
 */
uint64_t cas_walk_sessions(struct cas *cas, bool is_logged_in, uint64_t after, session_each *each, void *context);

/*
 * Send away whom is_meant says so of: who is logged in, when the command under way has been answered; the others at once.
 * Returns where to go on.
 */
uint64_t cas_kick(struct cas *cas, bool is_logged_in, uint64_t after, struct session_kick *kick);

/* Traces have begun or ended: control/trace.h. */
void cas_onlook(struct cas *cas);

/*
 * Logins that failed, one after the other, though nothing was wrong with them: because the directory did not
 * answer, until it does; or because a mailbox server that is there did not let them in, until one does.
 */
enum cas_outage_cause { CAS_OUTAGE_DIRECTORY, CAS_OUTAGE_MAILBOX_SERVER, CAS_OUTAGE_COUNT };
struct cas_outage {
	uint64_t logins;		/* 0: the last one went well */
	int64_t since_s;		/* calendar */
	char reason[80];		/* of the last one */
};

/* Figures for the status. */
struct cas_status {
	uint64_t connections;		/* now */
	uint64_t sessions;		/* of them logged in */
	uint64_t logins, failures;	/* since the start */
	struct cas_outage outages[CAS_OUTAGE_COUNT];
};
void cas_status(const struct cas *cas, struct cas_status *status_out);

/* Figures of a server of another kind that users are relayed to, since the start. */
struct cas_relay {
	const char *server;		/* "imaps://old.example.org:993"; borrowed */
	uint64_t sessions;		/* now */
	uint64_t logins;
	struct cas_outage outage;	/* logins that failed there, though nothing was wrong with them */
};

/* Walk them in the order in which they were needed first; false past the end. */
bool cas_relay(const struct cas *cas, size_t index, struct cas_relay *relay_out);

/* Walk the addresses listened on: "imaps [::]:993"; NULL past the end. */
const char *cas_listener(const struct cas *cas, size_t index);

#endif
