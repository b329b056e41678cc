/*
 * Threads of messages that no mail has: as deep as there are messages, and made to cost time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/mailbox/sort/thread.h"
#include "base/memory.h"

static void
add_id(struct buffer *links, uint64_t number)
{
	uint8_t id[IMAP_LINK_OCTETS] = { 1 };

	memcpy(id + 8, &number, sizeof number);
	buffer_add(links, id, sizeof id);
}

/* A message with an id that answers another one; 0: none. */
static bool
add(struct thread *thread, uint64_t id, uint64_t parent)
{
	struct sort_message message = { .internal_date_s = (int64_t)id };
	struct store_ordering ordering = { .is_reply = parent != 0 };
	struct buffer links = { 0 };
	bool is_added;

	add_id(&links, id);
	if (parent != 0)
		add_id(&links, parent);
	ordering.links = buffer_span(&links);
	is_added = thread_add(thread, &message, &ordering);
	buffer_free(&links);
	return is_added;
}

static void
run(struct thread *thread)
{
	while (!thread_advance(thread))
		continue;
}

static uint32_t
token(const struct thread *thread, size_t place)
{
	uint32_t value;

	memcpy(&value, thread->list.at + place * sizeof value, sizeof value);
	return value;
}

/* One chain, its messages in rising or falling order: neither time nor stack by its depth. */
static void
as_deep_as_messages(void **state)
{
	enum { COUNT = 300000 };

	(void)state;
	for (int is_falling = 0; is_falling < 2; is_falling++) {
		struct thread thread;

		thread_init(&thread, is_falling ? IMAP_THREAD_REFS : IMAP_THREAD_REFERENCES);
		for (uint64_t i = 1; i <= COUNT; i++) {
			uint64_t id = is_falling ? COUNT + 1 - i : i;

			assert_true(add(&thread, id, id - 1));
		}
		run(&thread);
		assert_int_equal(thread.list.length / sizeof(uint32_t), COUNT + 2);
		assert_int_equal(token(&thread, 0), THREAD_OPEN);
		for (uint32_t i = 0; i < COUNT; i++)
			assert_int_equal(token(&thread, i + 1), is_falling ? COUNT - 1 - i : i);
		assert_int_equal(token(&thread, COUNT + 1), THREAD_CLOSE);
		thread_fini(&thread);
	}
}

/* References from the end of a deep thread to its beginning: each would be a loop, and is found by going all the way. */
static void
loops_have_a_price(void **state)
{
	enum { DEPTH = 100000 };
	struct sort_message message = { .number = 1 };
	struct store_ordering ordering = { .is_reply = true };
	struct buffer links = { 0 };
	struct thread thread;
	int taken = 0;

	(void)state;
	thread_init(&thread, IMAP_THREAD_REFERENCES);
	for (uint64_t id = 1; id <= DEPTH; id++)
		assert_true(add(&thread, id, id - 1));
	add_id(&links, DEPTH + 1);
	for (int i = 0; i < 500; i++) {
		add_id(&links, DEPTH);
		add_id(&links, 1);
	}
	ordering.links = buffer_span(&links);
	while (taken < 100 && thread_add(&thread, &message, &ordering))
		taken++;
	assert_true(taken < 100);
	buffer_free(&links);
	thread_fini(&thread);
}

static void
nothing_gives_nothing(void **state)
{
	(void)state;
	for (enum imap_thread_algorithm i = 0; i < IMAP_THREAD_ALGORITHM_COUNT; i++) {
		struct thread thread;

		thread_init(&thread, i);
		run(&thread);
		assert_int_equal(thread.list.length, 0);
		thread_fini(&thread);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_deep_as_messages),
		cmocka_unit_test(loops_have_a_price),
		cmocka_unit_test(nothing_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
