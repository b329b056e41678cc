/*
 * Spans of UIDs against the messages themselves: no change is passed over, and few messages are looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/mailbox/shared/modseqs.h"
#include "base/memory.h"

static uint32_t
draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Walk all messages that may have changed; gives how many were looked at, and how many have. */
static size_t
walk(const struct modseqs *modseqs, const struct store_message *messages, size_t count, uint64_t since, size_t *changed_out)
{
	size_t looked_at = 0;

	*changed_out = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t next = modseqs_next(modseqs, messages[i].uid, since);

		if (next == 0)
			break;
		if (next > messages[i].uid)
			continue;
		assert_int_equal(next, messages[i].uid);
		looked_at++;
		*changed_out += messages[i].modseq > since;
	}
	return looked_at;
}

static size_t
count_changed(const struct store_message *messages, size_t count, uint64_t since)
{
	size_t changed = 0;

	for (size_t i = 0; i < count; i++)
		changed += messages[i].modseq > since;
	return changed;
}

/* Whatever gaps the UIDs have, and however high they go. */
static void
test_nothing_is_missed(void **unused)
{
	static const uint32_t gaps[] = { 1, 3, 100, 70000, 4000000 };
	enum { COUNT = 1000 };

	(void)unused;
	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		struct store_message messages[COUNT];
		struct modseqs modseqs = { .count = 0 };
		uint32_t uid = 0, seed = gaps[i];
		size_t changed;

		for (size_t n = 0; n < COUNT; n++)
			messages[n] = (struct store_message){ .uid = uid += 1 + draw(&seed) % gaps[i], .modseq = draw(&seed) % 50 + 1 };
		modseqs_note_all(&modseqs, messages, COUNT);
		for (uint64_t modseq = 60; modseq < 100; modseq++) {
			struct store_message *message = &messages[draw(&seed) % COUNT];

			message->modseq = modseq;
			modseqs_note(&modseqs, message->uid, modseq);
		}
		for (uint64_t since = 0; since <= 100; since++) {
			walk(&modseqs, messages, COUNT, since, &changed);
			assert_int_equal(changed, count_changed(messages, COUNT, since));
		}
		assert_in_range(modseqs_octets(&modseqs), 1, 1 << 20);
		modseqs_free(&modseqs);
	}
}

/* A hundred changes among a million messages: what is looked at goes with the changes. */
static void
test_few_are_looked_at(void **unused)
{
	enum { COUNT = 1000000, CHANGES = 100 };
	struct store_message *messages = memory_new_array(COUNT, sizeof *messages);
	struct modseqs modseqs = { .count = 0 };
	size_t changed;

	(void)unused;
	for (uint32_t i = 0; i < COUNT; i++)
		messages[i] = (struct store_message){ .uid = i + 1, .modseq = 1 };
	modseqs_note_all(&modseqs, messages, COUNT);
	assert_int_equal(walk(&modseqs, messages, COUNT, 1, &changed), 0);
	for (uint32_t i = 0; i < COUNT; i += COUNT / CHANGES) {
		messages[i].modseq = 2;
		modseqs_note(&modseqs, messages[i].uid, 2);
	}
	assert_in_range(walk(&modseqs, messages, COUNT, 1, &changed), CHANGES, CHANGES * 64);
	assert_int_equal(changed, CHANGES);
	assert_int_equal(modseqs_next(&modseqs, 1, 2), 0);
	modseqs_free(&modseqs);
	free(messages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_missed),
		cmocka_unit_test(test_few_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
