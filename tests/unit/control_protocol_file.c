/*
 * The files of the protocol log: a new one each day and when one is full, and the oldest removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/control/protocol_file.h"
#include "base/clock.h"
#include "base/memory.h"

#define DAY_US (86400 * INT64_C(1000000))
#define BEGIN_US (1795910400 * INT64_C(1000000))	/* 2026-11-29 */

static char folder[] = "/tmp/protocol-file-XXXXXX";

static uint64_t
size_of(const char *name)
{
	struct stat about;
	char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static size_t
count_files(void)
{
	DIR *directory = opendir(folder);
	size_t count = 0;

	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void
test_days_and_sizes(void **state)
{
	struct protocol_file file;
	uint8_t *lines = memory_new(PROTOCOL_FILE_MAX);

	(void)state;
	protocol_file_init(&file, folder, 5 * PROTOCOL_FILE_MAX, 30 * 86400);
	assert_non_null(mkdtemp(folder));
	clock_fake(1, BEGIN_US);
	assert_true(protocol_file_write(&file, SPAN("a\n")));
	assert_true(protocol_file_write(&file, SPAN("b\n")));
	assert_int_equal(count_files(), 1);
	assert_true(size_of("IMAP420261129-1.LOG") > 4);
	protocol_file_close(&file);		/* another process begins another one */
	assert_true(protocol_file_write(&file, SPAN("c\n")));
	assert_true(size_of("IMAP420261129-2.LOG") > 2);
	clock_fake(1, BEGIN_US + DAY_US);
	memset(lines, 'x', PROTOCOL_FILE_MAX);
	for (int i = 0; i < 7; i++)
		assert_true(protocol_file_write(&file, span_of(lines, PROTOCOL_FILE_MAX)));
	assert_true(size_of("IMAP420261130-7.LOG") > PROTOCOL_FILE_MAX);
	assert_int_equal(size_of("IMAP420261129-1.LOG"), 0);
	assert_int_equal(size_of("IMAP420261130-1.LOG"), 0);
	assert_true(count_files() <= 5);
	protocol_file_close(&file);
	file.time_max_s = 86400;		/* those are of today, by the real calendar, which is long ago */
	clock_fake(1, BEGIN_US + 400000 * DAY_US / 100);
	assert_true(protocol_file_write(&file, SPAN("d\n")));
	assert_int_equal(count_files(), 1);
	protocol_file_close(&file);
	clock_fake(0, 0);
	free(lines);
}

static void
test_no_folder(void **state)
{
	struct protocol_file file;

	(void)state;
	protocol_file_init(&file, "/dev/null/x", PROTOCOL_FILE_MAX, 86400);
	assert_false(protocol_file_write(&file, SPAN("a\n")));
	assert_false(protocol_file_write(&file, SPAN("a\n")));
	protocol_file_close(&file);
}

static void
limit_files(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Of what cannot be written whole nothing is there, neither half a line nor another file for each try. */
static void
test_full(void **state)
{
	struct protocol_file file;
	size_t count = count_files();
	uint64_t size;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	protocol_file_init(&file, folder, 100 * PROTOCOL_FILE_MAX, 400000000);
	clock_fake(1, BEGIN_US + 2 * DAY_US);
	limit_files(20);
	for (int i = 0; i < 5; i++)
		assert_false(protocol_file_write(&file, SPAN("lost\n")));
	assert_int_equal(count_files(), count);
	limit_files(RLIM_INFINITY);
	assert_true(protocol_file_write(&file, SPAN("whole\n")));
	size = size_of("IMAP420261201-1.LOG");
	limit_files(size + 4);
	for (int i = 0; i < 5; i++)
		assert_false(protocol_file_write(&file, SPAN("cut off\n")));
	assert_int_equal(size_of("IMAP420261201-1.LOG"), size);
	limit_files(RLIM_INFINITY);
	assert_true(protocol_file_write(&file, SPAN("whole\n")));
	assert_int_equal(size_of("IMAP420261201-1.LOG"), size + 6);
	assert_int_equal(count_files(), count + 1);
	protocol_file_close(&file);
	clock_fake(0, 0);
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_and_sizes),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, remove_folder);
}
