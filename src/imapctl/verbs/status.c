/*
 * The verbs about the running server.
 */
#include <stdio.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "config/config.h"
#include "control/control.h"
#include "control/words.h"
#include "services.h"
#include "verbs.h"

#define WORDS_MAX 4		/* of the verbs here */

#define STATUS_WRONG   1	/* as systemctl status */
#define STATUS_STOPPED 3

struct findings {
	bool is_any;			/* service at all */
	bool is_all_running, is_failed;
	bool is_wrong;			/* a problem, or a mailbox server that is down */
};

static void
take_line(struct findings *findings, struct span line, struct arena *arena)
{
	struct span state;

	if (record_field(line, arena, "problem", "kind", &state)) {
		findings->is_wrong = true;
	} else if (record_field(line, arena, "mailbox-server", "state", &state)) {
		findings->is_wrong = findings->is_wrong || span_equals(state, SPAN("down"));
	} else if (record_field(line, arena, "role", "state", &state)) {
		findings->is_any = true;
		findings->is_all_running = findings->is_all_running && span_equals(state, SPAN("running"));
		findings->is_failed = findings->is_failed || span_equals(state, SPAN("failed"));
	}
}

/* What a script wants to know: whether the one service, or each of them, runs, and nothing is wrong with it. */
static int
status_code(const struct answer *answer, bool is_one)
{
	struct findings findings = { .is_all_running = true };
	struct arena *arena = arena_new();

	for (size_t i = 0; i < answer->line_count; i++)
		take_line(&findings, answer->lines[i], arena);
	arena_free(&arena);
	if (findings.is_any && findings.is_all_running)
		return findings.is_wrong ? STATUS_WRONG : EX_OK;
	return is_one && findings.is_failed ? STATUS_WRONG : STATUS_STOPPED;
}

static int
tell_status(const struct order *order, const struct answer *answer, struct span word)
{
	bool is_one = word.length > 0 && !span_equals(word, SPAN("all"));

	if (answer->code != EX_OK)
		return ctl_report(answer);
	if (is_one && answer->line_count == 0)
		complain("the server at this control socket does not have the service %.*s", SPAN_ARGS(word));
	else
		records_print(order, answer);
	return status_code(answer, is_one);
}

int
run_status(const struct order *order)
{
	struct span word = { NULL, 0 };
	struct ctl *ctl;
	int code;

	if (order->word_count > 0)
		word = span_from_string(order->words[0]);
	if (order->word_count > 0 && !service_is_known(word)) {
		complain("there are the services cas and mailbox, and all for both");
		return EX_USAGE;
	}
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code == EX_UNAVAILABLE ? STATUS_STOPPED : code;
	code = tell_status(order, ctl_call(ctl, "status", &word, order->word_count, (struct span){ NULL, 0 }),
	    word);
	ctl_close(&ctl);
	return code;
}

static int
with_words(const struct order *order, const char *verb)
{
	struct span words[WORDS_MAX];

	for (size_t i = 0; i < order->word_count; i++)
		words[i] = span_from_string(order->words[i]);
	return ctl_print(order, verb, words, order->word_count);
}

int
run_acknowledge(const struct order *order)
{
	const struct span word = span_from_string(order->words[0]);
	struct arena *arena = arena_new();
	const struct answer *answer;
	struct span count;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) != NULL) {
		answer = ctl_call(ctl, "acknowledge", &word, 1, (struct span){ NULL, 0 });
		code = ctl_report(answer);
		if (order->json != NULL)
			records_print(order, answer);
		else if (code == EX_OK && record_field(answer->lines[0], arena, "acknowledged", "problems", &count))
			printf("%.*s problem%s acknowledged\n", SPAN_ARGS(count),
			    span_equals(count, SPAN("1")) ? "" : "s");
	}
	ctl_close(&ctl);
	arena_free(&arena);
	return code;
}

int
run_acl_list(const struct order *order)
{
	return with_words(order, "acl list");
}

int
run_acl_set(const struct order *order)
{
	return with_words(order, "acl set");
}

int
run_acl_remove(const struct order *order)
{
	return with_words(order, "acl remove");
}

int
run_acl_seen(const struct order *order)
{
	return with_words(order, "acl seen");
}

/* The lines of the answer are what is wrong with the new configuration, or what needs a restart. */
static void
tell_problems(const struct order *order, const struct answer *answer)
{
	if (order->json != NULL)
		buffer_add_string(order->json, ",\"problem\":[");
	for (size_t i = 0; i < answer->line_count; i++) {
		if (order->json == NULL) {
			fprintf(stderr, "%.*s\n", SPAN_ARGS(answer->lines[i]));
			continue;
		}
		buffer_add_string(order->json, i > 0 ? ",{" : "{");
		json_add_text(order->json, "text", answer->lines[i]);
		buffer_add_octet(order->json, '}');
	}
	if (order->json != NULL)
		buffer_add_octet(order->json, ']');
}

int
run_reload(const struct order *order)
{
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	answer = ctl_call(ctl, "reload", NULL, 0, (struct span){ NULL, 0 });
	tell_problems(order, answer);
	code = ctl_report(answer);
	ctl_close(&ctl);
	return code;
}
