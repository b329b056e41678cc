/*
 * Counting, and what Prometheus is told of it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/report.h"

static void
assert_has(struct buffer *text, const char *lines)
{
	if (strstr(buffer_string(text), lines) == NULL)
		fail_msg("%s is not in\n%s", lines, buffer_string(text));
}

static void
assert_lacks(struct buffer *text, const char *part)
{
	if (strstr(buffer_string(text), part) != NULL)
		fail_msg("%s is in\n%s", part, buffer_string(text));
}

static struct buffer
write(const struct metrics_report *report, enum metrics_format format)
{
	struct buffer text = { 0 };

	metrics_write(report, format, &text);
	return text;
}

static void
test_every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = &metric_rows[i];

		assert_non_null(row->name);
		assert_int_equal(row->help[strlen(row->help) - 1], '.');
		if (row->kind == METRIC_COUNTER)
			assert_string_equal(row->name + strlen(row->name) - 6, "_total");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(metric_rows[j].name, row->name);
	}
}

static void
test_counters(void **state)
{
	struct metrics_report *report = metrics_report_new();
	struct buffer text;

	(void)state;
	metrics_name_command(1, "NOOP");
	metric_count(METRIC_COMMANDS, 1, METRIC_NO);
	metric_add(METRIC_COMMANDS, 1, METRIC_NO, 41);
	text = write(report, METRICS_PROMETHEUS);
	assert_has(&text, "# HELP imapd_commands_total IMAP commands of clients that were answered.\n"
			  "# TYPE imapd_commands_total counter\n"
			  "imapd_commands_total{command=\"NOOP\",result=\"ok\"} 0\n"
			  "imapd_commands_total{command=\"NOOP\",result=\"no\"} 42\n"
			  "imapd_commands_total{command=\"NOOP\",result=\"bad\"} 0\n");
	assert_lacks(&text, "unknown");		/* that has not happened */
	assert_has(&text, "\nimapd_append_bytes_total 0\n");
	assert_has(&text, "imapd_connections_total{role=\"cas\",listener=\"imaps\"} 0\n");
	assert_lacks(&text, "role=\"cas\",listener=\"lmtp\"");
	assert_int_equal(metric_read(METRIC_COMMANDS, 1, METRIC_NO), 42);
	buffer_free(&text);
	metrics_report_free(&report);
}

static void
test_histograms(void **state)
{
	struct metrics_report *report = metrics_report_new();
	struct buffer text;

	(void)state;
	metric_observe_us(METRIC_COMMIT_DURATION, 0, 0);
	metric_observe_us(METRIC_COMMIT_DURATION, 0, 100);	/* a bound is in its bucket */
	metric_observe_us(METRIC_COMMIT_DURATION, 0, 101);
	metric_observe_us(METRIC_COMMIT_DURATION, 0, 3600000000);
	text = write(report, METRICS_PROMETHEUS);
	assert_has(&text, "# TYPE imapd_commit_duration_seconds histogram\n"
			  "imapd_commit_duration_seconds_bucket{le=\"0.0001\"} 2\n"
			  "imapd_commit_duration_seconds_bucket{le=\"0.00025\"} 3\n");
	assert_has(&text, "imapd_commit_duration_seconds_bucket{le=\"60.0\"} 3\n"
			  "imapd_commit_duration_seconds_bucket{le=\"+Inf\"} 4\n"
			  "imapd_commit_duration_seconds_sum 3600.000201\n"
			  "imapd_commit_duration_seconds_count 4\n");
	buffer_free(&text);
	metrics_report_free(&report);
}

static void
test_what_is_told(void **state)
{
	struct metrics_report *report = metrics_report_new();
	struct buffer text;

	(void)state;
	metrics_report_add(report, METRIC_BUILD, "0.1", "cas", 1);
	metrics_report_add(report, METRIC_BACKEND_UP, "a\"b\\c\nd", NULL, 0);
	metrics_report_add(report, METRIC_PROCESS_CPU, NULL, NULL, 1500000);
	metrics_report_set_roles(report, 1u << METRIC_MAILBOX);
	text = write(report, METRICS_PROMETHEUS);
	assert_has(&text, "# TYPE imapd_build_info gauge\nimapd_build_info{version=\"0.1\",role=\"cas\"} 1\n");
	assert_has(&text, "imapd_backend_up{backend=\"a\\\"b\\\\c\\nd\"} 0\n");
	assert_has(&text, "\nprocess_cpu_seconds_total 1.5\n");
	assert_lacks(&text, "imapd_backend_rtt_seconds");
	assert_lacks(&text, "imapd_connections_total{role=\"cas\"");
	buffer_free(&text);
	text = write(report, METRICS_OPENMETRICS);
	assert_has(&text, "# TYPE imapd_build info\nimapd_build_info{version=\"0.1\",role=\"cas\"} 1\n");
	assert_has(&text, "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 1.5\n");
	assert_string_equal(buffer_string(&text) + text.length - 6, "# EOF\n");
	buffer_free(&text);
	metrics_report_free(&report);
}

static void
test_formats(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} cases[] = {
		{ "", METRICS_PROMETHEUS },
		{ "*/*", METRICS_PROMETHEUS },
		{ "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", METRICS_PROMETHEUS },
		{ "application/openmetrics-text", METRICS_OPENMETRICS },
		{ "Application/OpenMetrics-Text;version=1.0.0", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", METRICS_OPENMETRICS },	/* Prometheus 2.42 */
		{ "application/openmetrics-text;q=0,*/*", METRICS_PROMETHEUS },
		{ "application/openmetrics-text; q=0.0, text/plain", METRICS_PROMETHEUS },
		{ "application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", METRICS_PROMETHEUS },
		{ "application/openmetrics-textual", METRICS_PROMETHEUS },
		{ "application/openmetrics-text;version=0.0.1", METRICS_PROMETHEUS },
		{ "text/plain", METRICS_PROMETHEUS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (metrics_format_for(span_from_string(cases[i].accept)) != cases[i].format)
			fail_msg("%s", cases[i].accept);
}

static void *
count_much(void *context)
{
	(void)context;
	for (int i = 0; i < 10000; i++) {
		metric_count(METRIC_CACHE, METRIC_CACHE_STATE, METRIC_HIT);
		metric_observe_us(METRIC_FOLD_DURATION, 0, 1);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct metrics_report *report = metrics_report_new();
	pthread_t threads[4];
	struct buffer text;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
	text = write(report, METRICS_PROMETHEUS);		/* meanwhile */
	buffer_free(&text);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	text = write(report, METRICS_PROMETHEUS);
	assert_int_equal(metric_read(METRIC_CACHE, METRIC_CACHE_STATE, METRIC_HIT), 40000);
	assert_has(&text, "imapd_wal_checkpoint_duration_seconds_count 40000\n");
	assert_has(&text, "imapd_wal_checkpoint_duration_seconds_sum 0.04\n");
	buffer_free(&text);
	metrics_report_free(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_whole),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_histograms),
		cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
