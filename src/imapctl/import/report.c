/*
 * The words and sums of an import.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"

struct report_box {
	struct buffer name;	/* UTF-8 */
	uint64_t imported, already;
};

void
report_free(struct report *report)
{
	buffer_free(&report->refusals);
	buffer_free(&report->differences);
	for (size_t i = 0; i < report->box_count; i++)
		buffer_free(&report->boxes[i].name);
	free(report->boxes);
}

void
report_what(const struct report *report, const char *path, const struct source *source, bool is_guess)
{
	struct span what = buffer_span(&source->what);

	if (report->json != NULL) {
		buffer_printf(report->json, ",\"format\":\"%s\",\"taken-for\":", source->kind);
		json_add_string(report->json, what);
	} else if (is_guess) {
		fprintf(stderr, "%s: taken for %.*s\n", path, SPAN_ARGS(what));
	}
}

void
report_would(struct report *report, struct span mailbox, uint64_t imported, uint64_t already)
{
	struct buffer name = { 0 };
	size_t i = 0;

	imap_utf7_decode(mailbox, &name);
	while (i < report->box_count && !span_equals(buffer_span(&report->boxes[i].name), buffer_span(&name)))
		i++;
	if (i == report->box_count) {
		report->boxes = memory_resize(report->boxes, ++report->box_count, sizeof *report->boxes);
		report->boxes[i] = (struct report_box){ .name = name };
		name = (struct buffer){ 0 };
	}
	buffer_free(&name);
	report->boxes[i].imported += imported;
	report->boxes[i].already += already;
	report->imported += imported;
	report->already += already;
}

static void
add_json(struct buffer *out, struct span origin, const char *key, struct span text)
{
	if (out->length > 0)
		buffer_add_octet(out, ',');
	buffer_add_string(out, "{\"origin\":");
	json_add_string(out, origin);
	json_add_text(out, key, text);
	buffer_add_octet(out, '}');
}

void
report_refusal(struct report *report, struct span origin, struct span reason)
{
	complain("%.*s: not imported: %.*s", SPAN_ARGS(origin), SPAN_ARGS(reason));
	add_json(&report->refusals, origin, "reason", reason);
}

void
report_difference(struct report *report, struct span origin, struct span what)
{
	report->differing++;
	if (report->json != NULL)
		add_json(&report->differences, origin, "what", what);
	else
		printf("%.*s: %.*s\n", SPAN_ARGS(origin), SPAN_ARGS(what));
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
add_json_boxes(const struct report *report, struct buffer *out)
{
	buffer_add_string(out, ",\"mailboxes\":[");
	for (size_t i = 0; i < report->box_count; i++) {
		buffer_printf(out, "%s{\"mailbox\":", i > 0 ? "," : "");
		json_add_string(out, buffer_span(&report->boxes[i].name));
		buffer_printf(out, ",\"imported\":%llu,\"already\":%llu}", (unsigned long long)report->boxes[i].imported,
		    (unsigned long long)report->boxes[i].already);
	}
	buffer_add_octet(out, ']');
}

static void
print_comparison_json(const struct report *report)
{
	struct buffer *out = report->json;

	buffer_printf(out, ",\"compared\":%llu,\"differences\":[", (unsigned long long)report->compared);
	buffer_add_span(out, buffer_span(&report->differences));
	buffer_add_octet(out, ']');
}

static void
print_json(const struct report *report, const struct source *source)
{
	struct buffer *out = report->json;

	buffer_printf(out, ",\"imported\":%llu,\"already\":%llu,\"unreadable\":%llu",
	    (unsigned long long)report->imported, (unsigned long long)report->already,
	    (unsigned long long)report->unreadable);
	if (report->changed + report->expunged > 0)
		buffer_printf(out, ",\"changed\":%llu,\"expunged\":%llu", (unsigned long long)report->changed,
		    (unsigned long long)report->expunged);
	if (report->is_comparison)
		print_comparison_json(report);
	buffer_add_string(out, ",\"refused\":[");
	buffer_add_span(out, buffer_span(&report->refusals));
	buffer_add_string(out, "],\"notes\":[");
	for (size_t i = 0; i < source->note_count; i++) {
		if (i > 0)
			buffer_add_octet(out, ',');
		add_json_note(out, &source->notes[i]);
	}
	buffer_add_octet(out, ']');
	if (report->is_dry)
		add_json_boxes(report, out);
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
	for (size_t i = 0; i < report->box_count; i++)
		printf("%.*s: %llu to import, %llu there already\n", SPAN_ARGS(buffer_span(&report->boxes[i].name)),
		    (unsigned long long)report->boxes[i].imported, (unsigned long long)report->boxes[i].already);
	if (report->is_comparison)
		printf("%llu compared, %llu differ", (unsigned long long)report->compared, (unsigned long long)report->differing);
	else
		printf("%llu %s, %llu there already", (unsigned long long)report->imported,
		    report->is_dry ? "would be imported" : "imported", (unsigned long long)report->already);
	print_count(report->changed, "with other flags");
	print_count(report->expunged, "expunged");
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
