/*
 * The verb trace: lines of sessions as they are said, until nobody wants them any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/clock.h"
#include "verbs.h"

#define SECONDS_MAX (30 * 86400)

enum field { TIME, SID, USER, ADDRESS, FROM, TEXT, FIELD_COUNT };

static const char *const keys[FIELD_COUNT + 1] = { "time", "sid", "user", "address", "from", "text", NULL };

/* "2026-11-29T03:12:45.678Z 6f1c2a9b0d3e C: a1 NOOP" */
static void
print_text(FILE *out, const struct span *fields)
{
	fprintf(out, "%.*s %.*s ", SPAN_ARGS(fields[TIME]), SPAN_ARGS(fields[SID]));
	if (span_equals(fields[FROM], SPAN("note")))
		fprintf(out, "-- %.*s %.*s ", SPAN_ARGS(fields[USER].length > 0 ? fields[USER] : SPAN("-")),
		    SPAN_ARGS(fields[ADDRESS]));
	else
		fputs(span_equals(fields[FROM], SPAN("client")) ? "C: " : "S: ", out);
	fprintf(out, "%.*s\n", SPAN_ARGS(fields[TEXT]));
}

/* An object of its own for each line: a reader need not wait for the end. */
static void
print_json(FILE *out, const struct order *order, struct span line)
{
	struct buffer object = { 0 };

	buffer_add_string(&object, "{\"schema\":1");
	records_write_json(&(struct answer){ .lines = &line, .line_count = 1 }, order->verb->kinds, &object);
	buffer_add_string(&object, "}\n");
	fwrite(object.at, 1, object.length, out);
	buffer_free(&object);
}

/* False: nobody takes it any more. */
static bool
print_line(FILE *out, const struct order *order, struct span line)
{
	struct arena *arena = arena_new();
	struct span fields[FIELD_COUNT];

	if (order->json != NULL)
		print_json(out, order, line);
	else if (record_fields(line, arena, "line", keys, fields))
		print_text(out, fields);
	arena_free(&arena);
	return fflush(out) == 0;
}

/* Standard output, or the file, which nobody else may read; NULL: that was said. */
static FILE *
open_output(const struct order *order)
{
	const char *path = order_value(order, OPTION_FILE);
	int descriptor;

	if (path == NULL)
		return stdout;
	descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (descriptor < 0) {
		complain("%s: %s", path, strerror(errno));
		return NULL;
	}
	return fdopen(descriptor, "a");
}

/* False: it is no number of seconds, and that was said. */
static bool
read_until(const struct order *order, uint64_t *until_ms_out)
{
	const char *text = order_value(order, OPTION_SECONDS);
	uint64_t seconds;

	*until_ms_out = 0;
	if (text == NULL)
		return true;
	if (!span_to_number(span_from_string(text), SECONDS_MAX, &seconds) || seconds == 0) {
		complain("--seconds takes a number from 1 to %d", SECONDS_MAX);
		return false;
	}
	*until_ms_out = clock_monotonic_us() / 1000 + seconds * 1000;
	return true;
}

static int
follow(const struct order *order, struct ctl *ctl, uint64_t until_ms, FILE *out)
{
	const struct span word = span_from_string(order->words[0]);
	struct span line;
	int code = ctl_report(ctl_call(ctl, "trace", &word, 1, (struct span){ NULL, 0 }));

	if (code != EX_OK)
		return code;
	while (ctl_read_on(ctl, until_ms, &line, &code)) {
		if (!print_line(out, order, line)) {
			complain("what was shown cannot be written: %s", strerror(errno));
			return EX_IOERR;
		}
	}
	return code;
}

int
run_trace(const struct order *order)
{
	uint64_t until_ms;
	struct ctl *ctl;
	FILE *out;
	int code;

	if (!read_until(order, &until_ms))
		return EX_USAGE;
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	if ((out = open_output(order)) == NULL) {
		ctl_close(&ctl);
		return EX_CANTCREAT;
	}
	code = follow(order, ctl, until_ms, out);
	if (out != stdout && fclose(out) != 0 && code == EX_OK)
		code = EX_IOERR;
	ctl_close(&ctl);
	return code;
}
