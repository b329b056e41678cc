/*
 * The verb user import.  Each line of the file becomes one of a body, whose users the server adds all or none of; what was
 * begun goes on when it is said again, since who is there stays.
 */
#include "enrol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "base/memory.h"
#include "batch.h"
#include "body.h"
#include "roster.h"

struct enrolment {
	struct batch batch;
	struct roster roster;
};

/* Nobody comes of those, and nothing is wrong with the line. */
static bool
is_passed_over(const struct enrolment *enrolment, const struct person *person)
{
	struct span stored = person->stored;
	bool is_shadow = enrolment->roster.format->read == shadow_read;

	if (person->is_passed_over || !is_shadow || order_has(enrolment->batch.order, OPTION_NO_PASSWORD))
		return person->is_passed_over;
	while (stored.length > 0 && (stored.at[0] == '!' || stored.at[0] == '*'))
		stored = span_from(stored, 1);
	return stored.length == 0;
}

static void
take_line(struct span text, uint64_t number, void *context)
{
	struct enrolment *enrolment = context;
	bool has_no_password = order_has(enrolment->batch.order, OPTION_NO_PASSWORD);
	struct buffer line = { 0 };
	struct person person;
	struct span scheme = SPAN("");

	if (!enrolment->roster.format->read(&enrolment->roster, text, &person))
		return;
	if (person.refusal == NULL && is_passed_over(enrolment, &person)) {
		enrolment->batch.tell.passed_over++;
		return;
	}
	if (person.refusal == NULL)
		roster_add_line(&line, &person, has_no_password, &scheme);
	if (person.refusal == NULL && batch_was_seen(&enrolment->batch, person.name)) {
		scheme = SPAN("");
		person.refusal = "the name stood on a line before, which counts";
	}
	if (person.refusal != NULL)
		roster_tell_refusal(&enrolment->batch.tell, number, person.name, scheme, person.refusal);
	else
		batch_add(&enrolment->batch, buffer_span(&line), number, person.name);
	buffer_wipe(&line);
}

static int
enrol(struct enrolment *enrolment, struct roster_file *file)
{
	int code = batch_open(&enrolment->batch);

	if (code != EX_OK)
		return code;
	code = batch_read(&enrolment->batch, file, take_line, enrolment);
	if (code == EX_OK)
		code = batch_end(&enrolment->batch);
	return roster_tell_end(&enrolment->batch.tell, &enrolment->roster, code);
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
	batch_init(&enrolment->batch, order, "user import");
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
	batch_fini(&enrolment->batch);
	free(enrolment);
	return code;
}
