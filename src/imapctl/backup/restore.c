/*
 * The verb restore.  A user who has no mail here gets the whole file; to one who has, messages come that are missing, unless
 * --replace says otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "backup.h"
#include "base/memory.h"
#include "control/words.h"
#include "part.h"
#include "whole.h"

struct run {
	const struct order *order;
	struct folder folder;
	struct catalogue *catalogue;
	struct arena *arena;
	struct answer records;
	const struct catalogue_user **wholes;	/* with --all: who came back whole; else NULL */
	size_t whole_count;
	int code;			/* the first that was not 0 */
};

static void
keep_record(struct run *run, struct span target, const char *state, const struct part_counts *counts, uint64_t size)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("restore"));
	control_add_field(&line, "user", target);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "restored", (int64_t)counts->restored);
	control_add_number(&line, "already", (int64_t)counts->already);
	control_add_number(&line, "refused", (int64_t)counts->refused);
	control_add_number(&line, "size", (int64_t)size);
	answer_keep(&run->records, arena_copy(run->arena, buffer_span(&line)));
	buffer_free(&line);
}

static void
note(struct run *run, int code)
{
	if (run->code == EX_OK)
		run->code = code;
}

static void
restore_part(struct run *run, const struct catalogue_user *user, const char *target)
{
	struct part_counts counts;
	int code;

	if (user->file.length == 0) {
		complain("%.*s: the backup has no mail of this user", SPAN_ARGS(user->name));
		note(run, EX_NOINPUT);
		return;
	}
	code = part_restore(run->order, &run->folder, user, target, &counts);
	note(run, code);
	if (code == EX_OK || counts.restored + counts.already + counts.refused > 0)
		keep_record(run, span_from_string(target), order_has(run->order, OPTION_DRY_RUN) ? "dry-run" : "merged", &counts, 0);
}

static void
restore_user(struct run *run, const struct catalogue_user *user, const char *target)
{
	struct part_counts counts = { 0 };
	uint64_t size;
	int code;

	if (part_is_meant(run->order) || order_has(run->order, OPTION_DRY_RUN)) {
		restore_part(run, user, target);
		return;
	}
	switch (whole_restore(run->order, &run->folder, user, target, &code, &size, &counts.restored)) {
	case WHOLE_DONE:
		keep_record(run, span_from_string(target), "whole", &counts, size);
		if (run->wholes != NULL)
			run->wholes[run->whole_count++] = user;
		break;
	case WHOLE_HAS_MAIL:
		restore_part(run, user, target);
		break;
	case WHOLE_FAILED:
		note(run, code);
		break;
	}
}

static void
restore_one(struct run *run, const char *name)
{
	const char *as = order_value(run->order, OPTION_AS);
	const struct catalogue_user *user;
	struct buffer prepared = { 0 };

	for (; *name != '\0'; name++)		/* as names are prepared */
		buffer_add_octet(&prepared, ascii_lower((uint8_t)*name));
	user = catalogue_find(run->catalogue, buffer_span(&prepared));
	if (user == NULL) {
		complain("%s: the backup has no such user", buffer_string(&prepared));
		note(run, EX_NOUSER);
	} else {
		restore_user(run, user, as != NULL ? as : buffer_string(&prepared));
	}
	buffer_free(&prepared);
}

static void
restore_all(struct run *run)
{
	size_t count = catalogue_count(run->catalogue);
	struct progress progress;

	run->wholes = arena_alloc_array(run->arena, count + 1, sizeof *run->wholes);
	progress_begin(&progress);
	for (size_t i = 0; i < count && !interrupt_came(); i++) {
		const struct catalogue_user *user = catalogue_at(run->catalogue, i);
		char *name = memory_copy_span(user->name);

		restore_user(run, user, name);
		free(name);
		progress_show(&progress, i + 1, count, i + 1);
	}
	progress_end(&progress);
	/* Who acts for somebody may have come back after them. */
	for (size_t i = 0; i < run->whole_count; i++)
		if (!whole_allow_delegates(run->order, run->wholes[i]))
			note(run, EX_TEMPFAIL);
	if (interrupt_came())
		note(run, EX_TEMPFAIL);
}

/* EX_OK, or it is not, and why was said. */
static int
make_sure(const struct order *order)
{
	if (!order_has(order, OPTION_REPLACE) || order_has(order, OPTION_DRY_RUN))
		return EX_OK;
	return ctl_confirm(order, "restore", "Mail that is there now and not in the backup will be gone.  Go on?");
}

/* EX_OK, or EX_USAGE and what is wrong was said. */
static int
check_order(const struct order *order)
{
	bool is_all = order_has(order, OPTION_ALL);

	if ((order->word_count == 2) == is_all || (is_all && order_has(order, OPTION_AS))) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if (order_has(order, OPTION_REPLACE) && (part_is_meant(order) || order_has(order, OPTION_DRY_RUN))) {
		complain("--replace is for the whole mail of a user");
		return EX_USAGE;
	}
	if (!part_check(order))
		return EX_USAGE;
	return make_sure(order);
}

int
run_restore(const struct order *order)
{
	struct run run = { .order = order };
	int code = check_order(order);

	if (code != EX_OK)
		return code;
	interrupt_catch();
	if ((code = folder_open(&run.folder, order->words[0])) != EX_OK)
		return code;
	run.arena = arena_new();
	if ((run.catalogue = catalogue_read(&run.folder, false, &run.code)) != NULL) {
		if (order_has(order, OPTION_ALL))
			restore_all(&run);
		else
			restore_one(&run, order->words[1]);
		records_print(order, &run.records);
	}
	catalogue_free(&run.catalogue);
	folder_close(&run.folder);
	arena_free(&run.arena);
	free(run.records.lines);
	return run.code;
}
