/*
 * When a WAL is folded: at its bound, one after the other, and early for who is quiet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/mailbox/shared/folding.h"

#define BOUND 8000000

/* A job of that account has come home, and tells how long its WAL is. */
static void
note(struct folding *folding, uint64_t octets)
{
	struct account_job job = { .wal_octets = octets, .wal_bound = BOUND };

	folding_note(folding, &job);
}

static void
end(struct folding *folding, uint64_t left)
{
	note(folding, left);
	folding->job.done(&folding->job);
}

static void
at_its_bound(void **state)
{
	struct folds folds = { 0 };
	struct folding folding = { 0 };

	(void)state;
	folding_init(&folding, &folds);
	assert_false(folding_is_due(&folding, true));
	note(&folding, BOUND - 1);
	assert_false(folding_is_due(&folding, false));
	note(&folding, BOUND);
	assert_true(folding_is_due(&folding, false));
	assert_false(folding_is_due(&folding, false));	/* it is under way */
	end(&folding, 0);
	note(&folding, 2000000);
	assert_false(folding_is_due(&folding, false));
	assert_true(folding_is_due(&folding, true));	/* nobody waits */
}

/* What another program holds up is tried again when as much has come. */
static void
after_what_was_left(void **state)
{
	struct folds folds = { 0 };
	struct folding folding = { 0 };

	(void)state;
	folding_init(&folding, &folds);
	note(&folding, BOUND);
	assert_true(folding_is_due(&folding, false));
	end(&folding, BOUND);
	note(&folding, 2 * BOUND - 1);
	assert_false(folding_is_due(&folding, false));
	note(&folding, 2 * BOUND);
	assert_true(folding_is_due(&folding, false));
	end(&folding, 2 * BOUND);
	note(&folding, 0);			/* it has begun anew */
	note(&folding, BOUND);
	assert_true(folding_is_due(&folding, false));
}

static void
one_after_the_other(void **state)
{
	struct folds folds = { 0 };
	struct folding first = { 0 }, second = { 0 }, third = { 0 };

	(void)state;
	folding_init(&first, &folds);
	folding_init(&second, &folds);
	folding_init(&third, &folds);
	note(&first, BOUND);
	note(&second, BOUND);
	note(&third, 2 * BOUND);
	assert_true(folding_is_due(&first, false));
	assert_false(folding_is_due(&second, false));
	assert_true(folding_is_due(&third, false));	/* that is too long to wait */
	end(&first, 0);
	assert_false(folding_is_due(&second, false));
	end(&third, 0);
	assert_true(folding_is_due(&second, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_its_bound),
		cmocka_unit_test(after_what_was_left),
		cmocka_unit_test(one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
