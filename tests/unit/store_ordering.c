/*
 * Rows of ordering: they come with a message or later, are shared by copies, and go with the content.
 */
#include "store_fixture.h"

static const struct store_ordering example = {
	.has_sent_date = true,
	.sent_s = -5,
	.is_reply = true,
	.subject = SPAN("SUBJECT"),
	.from = SPAN("FROM"),
	.to = SPAN("TO"),
	.cc = SPAN("CC"),
	.from_name = SPAN("FROM NAME"),
	.to_name = SPAN("TO NAME"),
	.links = SPAN("0123456789abcdef"),
};

static uint64_t
append(struct fixture *fixture, const struct store_ordering *ordering)
{
	struct span piece = SPAN("Subject: a\r\n\r\n");
	struct store_arrival arrival = { .pieces = &piece, .piece_count = 1, .header_length = piece.length,
		.ordering = ordering };
	struct store_message message;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_append(fixture->store, fixture->inbox, &arrival, &message), STORE_OK);
	commit(fixture);
	return message.content_id;
}

static bool
on_expected(size_t place, const struct store_ordering *ordering, void *context)
{
	const struct store_ordering *const *expected = context;

	assert_int_equal(ordering != NULL, expected[place] != NULL);
	if (ordering == NULL)
		return true;
	assert_int_equal(ordering->has_sent_date, expected[place]->has_sent_date);
	assert_int_equal(ordering->sent_s, expected[place]->sent_s);
	assert_int_equal(ordering->is_reply, expected[place]->is_reply);
	assert_true(span_equals(ordering->subject, expected[place]->subject));
	assert_true(span_equals(ordering->from, expected[place]->from));
	assert_true(span_equals(ordering->to, expected[place]->to));
	assert_true(span_equals(ordering->cc, expected[place]->cc));
	assert_true(span_equals(ordering->from_name, expected[place]->from_name));
	assert_true(span_equals(ordering->to_name, expected[place]->to_name));
	assert_true(span_equals(ordering->links, expected[place]->links));
	return true;
}

static void
expect(struct fixture *fixture, uint64_t content_id, const struct store_ordering *expected)
{
	assert_int_equal(store_ordering_each(fixture->store, &content_id, 1, STORE_ORDERING_ALL, on_expected, &expected), STORE_OK);
}

static void
keep(struct fixture *fixture, uint64_t content_id, const struct store_ordering *ordering)
{
	begin(fixture, STORE_LAZY);
	assert_int_equal(store_ordering_keep(fixture->store, content_id, ordering), STORE_OK);
	commit(fixture);
}

static void
comes_with_a_message(void **state)
{
	static const struct store_ordering empty;
	struct fixture *fixture = *state;
	uint64_t ids[] = { append(fixture, &example), append(fixture, NULL), append(fixture, &empty) };
	const struct store_ordering *expected[] = { &example, NULL, &empty };

	assert_int_equal(store_ordering_each(fixture->store, ids, 3, STORE_ORDERING_ALL, on_expected, expected), STORE_OK);
}

static bool
on_until_third(size_t place, const struct store_ordering *ordering, void *context)
{
	(void)ordering;
	*(size_t *)context = place;
	return place < 2;
}

/* Whatever the order of the list, and whatever lies between. */
static void
comes_in_the_order_of_the_list(void **state)
{
	static const struct store_ordering other = { .subject = SPAN("OTHER") };
	struct fixture *fixture = *state;
	uint64_t ids[40], list[] = { 0, 1, 3, 39, 38, 38, 2, 3, 4, 30, 6, 7, 9 };
	const struct store_ordering *given[COUNT_OF(ids)], *expected[COUNT_OF(list)];
	size_t last;

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		given[i] = i % 3 == 0 ? NULL : i % 2 == 0 ? &example : &other;
		ids[i] = append(fixture, given[i]);
	}
	assert_int_equal(store_ordering_each(fixture->store, ids, COUNT_OF(ids), STORE_ORDERING_ALL, on_expected, given), STORE_OK);
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		expected[i] = given[list[i]];
		list[i] = ids[list[i]];
	}
	assert_int_equal(store_ordering_each(fixture->store, list, COUNT_OF(list), STORE_ORDERING_ALL, on_expected, expected), STORE_OK);
	assert_int_equal(store_ordering_each(fixture->store, ids, COUNT_OF(ids), STORE_ORDERING_ALL, on_until_third, &last), STORE_OK);
	assert_int_equal(last, 2);
	assert_int_equal(store_ordering_each(fixture->store, ids, 0, STORE_ORDERING_ALL, on_until_third, &last), STORE_OK);
}

static void
comes_later(void **state)
{
	static const struct store_ordering other = { .subject = SPAN("OTHER") };
	struct fixture *fixture = *state;
	uint64_t id = append(fixture, NULL);

	keep(fixture, id, &example);
	expect(fixture, id, &example);
	keep(fixture, id, &other);		/* it has one */
	expect(fixture, id, &example);
	keep(fixture, id + 1, &example);	/* no such content */
	expect(fixture, id + 1, NULL);
}

static void
goes_with_the_last_copy(void **state)
{
	struct fixture *fixture = *state;
	uint64_t id = append(fixture, &example), modseq;
	struct store_copied copied;
	size_t count;
	bool is_more;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_copy(fixture->store, fixture->inbox, fixture->inbox, (uint32_t[]){ 1 }, 1, &copied, &count),
	    STORE_OK);
	assert_int_equal(copied.message.content_id, id);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, (uint32_t[]){ 1 }, 1, NULL, (uint32_t[1]){ 0 }, &count,
	    &modseq), STORE_OK);
	assert_int_equal(store_purge(fixture->store, 10, UINT64_MAX, &is_more), STORE_OK);
	expect(fixture, id, &example);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, (uint32_t[]){ 2 }, 1, NULL, (uint32_t[1]){ 0 }, &count,
	    &modseq), STORE_OK);
	expect(fixture, id, &example);
	assert_int_equal(store_purge(fixture->store, 10, UINT64_MAX, &is_more), STORE_OK);
	commit(fixture);
	expect(fixture, id, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_with_a_message, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(comes_in_the_order_of_the_list, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(comes_later, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(goes_with_the_last_copy, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
