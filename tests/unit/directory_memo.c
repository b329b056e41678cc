/*
 * Users remembered for when no LDAP server answers: for how long, how many, and that copies are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/directory/memo.h"
#include "base/clock.h"
#include "base/memory.h"

#define SECOND UINT64_C(1000000)

static struct directory_user
user_named(const char *name)
{
	return (struct directory_user){ .name = span_from_string(name), .credential = SPAN("uid=x,dc=org"),
		.credential_version = 7, .home = SPAN("mbx1"), .is_enabled = true };
}

static bool
knows(struct memo *memo, const char *name)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	bool is_known = memo_find(memo, span_from_string(name), arena, &user);

	arena_free(&arena);
	return is_known;
}

static void
keeps_copies(void **state)
{
	struct memo *memo = memo_new(60, 10);
	struct arena *arena = arena_new();
	char name[] = "tim", asked[] = "tim@example.org";
	char group[] = "sales";
	const struct span groups[] = { SPAN("boss"), span_from_string(group) };
	struct directory_user user = user_named(name), found;

	(void)state;
	user.groups = groups;
	user.group_count = COUNT_OF(groups);
	user.delegates = &groups[1];
	user.delegate_count = 1;
	memo_add(memo, span_from_string(asked), &user);
	memset(group, 'x', 3);
	memset(name, 'x', 3);
	memset(asked, 'x', 3);
	assert_true(memo_find(memo, SPAN("tim@example.org"), arena, &found));
	memo_free(&memo);
	assert_null(memo);
	assert_true(span_equals(found.name, SPAN("tim")));
	assert_true(span_equals(found.credential, SPAN("uid=x,dc=org")));
	assert_true(span_equals(found.home, SPAN("mbx1")));
	assert_int_equal(found.credential_version, 7);
	assert_true(found.is_enabled);
	assert_int_equal(found.group_count, 2);
	assert_int_equal(found.delegate_count, 1);
	assert_true(span_equals(found.delegates[0], SPAN("sales")));
	assert_true(span_equals(found.groups[0], SPAN("boss")));
	assert_true(span_equals(found.groups[1], SPAN("sales")));
	arena_free(&arena);
}

static void
forgets(void **state)
{
	struct memo *memo = memo_new(60, 10);
	struct directory_user tim = user_named("tim");

	(void)state;
	clock_fake(SECOND, 1);
	memo_add(memo, tim.name, &tim);
	clock_fake(60 * SECOND, 1);
	assert_true(knows(memo, "tim"));
	clock_fake(61 * SECOND, 1);
	assert_false(knows(memo, "tim"));
	clock_fake(1 * SECOND, 1);
	assert_false(knows(memo, "tim"));	/* it is gone, not only old */

	memo_add(memo, tim.name, &tim);
	clock_fake(50 * SECOND, 1);
	memo_add(memo, tim.name, &tim);		/* found again: known for longer */
	clock_fake(100 * SECOND, 1);
	assert_true(knows(memo, "tim"));
	memo_forget(memo, tim.name);
	memo_forget(memo, tim.name);
	assert_false(knows(memo, "tim"));
	clock_fake(0, 0);
	memo_free(&memo);
	memo_free(&memo);
}

static void
has_bounds(void **state)
{
	struct memo *memo = memo_new(60, 2), *none = memo_new(0, 2);
	struct directory_user users[] = { user_named("a"), user_named("b"), user_named("c") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(users); i++) {
		memo_add(memo, users[i].name, &users[i]);
		memo_add(none, users[i].name, &users[i]);
	}
	assert_false(knows(memo, "a"));
	assert_true(knows(memo, "b"));
	assert_true(knows(memo, "c"));
	assert_false(knows(none, "c"));
	memo_free(&memo);
	memo_free(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_copies),
		cmocka_unit_test(forgets),
		cmocka_unit_test(has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
