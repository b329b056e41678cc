/*
 * Indexing in slices: what becomes of a message that is half indexed when another file lies in the place of its own.  And
 * comparing in slices: where that can be left.
 */
#include "../../src/mailbox/shared/index_check.h"
#include "../../src/mailbox/shared/indexer.h"
#include "store_fixture.h"

/* One step, since time is up before it begins: a piece of a message. */
static void
run_step(struct fixture *fixture, struct indexer *indexer)
{
	bool is_more;

	begin(fixture, STORE_DERIVED);
	assert_int_equal(indexer_run(indexer, fixture->store, 0, &is_more), STORE_OK);
	assert_true(is_more);
	commit(fixture);
}

static void
run_until(struct fixture *fixture, struct indexer *indexer, uint64_t content_id)
{
	while (indexer->content_id != content_id)
		run_step(fixture, indexer);
}

static void
put(struct fixture *fixture, const char *from, const char *to)
{
	char command[256];

	store_close(&fixture->store);
	snprintf(command, sizeof command, "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
	fixture_open(fixture);
}

/* A copy from before has the numbers of its index, and not all that was indexed since. */
static void
test_copy_put_back(void **state)
{
	struct fixture *fixture = *state;
	struct indexer indexer = { .content_id = 0 };
	char copy[128];

	snprintf(copy, sizeof copy, "%s/copy", fixture->folder);
	append_many(fixture, fixture->inbox, 3);
	run_until(fixture, &indexer, 2);
	indexer_reset(&indexer);
	put(fixture, fixture->path, copy);
	run_until(fixture, &indexer, 3);
	put(fixture, copy, fixture->path);
	run_step(fixture, &indexer);
	assert_int_equal(indexer.content_id, 2);	/* not 3, as if 2 were done */
	indexer_reset(&indexer);
	unlink(copy);
}

/* A slice ends mostly within a message: whoever wants to leave says so, and need not wait until one happens to end with it. */
static void
test_check_ends_with_message(void **state)
{
	struct fixture *fixture = *state;
	struct indexer indexer = { .content_id = 0 };
	struct index_check check = { .place = { .block_id = UINT64_MAX } };
	bool is_more = true;

	append_many(fixture, fixture->inbox, 3);
	run_until(fixture, &indexer, 3);
	indexer_reset(&indexer);
	assert_int_equal(index_check_run(&check, fixture->store, 0, &is_more), STORE_OK);
	assert_int_equal(check.current_id, 1);
	check.is_ending = true;
	assert_int_equal(index_check_run(&check, fixture->store, UINT64_MAX, &is_more), STORE_OK);
	assert_true(is_more);
	assert_int_equal(check.current_id, 0);
	assert_int_equal(check.content_id, 1);
	assert_int_equal(check.checked, 1);
	index_check_fini(&check);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy_put_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_check_ends_with_message, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
