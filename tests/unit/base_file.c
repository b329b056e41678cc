/*
 * Writing to descriptors that take less than they are given: a pipe that is read slowly, and a place in a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define OCTETS ((size_t)1 << 20)

static uint8_t *
pattern(void)
{
	uint8_t *octets = memory_new(OCTETS);

	for (size_t i = 0; i < OCTETS; i++)
		octets[i] = (uint8_t)(i % 251);
	return octets;
}

/* Reads a little at a time, to the end. */
static void *
read_all(void *context)
{
	const int *descriptor = context;
	uint8_t *octets = memory_new(OCTETS);
	size_t count = 0;
	ssize_t got;

	while (count < OCTETS && (got = read(*descriptor, octets + count, OCTETS - count < 1000 ? OCTETS - count : 1000)) > 0)
		count += (size_t)got;
	return octets;
}

static void
writes_all_into_a_pipe(void **state)
{
	uint8_t *octets = pattern();
	pthread_t reader;
	int pipes[2];
	void *read;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, &pipes[0]), 0);
	assert_true(file_write(pipes[1], span_of(octets, OCTETS)));
	pthread_join(reader, &read);
	assert_memory_equal(read, octets, OCTETS);
	close(pipes[0]);
	close(pipes[1]);
	free(read);
	free(octets);
}

static void
writes_at_a_place(void **state)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	char text[8] = { 0 };

	(void)state;
	assert_true(file_write(file, SPAN("abcdef")));
	assert_true(file_write_at(file, SPAN("XY"), 1));
	assert_true(file_write(file, SPAN("g")));
	assert_true(file_write_at(file, SPAN(""), 100));
	assert_int_equal(pread(file, text, sizeof text, 0), 7);
	assert_string_equal(text, "aXYdefg");
	close(file);
}

static void
says_why_not(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	errno = 0;
	assert_false(file_write(full, SPAN("x")));
	assert_int_equal(errno, ENOSPC);
	assert_false(file_write(-1, SPAN("x")));
	assert_int_equal(errno, EBADF);
	assert_false(file_write_at(-1, SPAN("x"), 0));
	close(full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_all_into_a_pipe),
		cmocka_unit_test(writes_at_a_place),
		cmocka_unit_test(says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
