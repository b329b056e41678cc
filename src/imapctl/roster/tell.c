/*
 * The words of user import and alias import.  A file may be wrong in each of a million lines: the first of them are told.
 */
#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "control/words.h"
#include "roster.h"

#define REFUSALS_MAX 1000

void
roster_tell_init(struct tell *tell, const struct order *order)
{
	*tell = (struct tell){ .order = order, .arena = arena_new() };
}

void
roster_tell_fini(struct tell *tell)
{
	free(tell->records.lines);
	arena_free(&tell->arena);
}

static void
keep(struct tell *tell, struct buffer *record)
{
	if (tell->records.line_count == tell->capacity) {
		tell->capacity = 2 * tell->capacity + 16;
		tell->records.lines = memory_resize(tell->records.lines, tell->capacity, sizeof *tell->records.lines);
	}
	tell->records.lines[tell->records.line_count++] = arena_copy(tell->arena, buffer_span(record));
	buffer_free(record);
}

void
roster_tell_refusal(struct tell *tell, uint64_t number, struct span name, struct span scheme, const char *why)
{
	struct buffer text = { 0 }, record = { 0 };

	if (++tell->refused > REFUSALS_MAX)
		return;
	if (scheme.length > 0)
		buffer_printf(&text, "%.*s: ", SPAN_ARGS(scheme));
	buffer_add_string(&text, why);
	complain("line %llu%s%.*s: %s", (unsigned long long)number, name.length > 0 ? ", " : "", SPAN_ARGS(name),
	    buffer_string(&text));
	control_add_word(&record, SPAN("refusal"));
	control_add_number(&record, "line", (int64_t)number);
	control_add_field(&record, "name", name);
	control_add_field(&record, "reason", buffer_span(&text));
	keep(tell, &record);
	buffer_free(&text);
}

void
roster_tell_state(struct tell *tell, const struct told *user, struct span state)
{
	static const struct {
		struct span state;
		const char *text;
	} refusals[] = {
		{ SPAN("alias"), "the name is an alias" },
		{ SPAN("bad-alias"), "not an alias: a name as of a user, or @ and a domain" },
		{ SPAN("bad-name"), "not a name for a user: 1 to 255 octets of UTF-8, no space" },
		{ SPAN("bad-password"), "a password has 1 to 1024 octets and no NUL" },
		{ SPAN("bad-quota"), "the rule of quota is not understood" },
		{ SPAN("no-user"), "there is no such user" },
		{ SPAN("taken"), "a user has this name, or it is somebody else's alias" },
	};

	if (span_equals(state, SPAN("added"))) {
		tell->added++;
		return;
	}
	if (span_equals(state, SPAN("updated"))) {
		tell->updated++;
		return;
	}
	if (span_equals(state, SPAN("there"))) {
		tell->there++;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		if (span_equals(state, refusals[i].state)) {
			roster_tell_refusal(tell, user->number, user->name, SPAN(""), refusals[i].text);
			return;
		}
	}
	roster_tell_refusal(tell, user->number, user->name, SPAN(""), "the line is not understood");
}

static void
tell_passed_over(struct tell *tell, const struct roster *roster)
{
	for (size_t i = 0; i < roster->passed_over_count; i++) {
		const struct passed_over *passed = &roster->passed_over[i];
		struct buffer record = { 0 };

		if (tell->order->json == NULL)
			complain("the field %.*s of %zu users has no meaning here%s%s", SPAN_ARGS(passed->field), passed->users,
			    passed->consequence == NULL ? "" : "; ", passed->consequence == NULL ? "" : passed->consequence);
		control_add_word(&record, SPAN("field"));
		control_add_field(&record, "name", passed->field);
		control_add_number(&record, "users", (int64_t)passed->users);
		keep(tell, &record);
	}
}

static void
tell_sums(struct tell *tell, bool may_pass_over)
{
	const struct {
		const char *key;
		uint64_t count;
	} sums[] = {
		{ "added", tell->added }, { "updated", tell->updated }, { "there", tell->there }, { "refused", tell->refused },
		{ "passed-over", tell->passed_over },
	};
	struct buffer record = { 0 }, text = { 0 };

	buffer_printf(&text, "%s%llu added, %llu updated, %llu there already, %llu refused",
	    order_has(tell->order, OPTION_DRY_RUN) ? "would be: " : "", (unsigned long long)tell->added,
	    (unsigned long long)tell->updated, (unsigned long long)tell->there, (unsigned long long)tell->refused);
	if (may_pass_over)
		buffer_printf(&text, ", %llu passed over", (unsigned long long)tell->passed_over);
	control_add_word(&record, SPAN("import"));
	for (size_t i = 0; i < COUNT_OF(sums) - !may_pass_over; i++)
		control_add_number(&record, sums[i].key, (int64_t)sums[i].count);
	keep(tell, &record);
	order_say(tell->order, "%s", buffer_string(&text));
	buffer_free(&text);
}

int
roster_tell_end(struct tell *tell, const struct roster *roster, int code)
{
	if (roster != NULL)
		tell_passed_over(tell, roster);
	tell_sums(tell, roster != NULL);
	if (tell->order->json != NULL)
		records_print(tell->order, &tell->records);
	if (code == EX_OK && tell->refused > 0) {
		complain("%llu lines were refused; the others %s", (unsigned long long)tell->refused,
		    order_has(tell->order, OPTION_DRY_RUN) ? "would be in" : "are in");
		code = EX_DATAERR;
	} else if (code == EX_OK && tell->added + tell->updated + tell->there + tell->passed_over == 0) {
		complain("%s names %s", tell->order->words[0], roster == NULL ? "no alias" : "nobody");
		code = EX_NOINPUT;
	}
	return code;
}
