/*
 * The verb backup: for each user what the directory has, and the file, if it has changed.  What fails for one is said, and
 * others go on; where none can fare better, the run ends, and the next one goes on where it stopped.
 */
#include "backup.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "check.h"
#include "control/words.h"
#include "catalogue.h"
#include "take.h"

struct run {
	const struct order *order;
	struct folder folder;
	struct catalogue *catalogue;
	struct ctl *ctl;
	struct arena *arena;
	struct pace pace;
	struct progress progress;
	struct answer records;
	size_t done, total;
	int code;			/* the first that was not 0 */
};

static void
keep_record(struct run *run, struct span user, const char *state, struct span file, uint64_t size)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("backup"));
	control_add_field(&line, "user", user);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "size", (int64_t)size);
	control_add_field(&line, "file", file);
	answer_keep(&run->records, arena_copy(run->arena, buffer_span(&line)));
	buffer_free(&line);
}

static void
note(struct run *run, int code)
{
	if (run->code == EX_OK)
		run->code = code;
}

/* ---- what the directory has ------------------------------------------------------------------------------- */

/* The values of all records of a kind, in one field. */
static void
add_names(struct run *run, const struct answer *answer, const char *kind, const char *key, struct buffer *line)
{
	struct buffer names = { 0 };
	struct span name;

	for (size_t i = 0; i < answer->line_count; i++) {
		if (record_field(answer->lines[i], run->arena, kind, "name", &name))
			catalogue_add_name(&names, name);
	}
	control_add_field(line, key, buffer_span(&names));
	buffer_free(&names);
}

/* Of all who were listed somebody may have been deleted since: nothing is missing then. */
static bool
has_gone(struct run *run, struct span user)
{
	return !order_has(run->order, OPTION_USER) &&
	    ctl_call(run->ctl, "user entry", &user, 1, (struct span){ NULL, 0 })->code == EX_NOUSER;
}

/* All fields of the record entry but the name, as they were told; and groups, delegates and aliases.  The name becomes the one. */
static bool
add_facts(struct run *run, struct span *user, struct buffer *line, bool *is_lost_out)
{
	const struct answer *answer = ctl_call(run->ctl, "user entry", user, 1, (struct span){ NULL, 0 });
	struct span words;

	*is_lost_out = answer->is_lost;
	if (answer->code == EX_NOUSER && !order_has(run->order, OPTION_USER))
		return false;
	if (answer->code != EX_OK || answer->line_count == 0 ||
	    !record_field(answer->lines[0], run->arena, "entry", "name", user)) {
		complain("%.*s: %.*s", SPAN_ARGS(*user), SPAN_ARGS(answer->text));
		note(run, answer->code == EX_OK ? EX_PROTOCOL : answer->code);
		return false;
	}
	words = span_from(answer->lines[0], span_find(answer->lines[0], ' ') + 1);
	words = span_from(words, span_find(words, ' '));	/* the name has no space in it */
	buffer_add_span(line, words);
	add_names(run, answer, "group", "groups", line);
	add_names(run, answer, "delegate", "delegates", line);
	add_names(run, answer, "alias", "aliases", line);
	return true;
}

/* ---- one user --------------------------------------------------------------------------------------------- */

static const char *
state_name(const struct taken *taken)
{
	static const char *const names[] = {
		[TAKEN_COPIED] = "copied",
		[TAKEN_OLDER] = "older",
		[TAKEN_UNCHANGED] = "unchanged",
		[TAKEN_NONE] = "none",
		[TAKEN_ELSEWHERE] = "elsewhere",
	};

	return names[taken->state];
}

/* The stamp is of use only while the file is there. */
static struct span
stamp_of(struct run *run, const struct catalogue_user *former)
{
	struct span stamp = SPAN("");
	int descriptor;

	if (former == NULL || former->file.length == 0 || former->stamp.length == 0)
		return stamp;
	if ((descriptor = folder_read(&run->folder, former->file)) < 0)
		return stamp;
	if (lseek(descriptor, 0, SEEK_END) == (off_t)former->size)
		stamp = former->stamp;
	close(descriptor);
	return stamp;
}

/* The line for the manifest; of a file that is as it was it says the same as before. */
static void
write_line(struct span user, const struct catalogue_user *former, const struct taken *taken, struct arena *arena,
    struct span facts, struct buffer *line)
{
	struct buffer file = { 0 };
	bool is_same = taken->state == TAKEN_UNCHANGED;

	folder_file_name(user, &file);
	control_add_word(line, SPAN("user"));
	control_add_field(line, "name", user);
	if (is_same || taken_is_file(taken)) {
		control_add_field(line, "file", buffer_span(&file));
		control_add_number(line, "size", (int64_t)(is_same ? former->size : taken->size));
		control_add_field(line, "sha256", is_same ? former->sha256 : span_from_string(taken->sha256));
		control_add_field(line, "stamp", is_same ? former->stamp : taken->stamp);
		buffer_add_string(line, " copied=");
		if (is_same)
			buffer_add_span(line, catalogue_field(former, arena, "copied"));
		else
			catalogue_add_now(line);
	}
	buffer_add_span(line, facts);
	buffer_free(&file);
}

static bool
record_user(struct run *run, struct span user, const struct catalogue_user *former, const struct taken *taken,
    struct span facts, struct folder_file *file)
{
	struct buffer line = { 0 };
	bool is_good;

	write_line(user, former, taken, run->arena, facts, &line);
	is_good = (former != NULL && span_equals(former->line, buffer_span(&line))) ||
	    catalogue_add(run->catalogue, buffer_span(&line));
	buffer_wipe(&line);
	return is_good && (!taken_is_file(taken) || folder_file_keep(file));
}

/* False: the run ends. */
static bool
keep_user(struct run *run, struct span user, struct span facts)
{
	const struct catalogue_user *former = catalogue_find(run->catalogue, user);
	struct span known = stamp_of(run, former), name = SPAN("");
	struct folder_file file;
	struct taken taken;
	bool is_lost;
	int code = take_image(run->order, &run->folder, user, known, &run->pace, &file, run->arena, &taken, &is_lost);

	if (code == EX_OK && taken_is_file(&taken))
		name = arena_copy(run->arena, buffer_span(&file.name));
	else if (code == EX_OK && taken.state == TAKEN_UNCHANGED)
		name = former->file;
	if (code == EX_OK && !record_user(run, user, former, &taken, facts, &file)) {
		code = EX_CANTCREAT;
		is_lost = true;
	}
	folder_file_drop(&file);
	if (code == EX_OK)
		keep_record(run, user, state_name(&taken), name, taken.state == TAKEN_UNCHANGED ? former->size : taken.size);
	if (code == EX_OK && taken.state == TAKEN_OLDER) {
		complain("%.*s: another program reads this user's file and holds up what came last: the copy is of what was there "
		    "before; end that program and run again", SPAN_ARGS(user));
		code = EX_TEMPFAIL;
	}
	if (code != EX_OK && !is_lost && has_gone(run, user)) {
		complain("%.*s: was deleted meanwhile", SPAN_ARGS(user));
		code = EX_OK;
	}
	note(run, code);
	return !is_lost;
}

static bool
do_user(struct run *run, struct span user)
{
	struct buffer facts = { 0 };
	bool is_lost = false, goes_on;

	if (interrupt_came()) {
		complain("interrupted; run again, it goes on where it stopped");
		note(run, EX_TEMPFAIL);
		return false;
	}
	goes_on = add_facts(run, &user, &facts, &is_lost) ? keep_user(run, user, buffer_span(&facts)) : !is_lost;
	buffer_wipe(&facts);
	run->done++;
	progress_show(&run->progress, run->done, run->total, run->done);
	return goes_on;
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

/* Who is meant: those named, or all; in the arena. */
static bool
list_users(struct run *run, struct span **users_out, size_t *count_out)
{
	const struct order *order = run->order;
	const struct answer *answer;
	size_t count = 0;

	*users_out = arena_alloc_array(run->arena, order->value_count + 1, sizeof **users_out);
	for (size_t i = 0; i < order->value_count; i++)
		if (order->values[i].option == OPTION_USER)
			(*users_out)[count++] = span_from_string(order->values[i].text);
	if (count == 0) {
		answer = ctl_call(run->ctl, "user list", NULL, 0, (struct span){ NULL, 0 });
		if ((run->code = ctl_report(answer)) != EX_OK)
			return false;
		*users_out = arena_alloc_array(run->arena, answer->line_count + 1, sizeof **users_out);
		for (size_t i = 0; i < answer->line_count; i++)
			count += record_field(answer->lines[i], run->arena, "user", "name", &(*users_out)[count]);
	}
	*count_out = count;
	return true;
}

static bool
end_run(struct run *run)
{
	struct buffer line = { 0 };
	bool is_good;

	buffer_add_string(&line, "run state=ended at=");
	catalogue_add_now(&line);
	is_good = catalogue_add(run->catalogue, buffer_span(&line));
	buffer_free(&line);
	return is_good;
}

static void
do_all(struct run *run)
{
	struct span *users;
	bool goes_on = true;

	if (!list_users(run, &users, &run->total))
		return;
	if (!catalogue_begin(run->catalogue)) {
		note(run, EX_CANTCREAT);
		return;
	}
	progress_begin(&run->progress);
	for (size_t i = 0; i < run->total && goes_on; i++)
		goes_on = do_user(run, users[i]);
	progress_end(&run->progress);
	if (goes_on && !end_run(run))
		note(run, EX_CANTCREAT);
}

/* With K, M or G behind it, of 1,024 each.  False: what is wrong was said. */
static bool
read_rate(const struct order *order, uint64_t *rate_out)
{
	const char *text = order_value(order, OPTION_RATE), *unit;
	struct span number;

	*rate_out = 0;
	if (text == NULL)
		return true;
	number = span_from_string(text);
	unit = number.length == 0 ? NULL : strchr("KMG", number.at[number.length - 1]);
	if (unit != NULL && *unit != '\0')
		number.length--;
	if (span_to_number(number, UINT32_MAX, rate_out) && *rate_out > 0) {
		*rate_out <<= unit == NULL ? 0 : *unit == 'K' ? 10 : *unit == 'M' ? 20 : 30;
		return true;
	}
	complain("--rate takes a number of octets, also with K, M or G behind it: 20M");
	return false;
}

static int
run_with_folder(struct run *run)
{
	int code;

	if ((run->catalogue = catalogue_read(&run->folder, true, &code)) == NULL)
		return code;
	if ((run->ctl = ctl_open(run->order, &code)) == NULL)
		return code;
	do_all(run);
	records_print(run->order, &run->records);
	return run->code;
}

int
run_backup(const struct order *order)
{
	struct run run = { .order = order };
	int code;

	if (order_has(order, OPTION_VERIFY) && (order_has(order, OPTION_USER) || order_has(order, OPTION_RATE))) {
		complain("usage: imapctl backup %s", order->verb->arguments);
		return EX_USAGE;
	}
	if (order_has(order, OPTION_VERIFY))
		return check_backup(order);
	if (!read_rate(order, &run.pace.octets_per_s))
		return EX_USAGE;
	interrupt_catch();
	run.arena = arena_new();
	code = folder_open_for_writing(&run.folder, order, order->words[0]);
	if (code == EX_OK)
		code = run_with_folder(&run);
	ctl_close(&run.ctl);
	catalogue_free(&run.catalogue);
	folder_close(&run.folder);
	arena_free(&run.arena);
	free(run.records.lines);
	return code;
}
