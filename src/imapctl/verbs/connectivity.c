/*
 * The verb test-connectivity: a server tried from outside as a client does, in the columns of Exchange's
 * Test-ImapConnectivity.
 */
#include <string.h>
#include <sysexits.h>

#include "../ctl/record.h"
#include "../remote/elsewhere.h"
#include "../remote/trial.h"
#include "control/words.h"
#include "findings.h"
#include "verbs.h"

struct report {
	struct findings findings;
	const char *server;
	unsigned told;			/* bits of the scenarios that were tried */
};

static size_t
index_of(const char *scenario)
{
	size_t i = 0;

	while (strcmp(trial_scenario(i), scenario) != 0)
		i++;
	return i;
}

static void
add(struct report *report, const char *scenario, const char *result, int64_t ms, const char *error)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("step"));
	control_add_field(&line, "CasServer", span_from_string(report->server));
	control_add_field(&line, "Scenario", span_from_string(scenario));
	control_add_field(&line, "Result", span_from_string(result));
	control_add_number(&line, "Latency(MS)", ms);
	control_add_field(&line, "Error", span_from_string(error));
	findings_add(&report->findings, &line);
	buffer_free(&line);
}

static void
on_step(const char *scenario, int code, uint64_t us, const char *error, void *context)
{
	struct report *report = context;

	report->told |= 1u << index_of(scenario);
	add(report, scenario, code == EX_OK ? "Success" : "Failure", (int64_t)(us / 1000), error);
	if (code != EX_OK)
		complain("%s: %s", scenario, error);
}

/* Those that were not tried, because one before them has failed, or nobody has asked for them. */
static void
add_skipped(struct report *report)
{
	for (size_t i = 0; trial_scenario(i) != NULL; i++)
		if ((report->told & 1u << i) == 0)
			add(report, trial_scenario(i), "Skipped", 0, "");
}

int
run_test_connectivity(const struct order *order)
{
	struct elsewhere elsewhere = { .url = { .host = NULL } };
	struct report report = { .told = 0 };
	int code = elsewhere_read(&elsewhere, order);

	if (code == EX_OK) {
		report.server = elsewhere.url.host;
		code = trial_run(&elsewhere.login, order_has(order, OPTION_LIGHT) ? TRIAL_LOGIN : TRIAL_ALL, on_step, &report);
		add_skipped(&report);
		records_print(order, &report.findings.answer);
	}
	findings_free(&report.findings);
	elsewhere_free(&elsewhere);
	return code;
}
