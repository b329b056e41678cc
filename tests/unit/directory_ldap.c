/*
 * User names within filters and distinguished names.  What needs a server is in tests/directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/directory/pattern.h"
#include "base/memory.h"
#include "directory/directory.h"

static void
escapes(void **state)
{
	static const struct {
		struct span value;
		const char *expected;
	} cases[] = {
		{ SPAN(""), "" },
		{ SPAN("tim"), "tim" },
		{ SPAN("Tim_O-Neil.2@example.org"), "Tim_O-Neil.2@example.org" },
		/* RFC 4515 section 4 */
		{ SPAN("Parens R Us (for all your parenthetical needs)"),
		    "Parens\\20R\\20Us\\20\\28for\\20all\\20your\\20parenthetical\\20needs\\29" },
		{ SPAN("*"), "\\2a" },
		{ SPAN("C:\\MyFile"), "C\\3a\\5cMyFile" },
		{ SPAN("\0\0\0\4"), "\\00\\00\\00\\04" },
		{ SPAN("Lu\xc4\x8di\xc4\x87"), "Lu\\c4\\8di\\c4\\87" },
		/* RFC 4514 section 4 */
		{ SPAN("James \"Jim\" Smith, III"), "James\\20\\22Jim\\22\\20Smith\\2c\\20III" },
		{ SPAN("Before\rAfter"), "Before\\0dAfter" },
		{ SPAN("#a+b;c<d>e=f "), "\\23a\\2bb\\3bc\\3cd\\3ee\\3df\\20" },
		{ SPAN("*)(uid=*))(|(uid=*"), "\\2a\\29\\28uid\\3d\\2a\\29\\29\\28\\7c\\28uid\\3d\\2a" },
		{ SPAN("\\2a"), "\\5c2a" },
		{ SPAN("%u%"), "\\25u\\25" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };

		pattern_escape(cases[i].value, &out);
		assert_string_equal(buffer_string(&out), cases[i].expected);
		buffer_free(&out);
	}
}

/* Whatever the octet, nothing but a backslash, hexadecimal digits and harmless characters comes out. */
static void
escapes_every_octet(void **state)
{
	static const struct span special = SPAN("()*\\\0,+\"<>;=# /&|!~:%\r\n\t");

	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t value = (uint8_t)octet;
		struct buffer out = { 0 };
		bool is_special = octet >= 0x7f || span_find(special, value) < special.length;

		pattern_escape(span_of(&value, 1), &out);
		assert_true(out.length == 1 || out.length == 3);
		assert_true(!is_special || out.length == 3);
		assert_int_equal(out.at[0], out.length == 1 ? octet : '\\');
		buffer_free(&out);
	}
}

static void
expands(void **state)
{
	static const struct {
		const char *pattern;
		struct span name;
		const char *expected;
	} cases[] = {
		{ "(uid=%u)", SPAN("tim"), "(uid=tim)" },
		{ "(uid=%u)", SPAN("*"), "(uid=\\2a)" },
		{ "(|(uid=%u)(mail=%u))", SPAN("a)b"), "(|(uid=a\\29b)(mail=a\\29b))" },
		{ "uid=%n,dc=%d", SPAN("tim@example.org"), "uid=tim,dc=example.org" },
		{ "uid=%n,dc=%d", SPAN("a,b@c@d+e"), "uid=a\\2cb@c,dc=d\\2be" },
		{ "uid=%n,dc=%d", SPAN("tim"), "uid=tim,dc=" },
		{ "uid=%n,dc=%d", SPAN("@d"), "uid=,dc=d" },
		{ "uid=%n,dc=%d", SPAN("tim@"), "uid=tim,dc=" },
		{ "100%%", SPAN("tim"), "100%" },
		{ "100%", SPAN("tim"), "100%" },
		{ "%u", SPAN("%n"), "\\25n" },	/* not expanded again */
		{ "dc=org", SPAN("tim"), "dc=org" },
		{ "", SPAN("tim"), "" },
	};
	struct buffer entry = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };

		pattern_expand(cases[i].pattern, cases[i].name, &out);
		assert_string_equal(buffer_string(&out), cases[i].expected);
		buffer_free(&out);
	}
	pattern_expand_entry("(|(member=%D)(memberUid=%n))", SPAN("tim@x"), SPAN("uid=tim,dc=*"), &entry);
	assert_string_equal(buffer_string(&entry), "(|(member=uid\\3dtim\\2cdc\\3d\\2a)(memberUid=tim))");
	buffer_free(&entry);
}

#define SETTINGS                                                                                   \
	.uris = (const char *const[]){ "ldap://127.0.0.1:1", "ldap://127.0.0.1:2" }, .uri_count = 2, \
	.base = "dc=org", .filter = "(uid=%u)", .user_attribute = "uid", .server_name = "here",     \
	.timeout_s = 1, .retry_s = 1, .cache_s = 60

/* Nobody listens on those ports. */
static void
says_that_no_server_answers(void **state)
{
	const struct directory_ldap_settings settings = { SETTINGS };
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user;
	bool is_match = true;
	uint64_t count;

	(void)state;
	if (!directory_has_ldap())
		skip();
	assert_int_equal(directory_open_ldap(&settings, &directory), DIRECTORY_OK);
	assert_true(directory_is_verifier(directory));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(directory_lookup(directory, SPAN("tim"), arena, &user),
		    DIRECTORY_UNAVAILABLE);
		assert_int_equal(directory_verify(directory, SPAN("uid=tim,dc=org"), SPAN("secret"),
		    &is_match), DIRECTORY_UNAVAILABLE);
		assert_true(is_match);		/* untouched */
	}
	assert_int_equal(directory_add(directory, SPAN("tim"), SPAN("")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_set_credential(directory, SPAN("tim"), SPAN("")),
	    DIRECTORY_READ_ONLY);
	assert_int_equal(directory_set_enabled(directory, SPAN("tim"), true), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_set_home(directory, SPAN("tim"), SPAN("mbx1")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_delete(directory, SPAN("tim")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_join(directory, SPAN("sales"), SPAN("tim")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_leave(directory, SPAN("sales"), SPAN("tim")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_add_shared(directory, SPAN("tim")), DIRECTORY_READ_ONLY);
	assert_int_equal(directory_count(directory, &count), DIRECTORY_OK);
	assert_int_equal(count, 0);
	directory_close(&directory);
	arena_free(&arena);
}

/* RFC 4513 section 5.1.2: a bind with an empty password would succeed, so no server is asked. */
static void
refuses_empty_passwords(void **state)
{
	static const struct span passwords[] = { SPAN(""), SPAN("\0"), SPAN("secret\0") };
	const struct directory_ldap_settings settings = { SETTINGS };
	struct directory *directory = NULL;
	char long_password[DIRECTORY_PASSWORD_MAX + 1];
	bool is_match;

	(void)state;
	if (!directory_has_ldap())
		skip();
	assert_int_equal(directory_open_ldap(&settings, &directory), DIRECTORY_OK);
	for (size_t i = 0; i < COUNT_OF(passwords); i++) {
		is_match = true;
		assert_int_equal(directory_verify(directory, SPAN("uid=tim,dc=org"), passwords[i], &is_match),
		    DIRECTORY_OK);
		assert_false(is_match);
	}
	memset(long_password, 'a', sizeof long_password);
	is_match = true;
	assert_int_equal(directory_verify(directory, SPAN("uid=tim,dc=org"),
	    span_of(long_password, sizeof long_password), &is_match), DIRECTORY_OK);
	assert_false(is_match);
	directory_close(&directory);
}

static void
needs_the_password_file(void **state)
{
	const struct directory_ldap_settings missing = { SETTINGS, .bind_dn = "cn=imapd",
		.password_file = "/none/password" };
	const struct directory_ldap_settings empty = { SETTINGS, .bind_dn = "cn=imapd",
		.password_file = "/dev/null" };
	struct directory *directory = NULL;

	(void)state;
	if (!directory_has_ldap())
		skip();
	assert_int_equal(directory_open_ldap(&missing, &directory), DIRECTORY_CORRUPT);
	assert_int_equal(directory_open_ldap(&empty, &directory), DIRECTORY_CORRUPT);
	assert_null(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(escapes_every_octet),
		cmocka_unit_test(expands),
		cmocka_unit_test(says_that_no_server_answers),
		cmocka_unit_test(refuses_empty_passwords),
		cmocka_unit_test(needs_the_password_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
