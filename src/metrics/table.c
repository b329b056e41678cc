/*
 * The metrics: a row each.  What they mean for an operator is in imapd-metrics(7).
 */
#include "metrics/metrics.h"

#define COUNT_OF_VALUES(values) (sizeof (values) / sizeof (values)[0])
#define LABEL(name, values)	{ name, COUNT_OF_VALUES(values), values }

const uint64_t metric_bounds_us[METRIC_BOUNDS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
};

/* The values of labels; the enums of metrics.h are their indexes. */

static const char *const roles[] = { "cas", "mailbox" };
static const char *const listeners[] = { "imap", "imaps", "lmtp", "link", "control" };
static const char *const reasons[] = {
	"logout", "client-closed", "connection-lost", "tls-failed", "timeout", "bad-commands", "limit", "kicked",
	"server-stops", "link-lost", "storage-failed",
};
static const char *const login_results[] = { "ok", "failed", "unavailable", "refused" };
static const char *const handshake_results[] = { "ok", "resumed", "failed" };
static const char *const tls_versions[] = { "none", "1.2", "1.3" };
static const char *const conditions[] = { "ok", "no", "bad" };
static const char *const limits[] = {
	"max-connections", "max-connections-per-address", "max-connections-per-user", "lmtp-sessions",
	"passwords-waiting", "bad-commands", "message-size-limit",
	"quota", "command-cpu-limit", "message-limit", "autoconfig", "other",
};
static const char *const results[] = { "ok", "temporary", "permanent" };
static const char *const db_errors[] = { "io", "full", "corrupt", "busy", "denied" };
static const char *const caches[] = { "password", "state", "rendered" };
static const char *const cache_results[] = { "hit", "miss" };
static const char *commands[METRIC_COMMANDS_MAX] = { "unknown" };
static const char *mechanisms[METRIC_MECHANISMS_MAX];

const struct metric_label metric_label_role = LABEL("role", roles);
static const struct metric_label
	listener = LABEL("listener", listeners),
	reason = LABEL("reason", reasons),
	mechanism = LABEL("mech", mechanisms),
	login_result = LABEL("result", login_results),
	handshake_result = LABEL("result", handshake_results),
	tls_version = LABEL("version", tls_versions),
	command = LABEL("command", commands),
	condition = LABEL("result", conditions),
	limit = LABEL("limit", limits),
	result = LABEL("result", results),
	db_error = LABEL("kind", db_errors),
	cache = LABEL("cache", caches),
	cache_result = LABEL("result", cache_results);

/* Whose values a report tells. */
static const struct metric_label
	version = { "version", 0, NULL },
	state = { "state", 0, NULL },
	queue = { "queue", 0, NULL },
	certificate = { "certificate", 0, NULL },
	backend = { "backend", 0, NULL },
	problem = { "kind", 0, NULL };

/* What goes with what. */

static bool
has_listener(size_t role, size_t at)
{
	bool is_public = at == METRIC_LISTENER_IMAP || at == METRIC_LISTENER_IMAPS;

	return is_public == (role == METRIC_CAS);
}

static bool
has_reason(size_t role, size_t why)
{
	bool is_ours = why != METRIC_TLS_FAILED && why != METRIC_LINK_LOST;

	return role == METRIC_CAS ? why != METRIC_STORAGE_FAILED : is_ours;
}

static bool
has_version(size_t how, size_t tls)
{
	return (how == METRIC_HANDSHAKE_FAILED) == (tls == METRIC_TLS_NONE);
}

static bool
is_network(size_t at, size_t none)
{
	(void)none;
	return at != METRIC_LISTENER_CONTROL;
}

/* Cells are the file-scope variables that change: numbers that only grow, behind which there is nothing. */
#define CELLS(count) .cells = (_Atomic uint64_t[count]){ 0 }, .cell_count = (count)
#define BY(values)   COUNT_OF_VALUES(values)
#define HISTOGRAM(count) .kind = METRIC_HISTOGRAM, .is_us = true, CELLS((count) * METRIC_HISTOGRAM_CELLS)

const struct metric_row metric_rows[METRIC_COUNT] = {
	[METRIC_BUILD] = { "imapd_build_info", "The version that runs, and the roles that it plays; always 1.",
	    .kind = METRIC_INFO, .labels = { &version, &metric_label_role } },
	[METRIC_ROLE_RUNNING] = { "imapd_role_running", "Whether a service runs (1), or is stopped, failed, starting or draining (0).",
	    .kind = METRIC_GAUGE, .labels = { &metric_label_role } },
	[METRIC_PROCESS_START] = { "process_start_time_seconds", "When the process began, in seconds since 1970.",
	    .kind = METRIC_GAUGE, .is_us = true },
	[METRIC_PROCESS_CPU] = { "process_cpu_seconds_total", "CPU time that the process has used, of user and system together.",
	    .kind = METRIC_COUNTER, .is_us = true },
	[METRIC_PROCESS_RESIDENT] = { "process_resident_memory_bytes", "Memory of the process that is in RAM.", .kind = METRIC_GAUGE },
	[METRIC_PROCESS_VIRTUAL] = { "process_virtual_memory_bytes", "Size of the process's address space.", .kind = METRIC_GAUGE },
	[METRIC_PROCESS_DESCRIPTORS] = { "process_open_fds", "Open file descriptors.", .kind = METRIC_GAUGE },
	[METRIC_PROCESS_DESCRIPTORS_MAX] = { "process_max_fds", "How many file descriptors may be open.", .kind = METRIC_GAUGE },
	[METRIC_PROCESS_THREADS] = { "process_threads", "Threads of the process.", .kind = METRIC_GAUGE },
	[METRIC_LOOP_LAG] = { "imapd_event_loop_lag_seconds", "How late the event loop was for its timers.", HISTOGRAM(1) },
	[METRIC_QUEUE_DEPTH] = { "imapd_queue_depth", "Jobs that wait for a worker thread, by the pool, or for the directory.",
	    .kind = METRIC_GAUGE, .labels = { &queue } },
	[METRIC_NEWS_DEPTH] = { "imapd_notify_queue_depth", "Sessions with news that they have not been told yet.", .kind = METRIC_GAUGE },
	[METRIC_CONNECTIONS] = { "imapd_connections_total", "Connections that were let in.",
	    .kind = METRIC_COUNTER, .labels = { &metric_label_role, &listener }, .occurs = has_listener, CELLS(BY(roles) * BY(listeners)) },
	[METRIC_CONNECTIONS_ACTIVE] = { "imapd_connections_active", "Connections now.", .kind = METRIC_GAUGE, .labels = { &metric_label_role, &state } },
	[METRIC_CONNECTIONS_CLOSED] = { "imapd_connections_closed_total", "Connections that have ended, by the reason.",
	    .kind = METRIC_COUNTER, .labels = { &metric_label_role, &reason }, .occurs = has_reason, CELLS(BY(roles) * BY(reasons)) },
	[METRIC_RECEIVED] = { "imapd_received_bytes_total", "Octets that have come in by sockets, TLS included.",
	    .kind = METRIC_COUNTER, .labels = { &listener }, .occurs = is_network, CELLS(BY(listeners)) },
	[METRIC_SENT] = { "imapd_sent_bytes_total", "Octets that were sent by sockets, TLS included.",
	    .kind = METRIC_COUNTER, .labels = { &listener }, .occurs = is_network, CELLS(BY(listeners)) },
	[METRIC_TLS_HANDSHAKES] = { "imapd_tls_handshakes_total", "TLS handshakes with those who have connected to us.",
	    .kind = METRIC_COUNTER, .labels = { &handshake_result, &tls_version }, .occurs = has_version, CELLS(BY(handshake_results) * BY(tls_versions)) },
	[METRIC_CERTIFICATE_EXPIRY] = { "imapd_tls_cert_expiry_timestamp_seconds", "Until when a certificate is good, in seconds since 1970.",
	    .kind = METRIC_GAUGE, .labels = { &certificate } },
	[METRIC_LOGINS] = { "imapd_logins_total", "Logins that clients have tried, by mechanism and how they ended.",
	    .kind = METRIC_COUNTER, .is_sparse = true, .labels = { &mechanism, &login_result }, CELLS(BY(mechanisms) * BY(login_results)) },
	[METRIC_AUTH_DURATION] = { "imapd_auth_duration_seconds", "From LOGIN or AUTHENTICATE to what comes of it, without the delay after failures.",
	    HISTOGRAM(1) },
	[METRIC_LIMIT_HITS] = { "imapd_limit_hits_total", "How often a limit has stopped somebody.",
	    .kind = METRIC_COUNTER, .labels = { &limit }, CELLS(BY(limits)) },
	[METRIC_COMMANDS] = { "imapd_commands_total", "IMAP commands of clients that were answered.",
	    .kind = METRIC_COUNTER, .is_sparse = true, .labels = { &command, &condition }, CELLS(BY(commands) * BY(conditions)) },
	[METRIC_COMMAND_DURATION] = { "imapd_command_duration_seconds", "From when a command has come to its tagged reply; without IDLE.",
	    .is_sparse = true, .labels = { &command }, HISTOGRAM(BY(commands)) },
	[METRIC_BACKEND_UP] = { "imapd_backend_up", "Whether a mailbox server answers the cas (1) or not (0).",
	    .kind = METRIC_GAUGE, .labels = { &backend } },
	[METRIC_BACKEND_RTT] = { "imapd_backend_rtt_seconds", "How long a mailbox server took for its last answer to the cas's question whether it is there.",
	    .kind = METRIC_GAUGE, .is_us = true, .labels = { &backend } },
	[METRIC_BACKEND_RECONNECTS] = { "imapd_backend_reconnects_total", "How often a mailbox server was up again after it had been down.",
	    .kind = METRIC_COUNTER, .labels = { &backend } },
	[METRIC_APPENDS] = { "imapd_append_total", "Messages that APPEND and REPLACE have stored, and commands of these that were refused.",
	    .kind = METRIC_COUNTER, .labels = { &result }, CELLS(BY(results)) },
	[METRIC_APPEND_OCTETS] = { "imapd_append_bytes_total", "Octets of messages that were appended.", .kind = METRIC_COUNTER, CELLS(1) },
	[METRIC_DELIVERIES] = { "imapd_lmtp_deliveries_total", "Deliveries by LMTP, one for each recipient, by the reply.",
	    .kind = METRIC_COUNTER, .labels = { &result }, CELLS(BY(results)) },
	[METRIC_DELIVERY_OCTETS] = { "imapd_lmtp_delivered_bytes_total", "Octets of messages that were delivered, for each recipient.",
	    .kind = METRIC_COUNTER, CELLS(1) },
	[METRIC_DELIVERY_DURATION] = { "imapd_lmtp_delivery_duration_seconds", "From the end of a message by LMTP to the last reply for its recipients.",
	    HISTOGRAM(1) },
	[METRIC_COMMIT_DURATION] = { "imapd_commit_duration_seconds", "How long commits to the databases took, with their flush to the disk.",
	    HISTOGRAM(1) },
	[METRIC_FOLD_DURATION] = { "imapd_wal_checkpoint_duration_seconds", "How long it took to fold a write-ahead log into its file.", HISTOGRAM(1) },
	[METRIC_DB_OPEN] = { "imapd_db_open", "Users' files that are open.", .kind = METRIC_GAUGE },
	[METRIC_DB_ERRORS] = { "imapd_db_errors_total", "Errors of the databases, of users and of the directory.",
	    .kind = METRIC_COUNTER, .labels = { &db_error }, CELLS(BY(db_errors)) },
	[METRIC_RETAINED_LET_GO] = { "imapd_retained_let_go_total", "Messages that had left and were kept, and are not any more.",
	    .kind = METRIC_COUNTER, CELLS(1) },
	[METRIC_STORAGE_FREE] = { "imapd_storage_free_bytes", "Room on the file system of the data directory.", .kind = METRIC_GAUGE },
	[METRIC_STORAGE_SIZE] = { "imapd_storage_size_bytes", "Size of the file system of the data directory.", .kind = METRIC_GAUGE },
	[METRIC_PROBLEMS] = { "imapd_problems", "Problems that imapctl status lists, by their kind.", .kind = METRIC_GAUGE, .labels = { &problem } },
	[METRIC_CACHE] = { "imapd_cache_requests_total", "What was looked for in memory before work was done for it.",
	    .kind = METRIC_COUNTER, .labels = { &cache, &cache_result }, CELLS(BY(caches) * BY(cache_results)) },
};

void
metrics_name_command(size_t index, const char *name)
{
	assert(index < METRIC_COMMANDS_MAX);
	commands[index] = name;
}

void
metrics_name_mechanism(size_t index, const char *name)
{
	assert(index < METRIC_MECHANISMS_MAX);
	mechanisms[index] = name;
}
