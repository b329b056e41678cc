/*
 * What the process counts and measures: one row for each metric in src/metrics/table.c, one call where it happens.
 * The cells are static and never go back while the process runs, whatever is stopped and started in it.  Labels have
 * values of fixed tables only: no user, no address, nothing that a peer has said.  Any thread, without locks: an update
 * is one or two relaxed additions.
 *
 * Gauges, and what is counted elsewhere, have no cells: who is asked for all metrics tells them, by metrics/report.h.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric {
	METRIC_BUILD,
	METRIC_ROLE_RUNNING,
	METRIC_PROCESS_START, METRIC_PROCESS_CPU, METRIC_PROCESS_RESIDENT, METRIC_PROCESS_VIRTUAL,
	METRIC_PROCESS_DESCRIPTORS, METRIC_PROCESS_DESCRIPTORS_MAX, METRIC_PROCESS_THREADS,
	METRIC_LOOP_LAG, METRIC_QUEUE_DEPTH, METRIC_NEWS_DEPTH,
	METRIC_CONNECTIONS, METRIC_CONNECTIONS_ACTIVE, METRIC_CONNECTIONS_CLOSED,
	METRIC_RECEIVED, METRIC_SENT,
	METRIC_TLS_HANDSHAKES, METRIC_CERTIFICATE_EXPIRY,
	METRIC_LOGINS, METRIC_AUTH_DURATION, METRIC_LIMIT_HITS,
	METRIC_COMMANDS, METRIC_COMMAND_DURATION,
	METRIC_BACKEND_UP, METRIC_BACKEND_RTT, METRIC_BACKEND_RECONNECTS,
	METRIC_APPENDS, METRIC_APPEND_OCTETS,
	METRIC_DELIVERIES, METRIC_DELIVERY_OCTETS, METRIC_DELIVERY_DURATION,
	METRIC_COMMIT_DURATION, METRIC_FOLD_DURATION, METRIC_DB_OPEN, METRIC_DB_ERRORS, METRIC_RETAINED_LET_GO,
	METRIC_STORAGE_FREE, METRIC_STORAGE_SIZE, METRIC_PROBLEMS,
	METRIC_CACHE,
	METRIC_COUNT
};

/* The values of labels, by their index. */

enum metric_role { METRIC_CAS, METRIC_MAILBOX };

enum metric_listener {
	METRIC_LISTENER_IMAP, METRIC_LISTENER_IMAPS, METRIC_LISTENER_LMTP, METRIC_LISTENER_LINK, METRIC_LISTENER_CONTROL,
};

enum metric_state { METRIC_PRELOGIN, METRIC_AUTHENTICATED, METRIC_SELECTED, METRIC_IDLE, METRIC_LMTP };

enum metric_reason {
	METRIC_LOGOUT,			/* the client has said LOGOUT, or QUIT */
	METRIC_CLIENT_CLOSED,		/* without */
	METRIC_CONNECTION_LOST,
	METRIC_TLS_FAILED,
	METRIC_TIMEOUT,			/* not logged in in time, or idle for too long */
	METRIC_BAD_COMMANDS,		/* too many, or what is not IMAP */
	METRIC_LIMIT,
	METRIC_KICKED,			/* by the operator */
	METRIC_SERVER_STOPS,
	METRIC_LINK_LOST,		/* the mailbox server has gone */
	METRIC_STORAGE_FAILED,
};

enum metric_login { METRIC_LOGIN_OK, METRIC_LOGIN_FAILED, METRIC_LOGIN_UNAVAILABLE, METRIC_LOGIN_REFUSED };

enum metric_handshake { METRIC_HANDSHAKE_OK, METRIC_HANDSHAKE_RESUMED, METRIC_HANDSHAKE_FAILED };

enum metric_tls_version { METRIC_TLS_NONE, METRIC_TLS_12, METRIC_TLS_13 };

enum metric_condition { METRIC_OK, METRIC_NO, METRIC_BAD };	/* in the order of imap/writer.h */

enum metric_limit {
	METRIC_MAX_CONNECTIONS, METRIC_MAX_CONNECTIONS_PER_ADDRESS, METRIC_MAX_CONNECTIONS_PER_USER, METRIC_LMTP_SESSIONS,
	METRIC_PASSWORDS_WAITING, METRIC_LIMIT_BAD_COMMANDS, METRIC_MESSAGE_SIZE,
	METRIC_QUOTA, METRIC_COMMAND_CPU, METRIC_MESSAGE_LIMIT, METRIC_AUTOCONFIG, METRIC_LIMIT_OTHER,
};

enum metric_result { METRIC_DONE, METRIC_TEMPORARY, METRIC_PERMANENT };

enum metric_db_error { METRIC_DB_IO, METRIC_DB_FULL, METRIC_DB_CORRUPT, METRIC_DB_BUSY, METRIC_DB_DENIED };

enum metric_cache { METRIC_CACHE_PASSWORD, METRIC_CACHE_STATE, METRIC_CACHE_RENDERED };

enum metric_cache_result { METRIC_HIT, METRIC_MISS };

/* A command that is not known, or was not understood; others are the verb of imap/command.h and 1. */
#define METRIC_COMMAND_UNKNOWN 0
#define METRIC_COMMANDS_MAX   64
#define METRIC_MECHANISMS_MAX 16

#define METRIC_LABELS_MAX 2
#define METRIC_BOUNDS	  18	/* of histograms: their upper bounds in microseconds */
extern const uint64_t metric_bounds_us[METRIC_BOUNDS];

/* Cells of one histogram: what lies up to each bound and beyond the one before, what lies beyond all, and the sum. */
#define METRIC_HISTOGRAM_CELLS (METRIC_BOUNDS + 2)

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

/* A label's name, and its values in the order of the enums above; a value that is NULL does not occur. */
struct metric_label {
	const char *name;
	size_t count;
	const char *const *values;
};

struct metric_row {
	const char *name;
	const char *help;			/* a sentence */
	enum metric_kind kind;
	bool is_us;				/* microseconds, told as seconds */
	bool is_sparse;				/* the first label's values are told once something has happened */
	bool (*occurs)(size_t first, size_t second);	/* NULL: all values of one label occur with all of the other */
	const struct metric_label *labels[METRIC_LABELS_MAX];	/* NULL: there is none */
	_Atomic uint64_t *cells;		/* NULL: told by a report */
	size_t cell_count;
};

extern const struct metric_label metric_label_role;
extern const struct metric_row metric_rows[METRIC_COUNT];

/* Name the commands or mechanisms, which lower rooms do not know; once, before anything is told.  Static texts. */
void metrics_name_command(size_t index, const char *name);
void metrics_name_mechanism(size_t index, const char *name);

/* The place of a series among those of its metric. */
static inline size_t
metric_place(enum metric metric, size_t first, size_t second)
{
	const struct metric_label *label = metric_rows[metric].labels[1];

	return label == NULL ? first : first * label->count + second;
}

/* Count so many more; labels that the metric does not have are 0. */
static inline void
metric_add(enum metric metric, size_t first, size_t second, uint64_t amount)
{
	size_t place = metric_place(metric, first, second);

	assert(place < metric_rows[metric].cell_count);
	atomic_fetch_add_explicit(&metric_rows[metric].cells[place], amount, memory_order_relaxed);
}

static inline void
metric_count(enum metric metric, size_t first, size_t second)
{
	metric_add(metric, first, second, 1);
}

/* Something has taken so long. */
void metric_observe_us(enum metric metric, size_t first, uint64_t duration_us);

/* What a counter says now, for tests and for who shows it elsewhere. */
uint64_t metric_read(enum metric metric, size_t first, size_t second);

#endif
