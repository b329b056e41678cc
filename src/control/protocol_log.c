/*
 * Lines of the protocol log, gathered until a worker has written those before.  Loop thread, but for work().
 */
#include "control/protocol_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "loop/job.h"
#include "protocol_file.h"

#define WAITING_MAX (4 * 1024 * 1024)	/* octets; more are lost */

struct protocol_log {
	struct workers *workers;
	struct map *numbers;		/* uint64_t: the next event of each session, by its id */
	struct buffer waiting;
	struct job job;
	bool is_writing;
	bool has_failed;		/* and that was said */
	uint64_t lost;			/* octets, since then */
	struct buffer lines;		/* of the job, as are the next */
	struct protocol_file file;
	int error;			/* 0: they are written */
};

struct protocol_log *
protocol_log_new(const struct protocol_log_settings *settings)
{
	struct protocol_log *log = NEW(struct protocol_log);

	log->workers = settings->workers;
	log->numbers = map_new();
	protocol_file_init(&log->file, settings->folder, settings->size_octets, settings->time_s);
	return log;
}

static void
work(struct job *job)
{
	struct protocol_log *log = CONTAINER_OF(job, struct protocol_log, job);

	log->error = protocol_file_write(&log->file, buffer_span(&log->lines)) ? 0 : errno;
}

static void begin(struct protocol_log *log);

/* A disk that is full says so once, and once more when it is over. */
static void
note_outcome(struct protocol_log *log)
{
	if (log->error != 0)
		log->lost += log->lines.length;
	if (log->error != 0 && !log->has_failed)
		log_warning("protocol-log-failed", log_text("path", log->file.folder), log_text("reason", strerror(log->error)));
	if (log->error == 0 && log->lost > 0) {
		log_warning("protocol-log-lost", log_text("path", log->file.folder), log_number("octets", (int64_t)log->lost));
		log->lost = 0;
	}
	log->has_failed = log->error != 0;
}

static void
on_done(struct job *job)
{
	struct protocol_log *log = CONTAINER_OF(job, struct protocol_log, job);

	log->is_writing = false;
	note_outcome(log);
	buffer_clear(&log->lines);
	if (log->waiting.length > 0)
		begin(log);
}

static void
take_waiting(struct protocol_log *log)
{
	struct buffer empty = log->lines;

	log->lines = log->waiting;
	log->waiting = empty;
}

static void
begin(struct protocol_log *log)
{
	take_waiting(log);
	log->is_writing = true;
	log->job.work = work;
	log->job.done = on_done;
	workers_submit(log->workers, &log->job);
}

void
protocol_log_free(struct protocol_log **log)
{
	struct protocol_log *freed = *log;
	size_t position = 0;
	struct span key;
	void *number;

	*log = NULL;
	if (freed == NULL)
		return;
	if (freed->waiting.length > 0) {
		take_waiting(freed);
		work(&freed->job);
	}
	protocol_file_close(&freed->file);
	while (map_next(freed->numbers, &position, &key, &number))
		free(number);
	map_free(&freed->numbers);
	buffer_free(&freed->waiting);
	buffer_free(&freed->lines);
	free(freed);
}

/* Numbers begin with the session; what the mailbox role says of one that its cas has ended already has none. */
static uint64_t
take_number(struct protocol_log *log, const struct protocol_event *event)
{
	uint64_t *next = map_get(log->numbers, event->sid), number = next == NULL ? 0 : *next;

	if (next == NULL && event->is_own && !event->is_last) {
		next = NEW(uint64_t);
		map_put(log->numbers, event->sid, next);
	}
	if (next != NULL)
		(*next)++;
	if (event->is_last)
		free(map_remove(log->numbers, event->sid));
	return number;
}

/* As RFC 4180 has it; what is not printable ASCII was escaped, but for names. */
static void
add_field(struct buffer *line, struct span text)
{
	bool is_quoted = span_find(text, ',') < text.length || span_find(text, '"') < text.length;

	if (is_quoted)
		buffer_add_octet(line, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"')
			buffer_add_octet(line, '"');
		if (text.at[i] >= ' ' && text.at[i] <= '~')
			buffer_add_octet(line, text.at[i]);
		else
			buffer_printf(line, "\\x%02x", text.at[i]);
	}
	buffer_add_string(line, is_quoted ? "\"," : ",");
}

/* "192.0.2.1:993", "[2001:db8::1]:993" */
static void
add_address(struct buffer *line, const char *address, uint64_t port)
{
	const char *format = address != NULL && strchr(address, ':') != NULL ? "[%s]:%llu," : "%s:%llu,";

	if (address == NULL)
		buffer_add_octet(line, ',');
	else
		buffer_printf(line, format, address, (unsigned long long)port);
}

/* "a1 UID FETCH 1:* FLAGS" is `uid fetch` and `1:* FLAGS`; the tag stands with the answer. */
static void
add_command(struct buffer *line, struct span text)
{
	size_t end;

	text = span_from(text, span_find(text, ' ') + 1);
	end = span_find(text, ' ');
	if (span_starts_with_nocase(text, SPAN("UID ")))
		end += 1 + span_find(span_from(text, end + 1), ' ');
	for (size_t i = 0; i < end && i < text.length; i++)
		buffer_add_octet(line, ascii_lower(text.at[i]));
	buffer_add_octet(line, ',');
	add_field(line, span_from(text, end + 1));
}

/* "a1 OK done" is R=OK; what is wrong is told: R="a1 NO no such mailbox". */
static void
add_context(struct buffer *line, struct span answer)
{
	struct span condition = span_from(answer, span_find(answer, ' ') + 1);
	struct buffer text = { 0 };

	if (span_starts_with(condition, SPAN("OK")))
		buffer_add_string(&text, "R=OK");
	else if (answer.length > 0)
		buffer_printf(&text, "R=\"%.*s\"", SPAN_ARGS(answer));
	add_field(line, buffer_span(&text));
	buffer_free(&text);
}

void
protocol_log_add(struct protocol_log *log, const struct protocol_event *event)
{
	struct buffer *line = &log->waiting;
	uint64_t number = take_number(log, event);
	char time[LOG_PREFIX_SIZE];

	if (line->length > WAITING_MAX) {
		log->lost += event->command.length;
		return;
	}
	log_time(time);
	time[strcspn(time, " ")] = '\0';
	buffer_printf(line, "%s,", time);
	add_field(line, event->sid);
	buffer_printf(line, "%llu,", (unsigned long long)number);
	add_address(line, event->local_address, event->local_port);
	add_address(line, event->address, event->port);
	add_field(line, event->user);
	buffer_printf(line, "%llu,%llu,%llu,", (unsigned long long)(event->duration_us / 1000),
	    (unsigned long long)event->rq_octets, (unsigned long long)event->rp_octets);
	if (event->is_own)
		buffer_printf(line, "%.*s,,", SPAN_ARGS(event->command));
	else
		add_command(line, event->command);
	add_context(line, event->context);
	buffer_add_octet(line, '\n');
	if (!log->is_writing)
		begin(log);
}
