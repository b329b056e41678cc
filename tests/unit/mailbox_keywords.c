/*
 * Tables of keywords: what is learnt in any order, what a reader keeps while more is learnt, and what is shed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/mailbox/shared/keywords.h"
#include "base/memory.h"

static const uint16_t members[] = { 0, 1, 60 };

static struct store_keyword_set
set_of(uint64_t id)
{
	return (struct store_keyword_set){ id, { members, 1 + id % 3 } };
}

static uint64_t
word_of(uint64_t id)
{
	return STORE_FLAGS_HAS_SET | id << STORE_KEYWORD_BIT_MIN;
}

static void
learn(struct keywords **keywords, const uint64_t *ids, size_t count)
{
	struct store_keyword_set sets[200];

	for (size_t i = 0; i < count; i++)
		sets[i] = set_of(ids[i]);
	keywords_learn(keywords, &(struct store_keywords){ .first = (*keywords)->all.count, .sets = sets, .set_count = count });
}

static void
assert_ids(const struct imap_keywords *all, const uint64_t *ids, size_t count)
{
	assert_int_equal(all->set_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all->sets[i].id, ids[i]);
		assert_int_equal(all->sets[i].count, 1 + ids[i] % 3);
		assert_true(imap_flags_have(word_of(ids[i]), all, 0));
		assert_int_equal(imap_flags_have(word_of(ids[i]), all, 60), ids[i] % 3 == 2);
	}
}

#define IDS(...) (const uint64_t[]){ __VA_ARGS__ }, COUNT_OF(((const uint64_t[]){ __VA_ARGS__ }))

static void
test_learn(void **state)
{
	struct keywords *keywords = keywords_new(), *held;
	const char *names[] = { "One", NULL, "three" };
	struct imap_keywords before;
	size_t number;

	(void)state;
	keywords_learn(&keywords, &(struct store_keywords){ .names = names, .count = 3 });
	keywords_learn(&keywords, &(struct store_keywords){ .first = 1, .names = names, .count = 3 });
	assert_int_equal(keywords->all.count, 4);
	assert_true(keywords_find(keywords, SPAN("ONE"), &number));
	assert_int_equal(number, 0);
	assert_true(keywords_find(keywords, SPAN("Three"), &number));
	assert_false(keywords_find(keywords, SPAN("four"), &number));
	learn(&keywords, IDS(5, 7, 9));
	held = keywords_hold(keywords);
	before = held->all;
	learn(&keywords, IDS(7, 10));
	assert_ids(&keywords->all, IDS(5, 7, 9, 10));
	assert_ptr_equal(held, keywords);
	learn(&keywords, IDS(2, 7, 8, 12));
	assert_ids(&keywords->all, IDS(2, 5, 7, 8, 9, 10, 12));
	assert_ids(&before, IDS(5, 7, 9));
	assert_true(keywords_find(keywords, SPAN("three"), &number));
	keywords_release(&held);
	keywords_release(&keywords);
	assert_null(keywords);
	keywords_release(&keywords);
}

static void
test_shed(void **state)
{
	struct store_message messages[] = { { .uid = 1, .flags = word_of(70) | STORE_FLAG_SEEN }, { .uid = 2, .flags = 1 << 6 },
		{ .uid = 3, .flags = word_of(3) }, { .uid = 4, .flags = word_of(70) } };
	struct keywords *keywords = keywords_new();
	uint64_t ids[100];

	(void)state;
	for (uint64_t id = 0; id < COUNT_OF(ids); id++)
		ids[id] = id + 1;
	learn(&keywords, ids, 60);
	keywords_shed(&keywords, messages, COUNT_OF(messages));
	assert_int_equal(keywords->all.set_count, 60);
	learn(&keywords, ids, 100);
	keywords_shed(&keywords, messages, COUNT_OF(messages));
	assert_ids(&keywords->all, IDS(3, 70));
	learn(&keywords, IDS(70, 71));
	assert_ids(&keywords->all, IDS(3, 70, 71));
	keywords_release(&keywords);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_shed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
