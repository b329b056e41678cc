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
#include "imap/ordering.h"

static void
add_id(struct buffer *links, uint64_t number)
{
	uint8_t id[IMAP_LINK_OCTETS] = { 1 };

	memcpy(id + 8, &number, sizeof number);
	buffer_add(links, id, sizeof id);
}

/* Messages and what is known of them. */
struct world {
	struct keys *keys;
	struct sort_message *messages;
	size_t count;
	struct thread thread;
};

static void
init(struct world *world, size_t capacity)
{
	*world = (struct world){ .keys = keys_new() };
	world->messages = memory_new_array(capacity, sizeof *world->messages);
}

static void
fini(struct world *world)
{
	thread_fini(&world->thread);
	keys_free(world->keys);
	free(world->messages);
}

static void
add_links(struct world *world, int64_t arrival_s, struct span links)
{
	uint64_t content_id = world->count + 1;
	struct store_ordering ordering = { .is_reply = links.length > IMAP_LINK_OCTETS, .links = links };

	keys_add(world->keys, content_id, STORE_ORDERING_ALL, &ordering);
	world->messages[world->count] = (struct sort_message){ .content_id = content_id, .internal_date_s = arrival_s,
		.slot = keys_find(world->keys, content_id, STORE_ORDERING_ALL, 0) };
	assert_int_not_equal(world->messages[world->count].slot, KEYS_NO_SLOT);
	world->count++;
}

/* A message with an id that answers another one; 0: none. */
static void
add(struct world *world, uint64_t id, uint64_t parent)
{
	struct buffer links = { 0 };

	add_id(&links, id);
	if (parent != 0)
		add_id(&links, parent);
	add_links(world, (int64_t)id, buffer_span(&links));
	buffer_free(&links);
}

static void
run(struct world *world, enum imap_thread_algorithm algorithm)
{
	thread_init(&world->thread, algorithm, world->keys, world->messages, world->count);
	while (!thread_advance(&world->thread))
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
		struct world world;

		init(&world, COUNT);
		for (uint64_t i = 1; i <= COUNT; i++) {
			uint64_t id = is_falling ? COUNT + 1 - i : i;

			add(&world, id, id - 1);
		}
		run(&world, is_falling ? IMAP_THREAD_REFS : IMAP_THREAD_REFERENCES);
		assert_int_equal(world.thread.list.length / sizeof(uint32_t), COUNT + 2);
		assert_int_equal(token(&world.thread, 0), THREAD_OPEN);
		for (uint32_t i = 0; i < COUNT; i++)
			assert_int_equal(token(&world.thread, i + 1), is_falling ? COUNT - 1 - i : i);
		assert_int_equal(token(&world.thread, COUNT + 1), THREAD_CLOSE);
		fini(&world);
	}
}

/* References from the end of a deep thread to its beginning: each would be a loop, and is found by going all the way. */
static void
loops_have_a_price(void **state)
{
	enum { DEPTH = 100000, LOOPS = 100 };
	struct buffer links = { 0 };
	struct world world;

	(void)state;
	init(&world, DEPTH + LOOPS);
	for (uint64_t id = 1; id <= DEPTH; id++)
		add(&world, id, id - 1);
	add_id(&links, DEPTH + 1);
	for (int i = 0; i < 500; i++) {
		add_id(&links, DEPTH);
		add_id(&links, 1);
	}
	for (int i = 0; i < LOOPS; i++)
		add_links(&world, 0, buffer_span(&links));
	run(&world, IMAP_THREAD_REFERENCES);
	assert_true(world.thread.is_too_much);
	assert_true(world.thread.placed < DEPTH + LOOPS);
	buffer_free(&links);
	fini(&world);
}

static void
nothing_gives_nothing(void **state)
{
	(void)state;
	for (enum imap_thread_algorithm i = 0; i < IMAP_THREAD_ALGORITHM_COUNT; i++) {
		struct world world;

		init(&world, 1);
		run(&world, i);
		assert_false(world.thread.is_too_much);
		assert_int_equal(world.thread.list.length, 0);
		fini(&world);
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
