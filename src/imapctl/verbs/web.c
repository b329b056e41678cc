/*
 * The verb web: a link to the page in a browser, good once.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "verbs.h"

/* The link on standard output, what there is to know about it elsewhere. */
static void
tell_link(struct span line, struct arena *arena)
{
	struct span url, seconds;

	if (!record_field(line, arena, "web", "url", &url) || !record_field(line, arena, "web", "seconds", &seconds))
		return;
	printf("%.*s\n", SPAN_ARGS(url));
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "Good once, within %.*s seconds, for a browser on this host; from another one, go by `ssh -L`.\n",
		    SPAN_ARGS(seconds));
}

static void
tell_end(struct span line, struct arena *arena)
{
	struct span count;

	if (record_field(line, arena, "ended", "sessions", &count))
		printf("%.*s session%s ended\n", SPAN_ARGS(count), span_equals(count, SPAN("1")) ? "" : "s");
}

int
run_web(const struct order *order)
{
	bool is_end = order_has(order, OPTION_END);
	struct arena *arena;
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	arena = arena_new();
	answer = ctl_call(ctl, is_end ? "web end" : "web", NULL, 0, (struct span){ NULL, 0 });
	code = ctl_report(answer);
	if (order->json != NULL)
		records_print(order, answer);
	else if (code == EX_OK && answer->line_count > 0)
		(is_end ? tell_end : tell_link)(answer->lines[0], arena);
	ctl_close(&ctl);
	arena_free(&arena);
	return code;
}
