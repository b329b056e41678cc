/*
 * The words and sums of an import.
 */
#include "report.h"

#include <stdio.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"

void
report_free(struct report *report)
{
	buffer_free(&report->refusals);
}

void
report_refusal(struct report *report, struct span origin, struct span reason)
{
	struct buffer *out = &report->refusals;

	complain("%.*s: not imported: %.*s", SPAN_ARGS(origin), SPAN_ARGS(reason));
	if (out->length > 0)
		buffer_add_octet(out, ',');
	buffer_add_string(out, "{\"origin\":");
	json_add_string(out, origin);
	buffer_add_string(out, ",\"reason\":");
	json_add_string(out, reason);
	buffer_add_octet(out, '}');
}

static const char *const note_names[] = {
	[NOTE_LEFT_OUT] = "left out",
	[NOTE_NOT_TAKEN_OVER] = "not taken over",
	[NOTE_DOUBTFUL] = "doubtful",
};

static uint64_t
count_notes(const struct source *source, enum note_kind kind)
{
	uint64_t count = 0;

	for (size_t i = 0; i < source->note_count; i++) {
		if (source->notes[i].kind == kind)
			count += source->notes[i].count;
	}
	return count;
}

static void
add_json_note(struct buffer *out, const struct note *note)
{
	buffer_add_string(out, "{\"kind\":\"");
	buffer_add_string(out, note_names[note->kind]);
	buffer_add_string(out, "\",\"what\":");
	json_add_string(out, buffer_span(&note->what));
	buffer_printf(out, ",\"count\":%llu,\"first\":", (unsigned long long)note->count);
	json_add_string(out, buffer_span(&note->first));
	buffer_add_octet(out, '}');
}

static void
print_json(const struct report *report, const struct source *source)
{
	struct buffer *out = report->json;

	buffer_printf(out, ",\"imported\":%llu,\"already\":%llu,\"unreadable\":%llu,\"refused\":[",
	    (unsigned long long)report->imported, (unsigned long long)report->already,
	    (unsigned long long)report->unreadable);
	buffer_add_span(out, buffer_span(&report->refusals));
	buffer_add_string(out, "],\"notes\":[");
	for (size_t i = 0; i < source->note_count; i++) {
		if (i > 0)
			buffer_add_octet(out, ',');
		add_json_note(out, &source->notes[i]);
	}
	buffer_add_octet(out, ']');
}

static void
print_count(uint64_t count, const char *what)
{
	if (count > 0)
		printf(", %llu %s", (unsigned long long)count, what);
}

void
report_print(const struct report *report, const struct source *source)
{
	for (size_t i = 0; i < source->note_count; i++) {
		const struct note *note = &source->notes[i];

		complain("%llu %s: %.*s (first: %.*s)", (unsigned long long)note->count,
		    note_names[note->kind], SPAN_ARGS(buffer_span(&note->what)),
		    SPAN_ARGS(buffer_span(&note->first)));
	}
	if (report->json != NULL) {
		print_json(report, source);
		return;
	}
	printf("%llu imported, %llu there already", (unsigned long long)report->imported,
	    (unsigned long long)report->already);
	print_count(report->refused, "refused");
	print_count(report->unreadable, "not readable");
	print_count(count_notes(source, NOTE_LEFT_OUT), note_names[NOTE_LEFT_OUT]);
	putchar('\n');
}

static bool
is_nothing(const struct report *report, const struct source *source)
{
	return report->imported + report->already == 0 && report->refused == 0 && report->unreadable == 0 &&
	    count_notes(source, NOTE_LEFT_OUT) == 0;
}

int
report_code(const struct report *report, const struct source *source)
{
	if (report->refused > 0 || count_notes(source, NOTE_DOUBTFUL) > 0)
		return EX_DATAERR;
	if (report->unreadable > 0)
		return EX_NOINPUT;
	if (is_nothing(report, source)) {
		complain("no message was found");
		return EX_NOINPUT;
	}
	return EX_OK;
}
