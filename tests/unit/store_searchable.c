/*
 * Rows of searchable: they come with a message or later, with the sent date of the content, and go with it.
 */
#include <limits.h>

#include "store_fixture.h"

static const struct store_searchable example = {
	.version = 7,
	.texts = {
		[STORE_SEARCHABLE_SUBJECT] = SPAN("SUBJECT"),
		[STORE_SEARCHABLE_FROM] = SPAN("FROM"),
		[STORE_SEARCHABLE_TO] = SPAN("TO"),
		[STORE_SEARCHABLE_CC] = SPAN(""),
		[STORE_SEARCHABLE_MESSAGE_ID] = SPAN("ID"),
	},
};

static uint64_t
append(struct fixture *fixture, const struct store_searchable *searchable, bool has_sent_date)
{
	struct span piece = SPAN("Subject: a\r\n\r\n");
	struct store_arrival arrival = { .pieces = &piece, .piece_count = 1, .header_length = piece.length,
		.has_sent_date = has_sent_date, .sent_day = -7, .searchable = searchable };
	struct store_message message;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_append(fixture->store, fixture->inbox, &arrival, &message), STORE_OK);
	commit(fixture);
	return message.content_id;
}

struct expected {
	const struct store_searchable *searchable;	/* NULL: no row */
	unsigned texts;
	bool has_sent_date;
};

static bool
on_expected(size_t place, const struct store_searchable *searchable, void *context)
{
	const struct expected *expected = (const struct expected *)context + place;

	assert_int_equal(searchable != NULL, expected->searchable != NULL);
	if (searchable == NULL)
		return true;
	assert_int_equal(searchable->version, expected->searchable->version);
	assert_int_equal(searchable->has_sent_date, expected->has_sent_date);
	assert_int_equal(searchable->sent_day, expected->has_sent_date ? -7 : 0);
	for (unsigned i = 0; i < STORE_SEARCHABLE_COUNT; i++) {
		struct span text = expected->searchable->texts[i];

		assert_int_equal(searchable->texts[i].at != NULL, text.at != NULL && expected->texts & 1u << i);
		if (searchable->texts[i].at != NULL)
			assert_true(span_equals(searchable->texts[i], text));
	}
	return true;
}

static void
expect(struct fixture *fixture, uint64_t content_id, struct expected expected)
{
	assert_int_equal(store_searchable_each(fixture->store, &content_id, 1, expected.texts, on_expected, &expected),
	    STORE_OK);
}

static void
comes_with_a_message(void **state)
{
	static const struct store_searchable empty;
	struct fixture *fixture = *state;
	uint64_t ids[] = { append(fixture, &example, true), append(fixture, NULL, true), append(fixture, &empty, false) };
	struct expected expected[] = { { &example, UINT_MAX, true }, { NULL, UINT_MAX, true }, { &empty, UINT_MAX, false } };

	assert_int_equal(store_searchable_each(fixture->store, ids, 3, UINT_MAX, on_expected, expected), STORE_OK);
	expect(fixture, ids[0], (struct expected){ &example, 1u << STORE_SEARCHABLE_CC, true });
}

static void
comes_later(void **state)
{
	static const struct store_searchable other = { .version = 7 };
	struct fixture *fixture = *state;
	uint64_t id = append(fixture, NULL, true);

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_searchable_keep(fixture->store, id, &example), STORE_OK);
	assert_int_equal(store_searchable_keep(fixture->store, id, &other), STORE_OK);	/* it has one */
	assert_int_equal(store_searchable_keep(fixture->store, id + 1, &example), STORE_OK);	/* no such content */
	commit(fixture);
	expect(fixture, id, (struct expected){ &example, UINT_MAX, true });
	expect(fixture, id + 1, (struct expected){ NULL, UINT_MAX, true });
}

/* Texts that were made in another way are made anew. */
static void
comes_again_with_a_version(void **state)
{
	static const struct store_searchable newer = { .version = 8, .texts = { [STORE_SEARCHABLE_FROM] = SPAN("NEWER") } };
	struct fixture *fixture = *state;
	uint64_t id = append(fixture, &example, true);

	begin(fixture, STORE_LAZY);
	assert_int_equal(store_searchable_keep(fixture->store, id, &newer), STORE_OK);
	commit(fixture);
	expect(fixture, id, (struct expected){ &newer, UINT_MAX, true });
}

static void
goes_with_the_content(void **state)
{
	struct fixture *fixture = *state;
	uint64_t id = append(fixture, &example, false), modseq;
	size_t count;
	bool is_more;

	begin(fixture, STORE_DURABLE);
	assert_int_equal(store_expunge(fixture->store, fixture->inbox, (uint32_t[]){ 1 }, 1, NULL, (uint32_t[1]){ 0 }, &count,
	    &modseq), STORE_OK);
	expect(fixture, id, (struct expected){ &example, UINT_MAX, false });
	assert_int_equal(store_purge(fixture->store, 10, UINT64_MAX, &is_more), STORE_OK);
	commit(fixture);
	expect(fixture, id, (struct expected){ NULL, UINT_MAX, false });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_with_a_message, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(comes_later, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(comes_again_with_a_version, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(goes_with_the_content, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
