/*
 * A session as text: what is written is read again, and nothing else is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/mailbox/session/carried.h"

static struct imap_range ghosts[] = { { 3, 3 }, { 7, 9 } }, recent[] = { { 10, 12 } }, saved[] = { { 1, 4294967295 } };
static struct view_known known[] = { { 5, UINT64_MAX, 77 }, { 6, 0, 78 } };

static const struct carried all = {
	.account = SPAN("0123456789abcdef0123456789abcdef"),
	.is_rev2 = true,
	.has_condstore = true,
	.has_qresync = true,
	.message_limit = 1000,
	.save_limit = UINT32_MAX,
	.quiet_ms = 123456789012,
	.id = SPAN("name\0Thunderbird"),
	.is_idling = true,
	.idle_tag = SPAN("a.7"),
	.mailbox_id = UINT64_MAX,
	.uidvalidity = 1,
	.name = SPAN("Gr\303\274\303\237e\nand more"),
	.is_examined = true,
	.view = { .limit_uid = 13, .told_exists = 9, .told_recent = 3, .told_modseq = 76, .told_keywords = 2,
	    .ghost_modseq = 70, .owes_flags = true, .ghosts = { .ranges = ghosts, .count = 2 },
	    .recent = { .ranges = recent, .count = 1 }, .known = known, .known_count = 2 },
	.saved = { .ranges = saved, .count = 1 },
};

static void
test_round(void **state)
{
	struct buffer text = { 0 }, again = { 0 };
	struct arena *arena = arena_new();
	struct carried carried;

	(void)state;
	carried_write(&all, &text);
	assert_true(carried_read(buffer_span(&text), arena, &carried));
	carried_write(&carried, &again);
	assert_string_equal(buffer_string(&again), buffer_string(&text));
	assert_true(span_equals(carried.name, all.name) && span_equals(carried.id, all.id) && span_equals(carried.account, all.account));
	assert_int_equal(carried.view.known[0].flags, UINT64_MAX);
	assert_false(carried.has_utf8 || carried.is_uid_only || carried.view.owes_modseq);
	assert_int_equal(carried.view.ghosts.ranges[1].last, 9);
	buffer_free(&text);
	buffer_free(&again);
	arena_free(&arena);
}

static void
test_many_known(void **state)
{
	static struct view_known many[2000];
	struct carried written = all, carried;
	struct buffer text = { 0 };
	struct arena *arena = arena_new();

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(many); i++)
		many[i] = (struct view_known){ .uid = i + 1, .flags = 1, .modseq = i + 1 };
	written.view.known = many;
	written.view.known_count = COUNT_OF(many);
	carried_write(&written, &text);
	assert_true(text.length <= CARRIED_OCTETS_MAX && carried_read(buffer_span(&text), arena, &carried));
	assert_int_equal(carried.view.known_count, COUNT_OF(many));
	assert_int_equal(carried.view.known[COUNT_OF(many) - 1].uid, COUNT_OF(many));
	buffer_free(&text);
	arena_free(&arena);
}

static void
test_what_is_none(void **state)
{
	static const char *const texts[] = { "", "session 2\n", "session 1", "session 1\nwings 1\n", "session 1\nrev2 yes\n",
		"session 1\nmessage-limit 4294967296\n", "session 1\nid ?\n", "session 1\nghosts 3:*\n", "session 1\nsaved $\n",
		"session 1\nghosts 0\n", "session 1\nknown 1 2\n", "session 1\nknown\n", "session 1\n\n",
		"session 1\nidle 1\n", "session 1\nidle 1\nidle-tag YQ0KYg==\n" /* a, CRLF, b */ };
	struct arena *arena = arena_new();
	struct carried carried;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (i != 2)		/* the last line end may be missing */
			assert_false(carried_read(span_from_string(texts[i]), arena, &carried));
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_many_known),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
