/*
 * The log: one line an event on standard error, `level=info ev=login sid=... user=...`.  Values are
 * quoted and escaped where they hold anything but plain printing ASCII, so a peer cannot forge a line.
 * In front stands the time, or, where standard error is systemd's journal, which has a time of its own, the
 * priority as `<6>` (sd-daemon(3)).  Secrets never come here.  Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/span.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *key;	/* NULL ends the list; a field whose value is NULL text is left out */
	enum { LOG_FIELD_SPAN, LOG_FIELD_NUMBER } kind;
	struct span text;
	int64_t number;
};

static inline struct log_field
log_text(const char *key, const char *value)
{
	return (struct log_field){ key, LOG_FIELD_SPAN,
		value == NULL ? (struct span){ NULL, 0 } : span_from_string(value), 0 };
}

static inline struct log_field
log_span(const char *key, struct span value)
{
	return (struct log_field){ key, LOG_FIELD_SPAN, value, 0 };
}

static inline struct log_field
log_number(const char *key, int64_t value)
{
	return (struct log_field){ key, LOG_FIELD_NUMBER, { NULL, 0 }, value };
}

/*
 * Write one event.
 *
 *	log_info("login", log_text("sid", sid), log_span("user", name), log_number("ms", 12));
 *
 * The event is a word of the page LOG EVENTS in imapd(8): stable, for filters to match.
 */
#define log_error(event, ...)	LOG_EVENT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) LOG_EVENT(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)	LOG_EVENT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)	LOG_EVENT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#define LOG_EVENT(level, event, ...)                                                               \
	do {                                                                                       \
		if (log_is_on(level))                                                              \
			log_event(level, event,                                                    \
			    (const struct log_field[]){ __VA_ARGS__, { NULL, 0, { NULL, 0 }, 0 } }); \
	} while (0)

void log_event(enum log_level level, const char *event, const struct log_field *fields);
bool log_is_on(enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warning", "info" or "debug"; and back: false, it is none. */
const char *log_level_name(enum log_level level);
bool log_find_level(struct span name, enum log_level *level_out);

/* What stands in front of a line: for who must write one without memory. */
#define LOG_PREFIX_SIZE 32
void log_prefix(enum log_level level, char out[LOG_PREFIX_SIZE]);

/* Now, as 2026-11-23T21:00:00.125Z and a space. */
void log_time(char out[LOG_PREFIX_SIZE]);

/* Whether standard error is systemd's journal. */
bool log_is_journal(void);

/* Write lines that are no events to standard error: as they are, in the journal with their priority. */
void log_lines(enum log_level level, struct span lines);

/*
 * The last lines, whatever became of standard error: for an operator's console.
 *
 *	each	called for up to count lines, oldest first, without line ends; must not log
 */
#define LOG_RECENT_MAX 200
void log_recent(size_t count, void (*each)(struct span line, void *context), void *context);

/*
 * Those that have been written since.
 *
 *	after	what this returned last: how many there have been; UINT64_MAX: none but those to come
 *	lost_out	how many of them are kept no more
 */
uint64_t log_recent_after(uint64_t after, uint64_t *lost_out, void (*each)(struct span line, void *context), void *context);

/* The same to a descriptor, without waiting for anybody: for a process that ends. */
void log_recent_dump(int file, size_t count);

/* Where tests look on: replaces standard error; NULL puts it back.  The line ends in a newline. */
typedef void log_sink(enum log_level level, struct span line, void *context);
void log_set_sink(log_sink *sink, void *context);

#endif
