/*
 * Links and sessions of the page: when they are over, and who has how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../src/web/sessions.h"
#include "base/span.h"

#define SECOND_US UINT64_C(1000000)

static const struct identity ann = { .uid = 1000, .name = "ann" }, bob = { .uid = 1001, .name = "bob" };

/* Its secret, copied. */
static struct span
link_for(struct sessions *sessions, const struct identity *who, uint64_t now_us, char secret[SECRET_LENGTH + 1])
{
	strcpy(secret, sessions_new_link(sessions, who, now_us));
	return span_from_string(secret);
}

static struct session *
begin(struct sessions *sessions, const struct identity *who, uint64_t now_us)
{
	char secret[SECRET_LENGTH + 1];

	return sessions_begin(sessions, link_for(sessions, who, now_us, secret), now_us);
}

static struct session *
find(struct sessions *sessions, const char *cookie, const char *key, uint64_t now_us)
{
	return sessions_find(sessions, span_from_string(cookie), span_from_string(key), now_us);
}

static void
test_links(void **state)
{
	struct sessions sessions;
	char secret[SECRET_LENGTH + 1];
	uint64_t end_us = 5 + LINK_SECONDS * SECOND_US;
	struct span word;

	(void)state;
	sessions_init(&sessions);
	word = link_for(&sessions, &ann, 5, secret);
	assert_null(sessions_begin(&sessions, span_slice(word, 0, word.length - 1), 6));
	assert_non_null(sessions_begin(&sessions, word, end_us - 1));
	assert_null(sessions_begin(&sessions, word, end_us - 1));	/* once */
	word = link_for(&sessions, &ann, 5, secret);
	assert_null(sessions_begin(&sessions, word, end_us));		/* too late, to the microsecond */
	assert_null(sessions_begin(&sessions, word, 6));		/* and it does not come back */
	sessions_fini(&sessions);
}

static void
test_idle(void **state)
{
	struct sessions sessions;
	struct session *session;
	char cookie[SECRET_LENGTH + 1], key[SECRET_LENGTH + 1];
	uint64_t now_us = SECOND_US;

	(void)state;
	sessions_init(&sessions);
	session = begin(&sessions, &ann, now_us);
	strcpy(cookie, session->cookie);
	strcpy(key, session->key);
	assert_null(find(&sessions, key, cookie, now_us));
	assert_null(find(&sessions, cookie, cookie, now_us));
	for (int i = 0; i < 5; i++) {		/* each call prolongs it */
		now_us += SESSION_IDLE_S * SECOND_US - 1;
		assert_ptr_equal(find(&sessions, cookie, key, now_us), session);
	}
	assert_null(find(&sessions, cookie, key, now_us + SESSION_IDLE_S * SECOND_US));
	assert_null(find(&sessions, cookie, key, now_us));
	sessions_fini(&sessions);
}

static void
test_whole_day(void **state)
{
	struct sessions sessions;
	struct session *session;
	char cookie[SECRET_LENGTH + 1], key[SECRET_LENGTH + 1];
	uint64_t now_us = 0;

	(void)state;
	sessions_init(&sessions);
	session = begin(&sessions, &ann, now_us);
	strcpy(cookie, session->cookie);
	strcpy(key, session->key);
	while (now_us + 1000 * SECOND_US < SESSION_SECONDS * SECOND_US) {
		now_us += 1000 * SECOND_US;
		assert_non_null(find(&sessions, cookie, key, now_us));
	}
	assert_non_null(find(&sessions, cookie, key, SESSION_SECONDS * SECOND_US - 1));
	assert_null(find(&sessions, cookie, key, SESSION_SECONDS * SECOND_US));	/* however busy it is */
	sessions_fini(&sessions);
}

/* One user's many do not end another's. */
static void
test_too_many(void **state)
{
	struct sessions sessions;
	char cookie[SECRET_LENGTH + 1], key[SECRET_LENGTH + 1], old_cookie[SECRET_LENGTH + 1], old_key[SECRET_LENGTH + 1];
	struct session *session;

	(void)state;
	sessions_init(&sessions);
	session = begin(&sessions, &bob, 1);
	strcpy(cookie, session->cookie);
	strcpy(key, session->key);
	session = begin(&sessions, &ann, 1);
	strcpy(old_cookie, session->cookie);
	strcpy(old_key, session->key);
	for (unsigned i = 0; i < PER_USER_MAX; i++)
		assert_non_null(begin(&sessions, &ann, 2 + i));
	assert_null(find(&sessions, old_cookie, old_key, 20));
	assert_non_null(find(&sessions, cookie, key, 20));
	assert_int_equal(sessions_end(&sessions, ann.uid, false, 20), PER_USER_MAX);
	assert_non_null(find(&sessions, cookie, key, 20));
	assert_int_equal(sessions_end(&sessions, 0, true, 20), 1);
	sessions_fini(&sessions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_whole_day),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
