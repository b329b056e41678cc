/*
 * Parameters in sections, as they come out of a header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "mime/part.h"

static const struct {
	const char *parameters, *told;
} cases[] = {
	{ "a=1; b*=x''y", "a=1 b*=x''y" },
	{ "n*0=one; n*1=\" two\"", "n=one two" },
	/* RFC 2231 section 4.1. */
	{ "title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20;"
	  " title*2=\"isn't it!\"",
	    "title*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!" },
	{ "x=1; N*1=b; y=2; n*0=a; n*3=d", "x=1 N=ab y=2 n*3=d" },	/* out of order, a gap */
	{ "n*0=\"a b\"; n*1*=%20c", "n*=''a%20b%20c" },
	{ "n*0=a; n*0=b; n*1=c", "n=ac n=b" },
	{ "n*1=b", "n*1=b" },
	{ "*0=a; n*=; n**0=b; n*0000=c; n*x=d", "*0=a n*= n*=b n*0000=c n*x=d" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer header = { 0 }, told = { 0 };
		struct mime_tree tree;

		buffer_printf(&header, "Content-Type: a/b; %s\r\n\r\n", cases[i].parameters);
		mime_tree_init(&tree, buffer_span(&header));
		for (size_t j = 0; j < tree.parts[0].parameters.count; j++) {
			const struct mime_parameter *parameter = &tree.parts[0].parameters.at[j];

			buffer_printf(&told, "%s%.*s=%.*s", j == 0 ? "" : " ", SPAN_ARGS(parameter->name),
			    SPAN_ARGS(parameter->value));
		}
		assert_string_equal(buffer_string(&told), cases[i].told);
		mime_tree_fini(&tree);
		buffer_free(&header);
		buffer_free(&told);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
