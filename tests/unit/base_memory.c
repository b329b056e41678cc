/*
 * Large blocks go back to the system, also after others like them have been freed.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"

/* How many blocks of their own there are more while a large one is. */
static int
blocks_for_large(void)
{
	size_t before = mallinfo2().hblks, meanwhile;
	void *block = memory_new(8 * 1024 * 1024);

	meanwhile = mallinfo2().hblks;
	free(block);
	assert_int_equal(mallinfo2().hblks, before);
	return (int)(meanwhile - before);
}

static void
large_blocks_are_returned(void **state)
{
	(void)state;
	if (blocks_for_large() == 0) {
		print_message("skipped: the allocator is that of a sanitizer\n");
		skip();
	}
	memory_return_large();
	for (int i = 0; i < 3; i++)
		assert_int_equal(blocks_for_large(), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_blocks_are_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
