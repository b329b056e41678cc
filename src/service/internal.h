/*
 * What the files of room service share.
 *
 *	service.c	making, running and ending all parts
 *	roles.c		a service: stopped, starting, running, draining, failed
 *	kinds.c		what is different between cas and mailbox
 *	remember.c	what was asked of a service, over a restart
 *	requests.c	the verbs start, stop, drain, restart, services
 *	logging.c	the verbs log
 *	sessions.c	the verbs who, kick
 *	whom.c		... whom they mean
 *	looking.c	the verb trace
 *	supervisor.c	what systemd is told
 *	check.c		whether a configuration can be served with
 *	check_ports.c	whether its ports are free
 *	check_data.c	whether its data directory can be used
 *	certificates.c	whether its certificates and keys can be used
 *	validity.c	until when certificates are good
 *	privileges.c	who we are, what we may open
 *	directories.c	the directory that the configuration names
 *	tokens.c	whose tokens are believed
 *	secret.c	what this host alone knows
 *	links.c		the link between hosts
 *	reload.c	another configuration while running
 *	users.c		the verbs user add, passwd, set, show, list
 *	user_options.c	... and what may be said of a user
 *	user_import.c	the verb user import
 *	user_rename.c	the verb user rename
 *	first_user.c	a user who is made while no server runs
 *	aliases.c	the verbs alias add, remove, list
 *	alias_import.c	the verb alias import
 *	groups.c	the verbs group add, remove, list
 *	name_job.c	... what both share
 *	entry.c		the verbs user entry, restore
 *	remains.c	the verbs user del, orphans, purge
 *	status.c	the verb status
 *	problems.c	what is wrong, for it
 *	measures.c	what metrics do not count themselves
 *	stats.c		the verbs metrics and stats
 *	history.c	... and the last hour of them, for the page
 *	endpoint.c	... and where Prometheus asks
 *	page.c		the operator's page
 *	readiness.c	whether clients should be sent here
 *	crashes.c	reports of faults that ended a process
 */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include <sys/types.h>

#include "auth/token.h"
#include "cas/cas.h"
#include "config/config.h"
#include "control/control.h"
#include "control/protocol_log.h"
#include "control/trace.h"
#include "directory/directory.h"
#include "link/link.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "mailbox/mailbox.h"
#include "metrics/report.h"
#include "net/tls.h"
#include "web/web.h"

enum role_state { ROLE_STOPPED, ROLE_STARTING, ROLE_RUNNING, ROLE_DRAINING, ROLE_FAILED };

struct service;

#define ASKED_BY_SIZE 64
#define SECRET_LENGTH 32

/* What is different between the two services; kinds.c. */
struct role_figures {
	uint64_t connections, sessions, logins;
};

struct role_kind {
	const char *name;
	enum config_role bit;

	/* Take what only one process may have.  Blocks.  NULL: nothing. */
	bool (*prepare)(const char *data_directory, struct mailbox_lock *lock_out, char **error_out);

	/* Make the part, bind its ports, register its verbs.  Takes the lock. */
	bool (*open)(struct service *service, const struct mailbox_lock *lock, char **error_out);

	/* Send everybody away; may be called again with less time. */
	void (*drain)(struct service *service, uint64_t over_ms, void (*on_stopped)(void *context),
	    void *context);

	/* Free the part, once it has stopped; its verbs then say so. */
	void (*close)(struct service *service);

	/* Only while it is open. */
	void (*count)(const struct service *service, struct role_figures *figures_out);
	const char *(*listener)(const struct service *service, size_t index);
};

enum { ROLE_CAS, ROLE_MAILBOX, ROLE_COUNT };
extern const struct role_kind role_kinds[ROLE_COUNT];

/* What was asked of a service, and its file. */
struct memo {
	bool is_known;			/* somebody has asked */
	bool is_wanted;
	int64_t since_s;
	char asked_by[ASKED_BY_SIZE];
	char *path;
	struct job job;			/* writes text */
	struct buffer text;
	bool is_writing, is_stale;
};

struct role {
	struct service *service;
	const struct role_kind *kind;
	enum role_state state;
	bool is_played;			/* by this process at all */
	bool must_restart, is_gone, is_behind_cas;
	uint64_t over_ms;		/* of the drain that was asked for last */
	int64_t since_s;		/* calendar; when the state was entered */
	char *error;			/* why the last start failed; NULL: it did not */
	struct memo memo;
	struct list waits;		/* calls to be answered when it is at rest; requests.c */
	struct deferred again;
	struct job prepare;		/* STARTING */
	const char *data_directory;	/* of the configuration in force when it began */
	struct mailbox_lock lock;
	char *prepare_error;
	bool is_prepared;
};

struct service {
	const char *path, *role;
	struct config *config;
	struct list retired;		/* configurations that parts may still point into */
	uint64_t began_us;
	int64_t began_calendar_us;

	struct loop *loop;
	struct workers *storage, *compute;
	struct workers *guests;		/* see cas_parts */
	struct workers *ldap;		/* NULL without directory ldap */
	struct workers *names;		/* a name server that is silent keeps nobody else waiting */
	struct workers *reports;	/* metrics and readiness: whatever else is slow is to be seen there */
	struct workers *checks;		/* see mailbox_parts */
	struct directory *directory;	/* for the queue's jobs */
	struct job_queue *directory_queue;
	struct directory *mailbox_directory;	/* the mailbox role's own */
	struct link *link;
	struct tls_context *tls;
	struct tls_context *http_tls;	/* the same certificates for autoconfig-listen https; NULL: there is none */
	struct token_rules *tokens;	/* NULL: none are believed */
	uint8_t secret[SECRET_LENGTH];
	struct control *control;
	struct web *web;
	struct history *history;	/* history.c; NULL: there is no page */
	struct protocol_log *protocol_log;	/* NULL: there is none */
	struct traces traces;		/* who looks on what sessions say */
	struct cas *cas;		/* NULL: not a role of this process; so with the next */
	struct mailbox_role *mailbox;

	struct {
		unsigned recent;	/* in the last week, as the process began */
		int64_t last_s;
		char *path;		/* of the last report; NULL: there is none */
	} crashes;

	struct role roles[ROLE_COUNT];
	struct list statuses;		/* calls that wait; status.c */
	struct list scrapes;		/* stats.c */
	struct http *endpoints[2];	/* endpoint.c: on a Unix socket, and on the loopback */
	struct timer lag_probe;
	struct timer tick;		/* supervisor.c */
	char status[160];		/* what systemd was told last */
	bool is_stopping;
	bool is_reloading;
	bool is_reload_wanted;		/* SIGHUP came meanwhile */
	unsigned jobs;			/* of this room, not yet home */
};

/* Log an error that ends the start; takes the text. */
void service_complain(const char *event, char *error);

/* Each warning is an event. */
void service_log_warnings(const struct config_problems *problems);

/*
 * validity.c: append what is wrong with a certificate now, as "expired 3 days ago, on 2026-11-20"; nothing when all
 * is well.
 *
 *	name	that it should be for
 */
void certificate_add_trouble(const struct tls_validity *validity, const char *name, struct buffer *out);

/* The name that clients are told to ask for; NULL: nobody has said so. */
const char *certificate_name(const struct config *config);

/* In how many days the first certificate for clients expires; below zero: it has.  False: there is none. */
bool certificates_end(const struct service *service, int64_t *days_out);

/* Their records for the verb status. */
void certificates_tell(const struct role *role, struct control_call *call);

/* The certificate of a configuration; NULL without error when it has none. */
struct tls_context *service_tls(const struct config *config, char **error_out);

/* The same for autoconfig-listen https; NULL without error when there is none. */
struct tls_context *service_http_tls(const struct config *config, char **error_out);

/* directories.c; for the mailbox role the directory gives mailbox ids to new users.  False: logged. */
bool service_open_directory(const struct config *config, bool gives_mailboxes,
    struct directory **directory_out);

/* tokens.c; NULL: the configuration has no issuer, or a file cannot be used, which is noted.  Blocks. */
struct token_rules *service_tokens(const struct config *config, struct config_problems *problems);

/* secret.c; reads or makes the file in the data directory.  One that cannot be used is logged, and a secret for this
 * time alone takes its place.  Blocks. */
void service_read_secret(const struct config *config, uint8_t secret_out[SECRET_LENGTH]);

/* roles.c */
void role_init(struct role *role, struct service *service, const struct role_kind *kind);
void role_fini(struct role *role);
const char *role_state_name(enum role_state state);

/* The start with the process, in two steps: as the configured user, then with the right to bind ports.
 * False: *error_out, given.  What is not wanted stays stopped. */
bool role_prepare_now(struct role *role, char **error_out);
bool role_open_now(struct role *role, char **error_out);

/* Ask for a state; what it takes happens later. */
void role_ask(struct role *role, bool is_wanted, bool must_restart, uint64_t over_ms, const char *asked_by);

/* The process ends. */
void role_end(struct role *role);

/* Neither on its way to another state nor about to be. */
bool role_is_at_rest(const struct role *role);

/* remember.c; memo_read() blocks. */
void memo_read(struct memo *memo, const char *data_directory, const char *name);
void memo_write(struct role *role);
void memo_fini(struct memo *memo);

/* requests.c */
void requests_register(struct service *service);
void requests_answer(struct role *role);

/* logging.c */
void logging_register(struct service *service);

/* sessions.c */
void sessions_register(struct service *service);

/* looking.c; looking_on_begin() is before the roles are made, looking_on_end() behind them.  looking_take(): a cas on another
 * host looks on sessions here, see mailbox_look. */
void looking_register(struct service *service);
void looking_on_begin(struct service *service);
void looking_on_end(struct service *service);
void looking_take(struct stream *stream, struct span word, void *service);

/* service.c: a role has come to rest while the process ends. */
void service_end(struct service *service);

/* supervisor.c */
void supervisor_begin(struct service *service);
void supervisor_tell_status(struct service *service);
void supervisor_tell_reload(bool is_begun);
void supervisor_end(struct service *service);

/* problems.c: something that is wrong with a service; texts that do not apply are NULL. */
struct problem {
	const char *kind, *user, *path;
	int64_t since_s;
	uint64_t times;
	const char *text;
};

/* Call back for each; the service is open. */
typedef void problem_each(const struct role *role, const struct problem *problem, void *context);
void problems_walk(const struct role *role, problem_each *each, void *context);

/* ... a record for each mailbox server on another host, each server of another kind that users are relayed to, and each thing that is wrong with a service. */
void problems_tell_servers(const struct role *role, struct control_call *call);
void problems_tell_relays(const struct role *role, struct control_call *call);
void problems_tell(const struct role *role, struct control_call *call);
void problems_tell_crashes(const struct role *role, struct control_call *call);

/* validity.c: certificates, as they are configured: call back with the option's name, or that of the host, and until when it is good. */
typedef void certificate_each(const char *name, int64_t ends_s, void *context);
void certificates_walk(const struct service *service, certificate_each *each, void *context);

/* measures.c: tell a report what the loop knows; and what only a worker may look for, for one data directory. */
void measures_add(const struct service *service, struct metrics_report *report);
void measures_add_process(const char *data_directory, struct metrics_report *report);

/*
 * stats.c: all metrics in a form, gathered on a worker; who asks while that is under way gets the same.
 *
 *	text	whole lines, borrowed until return
 */
enum stats_form { STATS_PROMETHEUS, STATS_OPENMETRICS, STATS_RECORDS, STATS_FORM_COUNT };
typedef void stats_ready(struct span text, void *context);
void stats_ask(struct service *service, enum stats_form form, stats_ready *on_ready, void *context);
void stats_register(struct service *service);
void stats_begin(struct service *service);

/*
 * readiness.c: whether the services that this process plays can serve clients now; lines that say so of each, or what
 * is wrong, borrowed until return.  Calls back later.
 */
typedef void readiness_known(bool is_ready, struct span lines, void *context);
void readiness_ask(struct service *service, readiness_known *on_known, void *context);

/* endpoint.c: serve metrics over HTTP.  False: *error_out, given, names the address and why. */
bool endpoint_open(struct service *service, char **error_out);
void endpoint_close(struct service *service);

/* The same at the addresses of the configuration now.  False: so, too, and the old ones stay. */
bool endpoint_reload(struct service *service, char **error_out);

/* page.c: the operator's page, if there is to be one; as with the endpoint. */
bool page_open(struct service *service, char **error_out);
bool page_reload(struct service *service, char **error_out);
void page_close(struct service *service);

/* history.c: take samples, once begun, until the end; and the verb that tells them. */
void history_begin(struct service *service);
void history_end(struct service *service);
void history_register(struct service *service);

/* page.c: serve HTTP at the addresses of an option, as http_listen_at() has it. */
bool listen_locally(struct http *http, const struct config_listeners *wanted, char **error_out);

/* roles.c: whether it serves clients, as it may while it drains. */
bool role_is_open(const struct role *role);

/* status.c: when, as 2026-11-23T21:00:00Z. */
void status_add_time(struct buffer *line, const char *key, int64_t calendar_s);

/*
 * links.c: name the mailbox servers and the ports of the link; the roles make use of them.  Reads files.
 *
 *	owner	who may own the key, beside root
 *
 * False: *error_out, given, says why.
 */
bool service_open_links(struct service *service, uid_t owner, char **error_out);

/* Why what proves us to other hosts cannot be used, given; NULL: it can, or nothing does.  Blocks. */
char *service_check_links(const struct config *config);

/* privileges.c */
struct identity {
	const char *user;		/* of the configuration; NULL: the one we are */
	uid_t uid;
	gid_t gid;
	bool is_change;			/* we are not that user */
	gid_t *own_groups;		/* while it is borrowed: those to return to */
	int own_count;
};

/* Find out who the configuration wants us to be.  False: there is nobody of that name; logged. */
bool identity_find(const struct config *config, struct identity *identity_out);

/*
 * Make and read files as that user, in its groups, then be root again for ports below 1024.  False: logged; it takes
 * root.
 */
bool identity_borrow(struct identity *identity);
bool identity_return(struct identity *identity);

/* For good; but the right to bind ports below 1024 stays, for services that are started later. */
bool identity_become(const struct identity *identity);

/* As many descriptors as the system permits. */
void raise_descriptor_limit(void);

/* reload.c: the verb, and what SIGHUP does. */
void reload_begin(struct service *service, struct control_call *call);
void reload_register(struct service *service);
void reload_forget(struct service *service);

/* users.c; what an outcome of the directory is for an operator; a name that cannot be one; end the sessions of a user */
void users_register(struct service *service);
void users_finish(struct control_call *call, enum directory_status status);
void users_refuse_name(struct control_call *call);
void users_send_lines(struct control_call *call, struct span lines);	/* each ends with a line feed */
void users_tell(struct buffer *lines, struct span record, const char *key, struct span value, const char *other_key,
    struct span other_value);	/* append the line of a record; other_key may be NULL */
void users_end_sessions(struct service *service, struct span user);

/* user_import.c */
void user_import_register(struct service *service);

/* user_rename.c */
void user_rename_register(struct service *service);

/* groups.c */
void groups_register(struct service *service);
void alias_import_register(struct service *service);

/* aliases.c; tell the aliases of a user, records "alias name=": worker; lines, each with a line feed. */
void aliases_register(struct service *service);
enum directory_status aliases_tell(struct directory *directory, struct span user, struct buffer *lines);

/* remains.c */
void remains_register(struct service *service);

/* entry.c */
void entry_register(struct service *service);
/* kinds.c: the verbs about moves say that nobody here knows of any. */
void kinds_forget_moves(struct service *service);

/* kinds.c: whether the mailbox service runs in this process. */
bool service_has_mailboxes(const struct service *service);

/*
 * crashes.c: look once for reports in the data directory, and drop the oldest above some.  Blocks.  The verb crash
 * tells the last one.
 */
void crashes_look(struct service *service);
void crashes_register(struct service *service);

/* Whether there was one within the last week. */
bool crashes_are_recent(const struct service *service);

/* status.c; status_forget(): answer the calls that wait, before the control socket goes. */
void status_register(struct service *service);
void status_forget(struct service *service);

#endif
