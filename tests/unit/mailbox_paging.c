/*
 * What open stores hold in memory: how much each may, and who gives it back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/memory.h"
#include "../../src/mailbox/shared/paging.h"

#define STORES 100

struct fixture {
	struct paging paging;
	struct pages pages[STORES];
};

static int
set_up(void **state)
{
	struct fixture *fixture = NEW(struct fixture);

	paging_init(&fixture->paging);
	for (size_t i = 0; i < STORES; i++)
		pages_init(&fixture->pages[i]);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

/* A job of that store has come home, and tells what it holds. */
static void
note(struct fixture *fixture, size_t store, uint64_t octets)
{
	struct account_job job = { .page_octets = octets };

	paging_note(&fixture->paging, &fixture->pages[store], &job);
}

static bool
is_quiet(const struct pages *pages)
{
	(void)pages;
	return true;
}

static bool
is_busy(const struct pages *pages)
{
	(void)pages;
	return false;
}

static void
shares(void **state)
{
	static const struct {
		size_t stores;
		unsigned kib;
	} cases[] = { { 1, 1000 }, { 8, 1000 }, { 9, 500 }, { 16, 500 }, { 17, 250 }, { 32, 250 }, { 33, 125 }, { STORES, 125 } };
	struct fixture *fixture = *state;
	size_t store = 0;

	assert_int_equal(paging_share_kib(&fixture->paging), 1000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (; store < cases[i].stores; store++)
			note(fixture, store, 100000);
		assert_int_equal(paging_share_kib(&fixture->paging), cases[i].kib);
	}
	/* Who tells the same again counts once, and who has given back counts no more. */
	note(fixture, 0, 200000);
	for (store = 8; store < STORES; store++)
		note(fixture, store, 0);
	assert_int_equal(paging_share_kib(&fixture->paging), 1000);
}

static void
gives_back_the_least_recently_used(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 40; i++)
		note(fixture, i, 600000);
	assert_null(paging_due(&fixture->paging, is_quiet));
	for (size_t i = 40; i < 50; i++)
		note(fixture, i, 600000);
	assert_false(paging_is_much(&fixture->paging));
	assert_null(paging_due(&fixture->paging, is_busy));
	assert_ptr_equal(paging_due(&fixture->paging, is_quiet), &fixture->pages[0]);
	note(fixture, 0, 600000);
	assert_ptr_equal(paging_due(&fixture->paging, is_quiet), &fixture->pages[1]);
	for (size_t i = 50; i < 60; i++)
		note(fixture, i, 600000);
	assert_true(paging_is_much(&fixture->paging));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shares, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_back_the_least_recently_used, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
