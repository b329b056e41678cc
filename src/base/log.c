/*
 * One line an event, composed in memory and written by one write(2) so that lines of several threads
 * do not mix.  The last ones are kept for whoever asks later.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#define VALUE_MAX 512	/* longer values are cut: a log line is no dump */

/* The file-scope variables that change (STYLE section 6). */
static atomic_int level_max = LOG_LEVEL_INFO;
static struct {
	log_sink *write;
	void *context;
} sink;

/* A ring of the last lines, each behind the time at which it was written. */
static struct {
	pthread_mutex_t mutex;
	struct buffer lines[LOG_RECENT_MAX];
	size_t count;			/* ever written; the next goes to count % LOG_RECENT_MAX */
} recent = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

bool
log_is_on(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&level_max, memory_order_relaxed);
}

void
log_set_level(enum log_level level)
{
	atomic_store(&level_max, (int)level);
}

void
log_set_sink(log_sink *write, void *context)
{
	sink.write = write;
	sink.context = context;
}

static bool
is_plain(uint8_t octet)
{
	return octet > ' ' && octet < 0x7f && octet != '"' && octet != '\\' && octet != '=';
}

static void
add_value(struct buffer *line, struct span value)
{
	bool plain = value.length > 0;

	if (value.length > VALUE_MAX)
		value.length = VALUE_MAX;
	for (size_t i = 0; i < value.length && plain; i++)
		plain = is_plain(value.at[i]);
	if (plain) {
		buffer_add_span(line, value);
		return;
	}
	buffer_add_octet(line, '"');
	for (size_t i = 0; i < value.length; i++) {
		uint8_t octet = value.at[i];

		if (octet == '"' || octet == '\\')
			buffer_printf(line, "\\%c", octet);
		else if (octet < ' ' || octet >= 0x7f)
			buffer_printf(line, "\\x%02x", octet);
		else
			buffer_add_octet(line, octet);
	}
	buffer_add_octet(line, '"');
}

static void
recent_add(struct span line)
{
	time_t now_s = (time_t)clock_calendar_s();
	struct buffer *place;
	char time[32];
	struct tm parts;

	gmtime_r(&now_s, &parts);
	strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ ", &parts);
	pthread_mutex_lock(&recent.mutex);
	place = &recent.lines[recent.count++ % LOG_RECENT_MAX];
	buffer_clear(place);
	buffer_add_string(place, time);
	buffer_add_span(place, line);
	pthread_mutex_unlock(&recent.mutex);
}

void
log_recent(size_t count, void (*each)(struct span line, void *context), void *context)
{
	pthread_mutex_lock(&recent.mutex);
	if (count > LOG_RECENT_MAX)
		count = LOG_RECENT_MAX;
	if (count > recent.count)
		count = recent.count;
	for (size_t i = recent.count - count; i < recent.count; i++)
		each(buffer_span(&recent.lines[i % LOG_RECENT_MAX]), context);
	pthread_mutex_unlock(&recent.mutex);
}

void
log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	struct buffer line = { 0 };

	buffer_printf(&line, "level=%s ev=%s", level_names[level], event);
	for (const struct log_field *field = fields; field->key != NULL; field++) {
		if (field->kind == LOG_FIELD_SPAN && field->text.at == NULL)
			continue;
		buffer_printf(&line, " %s=", field->key);
		if (field->kind == LOG_FIELD_NUMBER)
			buffer_printf(&line, "%lld", (long long)field->number);
		else
			add_value(&line, field->text);
	}
	recent_add(buffer_span(&line));
	buffer_add_octet(&line, '\n');
	if (sink.write != NULL)
		sink.write(level, buffer_span(&line), sink.context);
	else if (write(STDERR_FILENO, line.at, line.length) < 0)
		line.length = 0;	/* nowhere is left to say it */
	buffer_free(&line);
}
