/*
 * The verb user import.  Each line of the file becomes one of a body, whose users the server adds all or none of; what was
 * begun goes on when it is said again, since who is there stays.
 */
#include "enrol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/order.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "control/control.h"
#include "body.h"
#include "file.h"
#include "roster.h"
#include "tell.h"

#define BATCH_USERS 500

struct enrolment {
	const struct order *order;
	struct roster roster;
	struct ctl *ctl;
	struct tell tell;
	struct map *names;		/* in lower case: the line of each, uint64_t */
	struct buffer body;		/* of the next call; wiped */
	struct told users[BATCH_USERS];	/* whose lines these are */
	size_t count;
	int code;			/* not EX_OK: it makes no sense to go on */
};

/* ---- The calls -------------------------------------------------------------------------------------------- */

static void
take_answer(struct enrolment *enrolment, const struct answer *answer)
{
	struct arena *arena = arena_new();
	struct span number, state;
	uint64_t line;

	for (size_t i = 0; i < answer->line_count; i++)
		if (record_field(answer->lines[i], arena, "arrival", "line", &number) &&
		    span_to_number(number, enrolment->count, &line) && line > 0 &&
		    record_field(answer->lines[i], arena, "arrival", "state", &state))
			roster_tell_state(&enrolment->tell, &enrolment->users[line - 1], state);
	arena_free(&arena);
}

/* Send what has come together, if anything has. */
static void
flush(struct enrolment *enrolment)
{
	const char *home = order_value(enrolment->order, OPTION_HOME);
	struct buffer word = { 0 };
	struct span words[3];
	const struct answer *answer;
	size_t count = 0;

	if (enrolment->count == 0)
		return;
	if (order_has(enrolment->order, OPTION_UPDATE))
		words[count++] = SPAN("update");
	if (order_has(enrolment->order, OPTION_DRY_RUN))
		words[count++] = SPAN("dry-run");
	if (home != NULL) {
		buffer_printf(&word, "home=%s", home);
		words[count++] = buffer_span(&word);
	}
	answer = ctl_call(enrolment->ctl, "user import", words, count, buffer_span(&enrolment->body));
	enrolment->code = ctl_report(answer);
	if (enrolment->code == EX_OK)
		take_answer(enrolment, answer);
	buffer_free(&word);
	memory_wipe(enrolment->body.at, enrolment->body.length);
	buffer_clear(&enrolment->body);
	enrolment->count = 0;
}

/* ---- The file --------------------------------------------------------------------------------------------- */

/* Whether a name stood on a line before; else it is noted. */
static bool
was_seen(struct enrolment *enrolment, struct span name, uint64_t number)
{
	uint8_t *lower = arena_alloc(enrolment->roster.arena, name.length + 1);
	uint64_t *line = ARENA_NEW(enrolment->roster.arena, uint64_t);
	const uint64_t *before;

	for (size_t i = 0; i < name.length; i++)
		lower[i] = ascii_lower(name.at[i]);
	*line = number;
	before = map_get(enrolment->names, span_of(lower, name.length));
	if (before == NULL)
		map_put(enrolment->names, span_of(lower, name.length), line);
	return before != NULL;
}

/* Nobody comes of those, and nothing is wrong with the line. */
static bool
is_passed_over(const struct enrolment *enrolment, const struct person *person)
{
	struct span stored = person->stored;
	bool is_shadow = enrolment->roster.format->read == shadow_read;

	if (person->is_passed_over || !is_shadow || order_has(enrolment->order, OPTION_NO_PASSWORD))
		return person->is_passed_over;
	while (stored.length > 0 && (stored.at[0] == '!' || stored.at[0] == '*'))
		stored = span_from(stored, 1);
	return stored.length == 0;
}

static void
take_line(struct enrolment *enrolment, struct span text, uint64_t number)
{
	struct buffer line = { 0 };
	struct person person;
	struct span scheme = SPAN("");

	if (!enrolment->roster.format->read(&enrolment->roster, text, &person))
		return;
	if (person.refusal == NULL && is_passed_over(enrolment, &person)) {
		enrolment->tell.passed_over++;
		return;
	}
	if (person.refusal == NULL)
		roster_add_line(&line, &person, order_has(enrolment->order, OPTION_NO_PASSWORD), &scheme);
	if (person.refusal == NULL && was_seen(enrolment, person.name, number)) {
		scheme = SPAN("");
		person.refusal = "the name stood on a line before, which counts";
	}
	if (person.refusal != NULL) {
		roster_tell_refusal(&enrolment->tell, number, person.name, scheme, person.refusal);
	} else {
		if (enrolment->count == BATCH_USERS || enrolment->body.length + line.length > CONTROL_BODY_MAX)
			flush(enrolment);
		buffer_reserve(&enrolment->body, CONTROL_BODY_MAX - enrolment->body.length);	/* never moved: it holds passwords */
		buffer_add_span(&enrolment->body, buffer_span(&line));
		enrolment->users[enrolment->count++] = (struct told){ number, arena_copy(enrolment->roster.arena, person.name) };
	}
	buffer_wipe(&line);
}

static int
read_all(struct enrolment *enrolment, struct roster_file *file)
{
	struct span line;

	while (enrolment->code == EX_OK && roster_file_next(file, &line)) {
		if (file->is_cut)
			roster_tell_refusal(&enrolment->tell, file->number, SPAN(""), SPAN(""), "the line is too long");
		else
			take_line(enrolment, line, file->number);
	}
	if (enrolment->code == EX_OK && file->error != 0) {
		complain("%s: %s", enrolment->order->words[0], strerror(file->error));
		return EX_IOERR;
	}
	if (enrolment->code == EX_OK)
		flush(enrolment);
	return enrolment->code;
}

static int
enrol(struct enrolment *enrolment, struct roster_file *file)
{
	int code;

	enrolment->names = map_new();
	if ((enrolment->ctl = ctl_open(enrolment->order, &code)) != NULL) {
		code = read_all(enrolment, file);
		code = roster_tell_end(&enrolment->tell, &enrolment->roster, code);
	}
	ctl_close(&enrolment->ctl);
	buffer_wipe(&enrolment->body);
	map_free(&enrolment->names);
	return code;
}

int
run_user_import(const struct order *order)
{
	const char *format = order_value(order, OPTION_FORMAT);
	struct enrolment *enrolment;
	struct roster_file file;
	int code;

	if (order_has(order, OPTION_IF_MISSING) && order_has(order, OPTION_UPDATE)) {
		complain("--if-missing leaves who is there, and --update does not: which?");
		return EX_USAGE;
	}
	enrolment = NEW(struct enrolment);
	enrolment->order = order;
	roster_tell_init(&enrolment->tell, order);
	if (!roster_begin(&enrolment->roster, format == NULL ? "passwd-file" : format, order->words[0])) {
		complain("there is no format %s: passwd-file or shadow", format);
		code = EX_USAGE;
	} else if (!roster_file_open(&file, order->words[0])) {
		complain("%s: %s", order->words[0], strerror(errno));
		code = EX_NOINPUT;
	} else {
		code = enrol(enrolment, &file);
		roster_file_close(&file);
	}
	roster_end(&enrolment->roster);
	roster_tell_fini(&enrolment->tell);
	free(enrolment);
	return code;
}
