/*
 * The key file: made once, read by its owner alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/span.h"
#include "link/key.h"

static char folder[] = "/tmp/link-key-XXXXXX", path[64];

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/key", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void
put(const char *text)
{
	int descriptor;

	unlink(path);
	descriptor = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
	close(descriptor);
}

static void
test_made_and_read(void **state)
{
	struct link_key key, again;
	struct stat about;
	char *error = NULL;

	(void)state;
	assert_true(link_key_make(path, &error));
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_true(link_key_read(path, geteuid(), &key, &error));
	assert_true(strlen(key.name) > 8);
	assert_false(link_key_make(path, &error));
	assert_non_null(strstr(error, "never overwritten"));
	free(error);
	assert_true(link_key_read(path, geteuid(), &again, &error));
	assert_memory_equal(key.octets, again.octets, sizeof key.octets);
}

#define DIGITS "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

static void
test_text(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ "name a\nkey " DIGITS "\n", true },
		{ "# why\n\nkey " DIGITS "\nname A-b_c.9", true },
		{ "name a\n", false },
		{ "key " DIGITS "\n", false },
		{ "name a\nkey " DIGITS "0\n", false },
		{ "name a\nkey 0011\n", false },
		{ "name a b\nkey " DIGITS "\n", false },
		{ "name\nkey " DIGITS "\n", false },
		{ "name a\nname b\nkey " DIGITS "\n", false },
		{ "name a\nkey " DIGITS "\nmore\n", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct link_key key;
		char *error = NULL;

		put(cases[i].text);
		assert_int_equal(link_key_read(path, geteuid(), &key, &error), cases[i].is_good);
		assert_int_equal(error == NULL, cases[i].is_good);
		if (cases[i].is_good) {
			assert_int_equal(key.octets[1], 0x11);
			assert_int_equal(key.octets[16], 0xff);
		}
		free(error);
	}
}

static void
test_rights(void **state)
{
	struct link_key key;
	char *error = NULL;

	(void)state;
	put("name a\nkey " DIGITS "\n");
	chmod(path, 0640);
	assert_false(link_key_read(path, geteuid(), &key, &error));
	assert_non_null(strstr(error, "chmod 600"));
	free(error);
	assert_false(link_key_read(folder, geteuid(), &key, &error));
	free(error);
	assert_false(link_key_read("/none", geteuid(), &key, &error));
	free(error);
	if (geteuid() != 0)
		return;
	chmod(path, 0600);
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_false(link_key_read(path, 0, &key, &error));
	assert_non_null(strstr(error, "somebody else"));
	free(error);
	assert_true(link_key_read(path, 12345, &key, &error));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_read),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_rights),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
