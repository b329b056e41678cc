/*
 * The verb undelete: the server is called until it says that all that is kept of a user's was looked at.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/record.h"
#include "../ctl/when.h"
#include "base/memory.h"
#include "control/words.h"
#include "pieces.h"
#include "verbs.h"

#define WORDS_BEFORE_PATTERNS 7
#define WORDS_MAX	      60	/* the server takes some more */

struct undeletion {
	struct span words[WORDS_MAX];
	size_t count;
	struct buffer after, since, before;
	uint64_t found, restored;
	struct span state;		/* of the last answer */
};

static bool
add_time(const struct order *order, enum order_option option, const char *name, struct buffer *out)
{
	int64_t time_s;

	if (order_value(order, option) == NULL)
		return true;
	if (!when_read(name, order_value(order, option), &time_s))
		return false;
	buffer_add_number(out, time_s < 0 ? 0 : (uint64_t)time_s);
	return true;
}

static struct span
word_of(const struct order *order, enum order_option option)
{
	const char *value = order_value(order, option);

	return value == NULL ? SPAN("") : span_from_string(value);
}

static bool
write_words(struct undeletion *undeletion, const struct order *order)
{
	struct span *words = undeletion->words;

	if (!add_time(order, OPTION_SINCE, "since", &undeletion->since) ||
	    !add_time(order, OPTION_BEFORE, "before", &undeletion->before))
		return false;
	words[0] = span_from_string(order->words[0]);
	words[1] = order_has(order, OPTION_LIST_KEPT) ? SPAN("list") : SPAN("restore");
	words[3] = buffer_span(&undeletion->since);
	words[4] = buffer_span(&undeletion->before);
	words[5] = word_of(order, OPTION_INTO);
	words[6] = word_of(order, OPTION_SEARCH);
	undeletion->count = WORDS_BEFORE_PATTERNS;
	for (size_t i = 0; i < order->value_count; i++) {
		if (order->values[i].option != OPTION_MAILBOX)
			continue;
		if (undeletion->count == WORDS_MAX) {
			complain("more than %d mailboxes: use a pattern with * or %%", WORDS_MAX - WORDS_BEFORE_PATTERNS);
			return false;
		}
		words[undeletion->count++] = span_from_string(order->values[i].text);
	}
	return true;
}

/* Whether there is more to ask for. */
static bool
take_answer(struct pieces *run, struct undeletion *undeletion, const struct answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		struct span line = answer->lines[i];

		if (!record_field(line, run->arena, "undelete", "state", &undeletion->state)) {
			pieces_keep(run, arena_copy(run->arena, line));
			continue;
		}
		undeletion->found += pieces_number(run, line, "undelete", "found");
		undeletion->restored += pieces_number(run, line, "undelete", "restored");
		buffer_clear(&undeletion->after);
		buffer_add_number(&undeletion->after, pieces_number(run, line, "undelete", "after"));
	}
	return span_equals(undeletion->state, SPAN("running"));
}

static void
keep_summary(struct pieces *run, const struct undeletion *undeletion)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("undelete"));
	control_add_field(&line, "user", undeletion->words[0]);
	control_add_field(&line, "state", undeletion->state);
	control_add_number(&line, "found", (int64_t)undeletion->found);
	control_add_number(&line, "restored", (int64_t)undeletion->restored);
	pieces_keep(run, arena_copy(run->arena, buffer_span(&line)));
	buffer_free(&line);
}

static void
note_end(struct pieces *run, const struct undeletion *undeletion)
{
	if (span_equals(undeletion->state, SPAN("over-quota"))) {
		complain("what is left would exceed the quota: `imapctl quota %.*s` shows it; `imapctl user set` gives more, then run this again",
		    SPAN_ARGS(undeletion->words[0]));
		run->code = EX_CANTCREAT;
	} else if (span_equals(undeletion->state, SPAN("limit"))) {
		complain("a mailbox has no room for what is left, for want of UIDs or of keywords: use --into");
		run->code = EX_CANTCREAT;
	}
}

static bool
undelete_user(struct pieces *run, struct span user)
{
	struct undeletion undeletion = { .state = SPAN("done") };
	const struct answer *answer;
	bool is_more = write_words(&undeletion, run->order), is_good = is_more;

	(void)user;
	buffer_add_number(&undeletion.after, 0);
	while (is_more) {
		undeletion.words[2] = buffer_span(&undeletion.after);
		answer = ctl_call(run->ctl, "undelete", undeletion.words, undeletion.count, (struct span){ NULL, 0 });
		is_more = take_answer(run, &undeletion, answer);
		if (answer->code != EX_OK) {
			is_good = is_more = false;
			pieces_note_failure(run, undeletion.words[0], answer);
		}
	}
	if (is_good) {
		keep_summary(run, &undeletion);
		note_end(run, &undeletion);
	} else if (run->code == EX_OK) {
		run->code = EX_USAGE;
	}
	buffer_free(&undeletion.after);
	buffer_free(&undeletion.since);
	buffer_free(&undeletion.before);
	return is_good;
}

int
run_undelete(const struct order *order)
{
	struct pieces run;

	return pieces_run(&run, order, undelete_user);
}
