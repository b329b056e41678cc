/*
 * Ports tried as far as their first words: at a path that nobody serves, one that is silent, and one that is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../../src/imapctl/ctl/local_socket.h"
#include "../../src/imapctl/remote/knock.h"

#define FOR_EVER_S 120	/* ends the test: nothing waited for here takes as long */

struct place {
	char folder[32];
	char path[48];
	int listening;
};

static void
set_up(struct place *place, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(place->folder, "/tmp/knock-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	strcat(strcpy(place->path, place->folder), "/lmtp");
	strcpy(address.sun_path, place->path);
	place->listening = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(place->listening, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(place->listening, backlog), 0);
	alarm(FOR_EVER_S);
}

static void
tear_down(struct place *place)
{
	alarm(0);
	close(place->listening);
	unlink(place->path);
	rmdir(place->folder);
}

static void
expect(const struct place *place, const char *expected, int code, const char *trouble)
{
	struct config_listener at = { .path = (char *)place->path };
	struct knock order = { .at = &at, .expected = expected, .timeout_s = 1 };
	struct buffer why = { 0 };

	assert_int_equal(knock(&order, &why), code);
	assert_string_equal(why.length == 0 ? "" : buffer_string(&why), trouble);
	buffer_free(&why);
}

static void
test_taken(void **state)
{
	struct place place;

	(void)state;
	set_up(&place, 4);
	expect(&place, NULL, EX_OK, "");
	tear_down(&place);
}

static void
test_nobody(void **state)
{
	struct place place;

	(void)state;
	set_up(&place, 4);
	close(place.listening);
	expect(&place, NULL, EX_UNAVAILABLE, "nobody answers: Connection refused");
	unlink(place.path);
	expect(&place, NULL, EX_UNAVAILABLE, "nobody answers: No such file or directory");
	rmdir(place.folder);
}

/* Who listens there takes nobody in: that is found out in the time there is. */
static void
test_full(void **state)
{
	struct place place;
	int waiting[8];
	size_t count = 0;

	(void)state;
	set_up(&place, 0);
	while (count < sizeof waiting / sizeof waiting[0] && (waiting[count] = local_socket_connect(place.path, 1)) >= 0)
		count++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(count, 1, sizeof waiting / sizeof waiting[0] - 1);
	expect(&place, NULL, EX_UNAVAILABLE, "nobody answers: nobody takes the call");
	while (count > 0)
		close(waiting[--count]);
	tear_down(&place);
}

static void
test_too_long(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_int_equal(local_socket_connect(path, 1), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
