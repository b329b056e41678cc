/*
 * The verb metrics: what the server counts and measures, as Prometheus reads it, or as records.
 */
#include <stdio.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "verbs.h"

static void
print(const struct answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++)
		printf("%.*s\n", SPAN_ARGS(answer->lines[i]));
}

int
run_metrics(const struct order *order)
{
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	answer = ctl_call(ctl, order->json != NULL ? "stats" : "metrics", NULL, 0, (struct span){ NULL, 0 });
	if (order->json != NULL)
		records_print(order, answer);
	else
		print(answer);
	code = ctl_report(answer);
	ctl_close(&ctl);
	return code;
}
