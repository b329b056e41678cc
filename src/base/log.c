/*
 * One line an event, composed in memory and written by one write(2) so that lines of several threads
 * do not mix.  The last ones are kept for whoever asks later.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buffer.h"
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

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load(&level_max);
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

bool
log_find_level(struct span name, enum log_level *level_out)
{
	for (size_t i = 0; i < COUNT_OF(level_names); i++) {
		if (!span_equals(name, span_from_string(level_names[i])))
			continue;
		*level_out = (enum log_level)i;
		return true;
	}
	return false;
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

void
log_lines(enum log_level level, struct span lines)
{
	char prefix[LOG_PREFIX_SIZE] = "";
	struct buffer text = { 0 };

	if (log_is_journal())
		log_prefix(level, prefix);
	while (lines.length > 0) {
		size_t end = span_find(lines, '\n');

		buffer_add_string(&text, prefix);
		buffer_add_span(&text, span_slice(lines, 0, end));
		buffer_add_octet(&text, '\n');
		lines = span_from(lines, end + 1);
	}
	if (text.length > 0 && write(STDERR_FILENO, text.at, text.length) < 0)
		text.length = 0;	/* nowhere is left to say it */
	buffer_free(&text);
}

static void
recent_add(struct span line)
{
	struct buffer *place;
	char time[LOG_PREFIX_SIZE];

	log_time(time);
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

uint64_t
log_recent_after(uint64_t after, uint64_t *lost_out, void (*each)(struct span line, void *context), void *context)
{
	uint64_t count, first;

	pthread_mutex_lock(&recent.mutex);
	count = recent.count;
	first = count > LOG_RECENT_MAX ? count - LOG_RECENT_MAX : 0;
	*lost_out = after < first ? first - after : 0;
	for (uint64_t i = after > first ? after : first; i < count; i++)
		each(buffer_span(&recent.lines[i % LOG_RECENT_MAX]), context);
	pthread_mutex_unlock(&recent.mutex);
	return count;
}

void
log_recent_dump(int file, size_t count)
{
	if (pthread_mutex_trylock(&recent.mutex) != 0)
		return;
	for (size_t i = recent.count < count ? 0 : recent.count - count; i < recent.count; i++) {
		const struct buffer *line = &recent.lines[i % LOG_RECENT_MAX];

		if (write(file, line->at, line->length) < 0 || write(file, "\n", 1) < 0)
			break;
	}
	pthread_mutex_unlock(&recent.mutex);
}

/* What standard error gets. */
static void
write_line(enum log_level level, struct span line)
{
	struct buffer whole = { 0 };
	char prefix[LOG_PREFIX_SIZE];

	log_prefix(level, prefix);
	buffer_add_string(&whole, prefix);
	buffer_add_span(&whole, line);
	if (write(STDERR_FILENO, whole.at, whole.length) < 0)
		whole.length = 0;	/* nowhere is left to say it */
	buffer_free(&whole);
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
	else
		write_line(level, buffer_span(&line));
	buffer_free(&line);
}
