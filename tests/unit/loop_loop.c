/*
 * The turn: deferred calls, timers on a test's clock, signals.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "loop/loop.h"

static char order[64];

static void
note(void *context)
{
	strncat(order, context, sizeof order - strlen(order) - 1);
}

static void
deferred_calls_keep_order(void **state)
{
	struct loop *loop = loop_new();
	struct deferred a, b, c;

	(void)state;
	order[0] = '\0';
	deferred_init(&a, note, "a");
	deferred_init(&b, note, "b");
	deferred_init(&c, note, "c");
	deferred_schedule(loop, &b);
	deferred_schedule(loop, &a);
	deferred_schedule(loop, &b);
	deferred_schedule(loop, &c);
	deferred_cancel(&c);
	assert_false(deferred_is_scheduled(&c));
	loop_turn(loop, false);
	assert_string_equal(order, "ba");
	loop_free(&loop);
}

static void
timers_fire_by_due_time(void **state)
{
	static const struct { char name[2]; unsigned after_ms; } cases[] = { { "c", 30 }, { "a", 10 },
		{ "e", 50 }, { "b", 20 }, { "x", 25 }, { "d", 40 } };
	struct timer timers[COUNT_OF(cases)];
	struct loop *loop;

	(void)state;
	order[0] = '\0';
	clock_fake(1000000, 0);
	loop = loop_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		timer_init(&timers[i], loop, note, (void *)cases[i].name);
		timer_start_ms(&timers[i], cases[i].after_ms);
	}
	timer_stop(&timers[4]);
	loop_turn(loop, false);
	assert_string_equal(order, "");
	clock_fake(1000000 + 30000, 0);
	loop_turn(loop, false);
	assert_string_equal(order, "abc");
	timer_start_ms(&timers[5], 100);	/* d anew: behind e */
	clock_fake(2000000, 0);
	loop_turn(loop, false);
	assert_string_equal(order, "abced");
	assert_false(timer_is_running(&timers[5]));
	loop_free(&loop);
	clock_fake(0, 0);
}

static void
many_timers_stay_sorted(void **state)
{
	static struct timer timers[2000];
	struct loop *loop;
	unsigned seed = 1;

	(void)state;
	clock_fake(1000000, 0);
	loop = loop_new();
	for (size_t i = 0; i < COUNT_OF(timers); i++) {
		timer_init(&timers[i], loop, note, "");
		seed = seed * 1103515245 + 12345;
		timer_start_ms(&timers[i], seed >> 16 & 1023);
	}
	for (size_t i = 0; i < COUNT_OF(timers); i += 3)
		timer_stop(&timers[i]);
	clock_fake(1000000 + 500 * 1000, 0);
	loop_turn(loop, false);
	for (size_t i = 0; i < COUNT_OF(timers); i++)
		assert_int_equal(timer_is_running(&timers[i]), i % 3 != 0 && timers[i].due_us > 1500000);
	for (size_t i = 0; i < COUNT_OF(timers); i++)
		timer_stop(&timers[i]);
	loop_free(&loop);
	clock_fake(0, 0);
}

static void
on_signal(int number, void *context)
{
	assert_int_equal(number, SIGUSR1);
	loop_stop(context);
}

static void
signals_arrive(void **state)
{
	struct loop *loop = loop_new();

	(void)state;
	loop_on_signal(loop, SIGUSR1, on_signal, loop);
	raise(SIGUSR1);
	loop_run(loop);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deferred_calls_keep_order),
		cmocka_unit_test(timers_fire_by_due_time),
		cmocka_unit_test(many_timers_stay_sorted),
		cmocka_unit_test(signals_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
