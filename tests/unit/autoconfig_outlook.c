/*
 * Whom a request of Autodiscover asks about (MS-OXDSCLI section 2.2.3), and which addresses are some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "autoconfig/autoconfig.h"
#include "base/memory.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/" \
	"autodiscover/outlook/requestschema/2006\"><Request>"
#define TAIL "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a" \
	"</AcceptableResponseSchema></Request></Autodiscover>"
#define MOBILE "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006" \
	"</AcceptableResponseSchema></Request></Autodiscover>"

static const struct {
	const char *body;
	const char *expected;	/* NULL: refused */
	bool is_mobile;
} cases[] = {
	{ HEAD "<EMailAddress>me@example.org</EMailAddress>" TAIL, "me@example.org", false },
	{ HEAD "<EMailAddress>\r\n  me@example.org\r\n</EMailAddress>" TAIL, "me@example.org", false },
	{ HEAD "<EMailAddress>me@example.org</EMailAddress>" MOBILE, "me@example.org", true },
	{ HEAD "<a:EMailAddress xmlns:a=\"x\">me@example.org</a:EMailAddress>" TAIL, "me@example.org", false },
	{ HEAD "<EMailAddress >a&amp;b@example.org</EMailAddress>", "a&b@example.org", false },
	{ HEAD "<EMailAddress>&lt;script&gt;&quot;&apos;</EMailAddress>" TAIL, "<script>\"'", false },
	{ HEAD "<LegacyDN>/o=x</LegacyDN>" TAIL, NULL, false },
	{ HEAD "<EMailAddress></EMailAddress>" TAIL, "", false },
	{ HEAD "<EMailAddress/>" TAIL, NULL, false },
	{ HEAD "<EMailAddress><b>me@example.org</b></EMailAddress>" TAIL, NULL, false },
	{ HEAD "<EMailAddress>me@example.org", NULL, false },
	{ HEAD "<EMailAddress>me@example.org<", NULL, false },
	{ HEAD "<EMailAddress", NULL, false },
	{ HEAD "<EMailAddress>&x;</EMailAddress>" TAIL, NULL, false },
	{ HEAD "<EMailAddress>&#64;</EMailAddress>" TAIL, NULL, false },
	{ HEAD "<EMailAddress>&</EMailAddress>" TAIL, NULL, false },
	{ HEAD "<!-- <EMailAddress>me@example.org</EMailAddress> -->" TAIL, NULL, false },
	{ HEAD "<EMailAddress><![CDATA[me@example.org]]></EMailAddress>" TAIL, NULL, false },
	{ "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" HEAD "<EMailAddress>&e;</EMailAddress>" TAIL, NULL, false },
	{ "", NULL, false },
	{ "<", NULL, false },
	{ ">", NULL, false },
	{ "<<<>>>", NULL, false },
	{ "{\"Email\":\"me@example.org\"}", NULL, false },
};

static const struct {
	const char *text;
	bool is_address;
} addresses[] = {
	{ "me@example.org", true }, { "me+lists@mail.example.org", true }, { "m'e@example.org", false },
	{ "o.b@xn--bcher-kva.example", true }, { "me", false }, { "@example.org", false }, { "me@", false },
	{ "me@localhost", false }, { "me@example..org", false }, { "me@.org", false }, { "me@example.org.", false },
	{ "me@-example.org", false }, { "me@example-.org", false }, { "a b@example.org", false }, { "a@b@example.org", false },
	{ "me@exam_ple.org", false }, { "<me@example.org>", false }, { "a&b@example.org", false }, { "a\"b@example.org", false },
	{ "me@example.org\r\nX: y", false }, { "m\x7f@example.org", false }, { "", false }, { "me@1.2.3.4", true },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span body = span_from_string(cases[i].body);
		struct buffer address = { 0 };
		bool is_mobile = false;

		if (cases[i].expected == NULL) {
			assert_false(autoconfig_read_outlook(body, &address, &is_mobile));
		} else {
			struct span expected = span_from_string(cases[i].expected);

			assert_true(autoconfig_read_outlook(body, &address, &is_mobile));
			assert_true(span_equals(buffer_span(&address), expected));
			assert_int_equal(is_mobile, cases[i].is_mobile);
		}
		buffer_free(&address);
		for (size_t length = 0; length < body.length; length++) {
			uint8_t *copy = memory_new_array(length + 1, 1);

			memcpy(copy, body.at, length);
			autoconfig_read_outlook(span_of(copy, length), &address, &is_mobile);
			buffer_free(&address);
			free(copy);
		}
	}
}

static void
test_addresses(void **state)
{
	struct autoconfig_address address;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		if (autoconfig_read_address(span_from_string(addresses[i].text), &address) != addresses[i].is_address)
			fail_msg("%s", addresses[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests), cmocka_unit_test(test_addresses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
