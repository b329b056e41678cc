/*
 * The verb verify: the server is called until it says that all of a user's file, and then the index, was looked at; and with
 * --repair what was found is given to it to be mended, and all is looked at again.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "control/words.h"
#include "pieces.h"
#include "verbs.h"

#define ROUNDS_MAX   5		/* of mending: one round may show what another hid */
#define CONTENTS_MAX 50		/* in one call */

/* What a look at a user's file has found so far. */
struct look {
	struct span user;
	bool is_done, has_pages, has_index;
	uint64_t block, content;	/* where the next call goes on */
	uint64_t last;			/* content of the file; 0: not known */
	uint64_t compared;		/* messages with the index */
	uint64_t messages, faults;
	struct span state;
	uint64_t *contents;		/* that something was found of, each once in a row */
	size_t count, capacity;
};

/* ---- looking -------------------------------------------------------------------------------------------- */

static void
note_content(struct look *look, uint64_t content_id)
{
	if (content_id == 0 || (look->count > 0 && look->contents[look->count - 1] == content_id))
		return;
	if (look->count == look->capacity) {
		look->capacity = look->capacity * 2 + 16;
		look->contents = memory_resize(look->contents, look->capacity, sizeof *look->contents);
	}
	look->contents[look->count++] = content_id;
}

static void
take_fault(struct pieces *run, struct span line, struct look *look)
{
	struct span what;

	if (!record_field(line, run->arena, "fault", "what", &what))
		return;
	look->has_pages |= span_equals(what, SPAN("pages"));
	note_content(look, pieces_number(run, line, "fault", "content"));
	pieces_keep(run, arena_copy(run->arena, line));
}

/* How far it is: contents are looked at in the order of their ids. */
static void
show(struct pieces *run, const struct look *look, uint64_t messages)
{
	if (!look->is_done && run->progress.is_bar)
		progress_show(&run->progress, look->content, look->last, messages);
}

static void
take_line(struct pieces *run, struct span line, struct look *look)
{
	if (!record_field(line, run->arena, "verify", "state", &look->state)) {
		take_fault(run, line, look);
		return;
	}
	look->is_done = !span_equals(look->state, SPAN("running"));
	look->content = pieces_number(run, line, "verify", "content");
	look->messages += pieces_number(run, line, "verify", "messages");
	look->faults += pieces_number(run, line, "verify", "faults");
	look->last = pieces_number(run, line, "verify", "last");
	show(run, look, look->messages);
}

/* As a fault of the user's file. */
static void
take_index_line(struct pieces *run, struct span line, struct look *look)
{
	struct buffer fault = { 0 };
	struct span text, state;

	if (record_field(line, run->arena, "index", "state", &state)) {
		look->is_done = !span_equals(state, SPAN("running"));
		look->block = pieces_number(run, line, "index", "block");
		look->content = pieces_number(run, line, "index", "content");
		look->faults += pieces_number(run, line, "index", "faults");
		look->compared += pieces_number(run, line, "index", "checked");
		show(run, look, look->compared);
		return;
	}
	if (!record_field(line, run->arena, "fault", "text", &text))
		return;
	look->has_index = true;
	control_add_word(&fault, SPAN("fault"));
	control_add_field(&fault, "user", look->user);
	control_add_field(&fault, "what", SPAN("index"));
	control_add_field(&fault, "mailbox", SPAN(""));
	control_add_number(&fault, "uid", 0);
	control_add_number(&fault, "content", 0);
	control_add_field(&fault, "text", text);
	pieces_keep(run, arena_copy(run->arena, buffer_span(&fault)));
	buffer_free(&fault);
}

static const struct answer *
call(struct pieces *run, const struct look *look, bool is_index)
{
	struct buffer block = { 0 }, content = { 0 };
	const struct answer *answer;

	buffer_add_number(&block, look->block);
	buffer_add_number(&content, look->content);
	if (is_index)
		answer = ctl_call(run->ctl, "index", (struct span[]){ look->user, SPAN("verify"), buffer_span(&block),
		    buffer_span(&content) }, 4, (struct span){ NULL, 0 });
	else
		answer = ctl_call(run->ctl, "verify", (struct span[]){ look->user, buffer_span(&content) }, 2,
		    (struct span){ NULL, 0 });
	buffer_free(&block);
	buffer_free(&content);
	return answer;
}

/* False: a call has failed, which was noted. */
static bool
look_at(struct pieces *run, struct look *look, bool is_index, bool *goes_on_out)
{
	look->block = look->content = 0;
	progress_turn(&run->progress);
	for (look->is_done = false; !look->is_done;) {
		const struct answer *answer = call(run, look, is_index);

		if (answer->code != EX_OK) {
			*goes_on_out = pieces_note_failure(run, look->user, answer);
			return false;
		}
		look->is_done = true;	/* unless a line says otherwise */
		for (size_t i = 0; i < answer->line_count; i++)
			(is_index ? take_index_line : take_line)(run, answer->lines[i], look);
	}
	return true;
}

/* An index of a file that SQLite cannot read is not worth looking at. */
static bool
look_at_all(struct pieces *run, struct look *look, bool *goes_on_out)
{
	struct span user = look->user;

	free(look->contents);
	*look = (struct look){ .user = user, .state = SPAN("done") };
	return look_at(run, look, false, goes_on_out) &&
	    (span_equals(look->state, SPAN("none")) || look->has_pages || look_at(run, look, true, goes_on_out));
}

/* ---- mending -------------------------------------------------------------------------------------------- */

/* The words of a call: what there is, and up to CONTENTS_MAX of the contents. */
static size_t
write_words(const struct look *look, size_t first, struct arena *arena, struct span words[CONTENTS_MAX + 3])
{
	size_t count = 0;

	words[count++] = look->user;
	if (first == 0 && look->has_pages)
		words[count++] = SPAN("pages");
	if (first == 0 && look->has_index)
		words[count++] = SPAN("index");
	for (size_t i = first; i < look->count && i < first + CONTENTS_MAX; i++) {
		struct buffer number = { 0 };

		buffer_add_number(&number, look->contents[i]);
		words[count++] = arena_copy(arena, buffer_span(&number));
		buffer_free(&number);
	}
	return count;
}

static bool
mend(struct pieces *run, const struct look *look, bool *goes_on_out)
{
	struct span words[CONTENTS_MAX + 3];
	size_t first = 0;

	do {
		size_t count = write_words(look, first, run->arena, words);
		const struct answer *answer = ctl_call(run->ctl, "repair", words, count, (struct span){ NULL, 0 });

		for (size_t i = 0; i < answer->line_count; i++) {
			struct span what;

			if (record_field(answer->lines[i], run->arena, "repaired", "what", &what))
				pieces_keep(run, arena_copy(run->arena, answer->lines[i]));
			run->set_aside += pieces_number(run, answer->lines[i], "repair", "set-aside");
		}
		if (answer->code != EX_OK) {
			*goes_on_out = pieces_note_failure(run, look->user, answer);
			return false;
		}
		first += CONTENTS_MAX;
	} while (first < look->count);
	return true;
}

static void
keep_summary(struct pieces *run, const struct look *look)
{
	struct buffer out = { 0 };

	control_add_word(&out, SPAN("verify"));
	control_add_field(&out, "user", look->user);
	control_add_field(&out, "state", look->state);
	control_add_number(&out, "messages", (int64_t)look->messages);
	control_add_number(&out, "faults", (int64_t)look->faults);
	pieces_keep(run, arena_copy(run->arena, buffer_span(&out)));
	buffer_free(&out);
}

static bool
verify_user(struct pieces *run, struct span user)
{
	struct look look = { .user = user };
	bool goes_on = true, is_good = look_at_all(run, &look, &goes_on);

	for (int round = 0; is_good && look.faults > 0 && order_has(run->order, OPTION_REPAIR) && round < ROUNDS_MAX; round++)
		is_good = mend(run, &look, &goes_on) && look_at_all(run, &look, &goes_on);
	if (is_good)
		keep_summary(run, &look);
	run->faults += look.faults;
	free(look.contents);
	return goes_on;
}

static void
say_what_next(const struct pieces *run, const struct order *order)
{
	const char *name = order_has(order, OPTION_ALL) ? "NAME" : order->words[0];

	if (run->set_aside > 0)
		complain("%llu messages could not be mended and were set aside: `imapctl undelete %s --list` names them; "
		    "`imapctl restore` brings them back from a backup", (unsigned long long)run->set_aside, name);
	if (run->code == EX_TEMPFAIL && interrupt_came())
		complain(order_has(order, OPTION_REPAIR) ? "what was being mended is given up, and what was mended before stays; run it again" :
		    "not all was looked at; run it again");
	else if (run->code == EX_OK && run->faults > 0 && order_has(order, OPTION_REPAIR))
		complain("not all could be mended; put the file back from a backup");
	else if (run->code == EX_OK && run->faults > 0)
		complain("mail is damaged; `imapctl verify %s --repair` mends what it can, and sets aside what it cannot", name);
}

int
run_verify(const struct order *order)
{
	struct pieces run;
	int code;

	if ((order->word_count == 1) == order_has(order, OPTION_ALL)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if (order_has(order, OPTION_REPAIR) && (code = ctl_confirm(order, "repair",
	    "Mend what is found?  Users whose files are mended are disconnected for a moment.")) != EX_OK)
		return code;
	code = pieces_run(&run, order, verify_user);
	say_what_next(&run, order);
	return code == EX_OK && run.faults > 0 ? EX_DATAERR : code;
}
