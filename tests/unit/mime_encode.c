/*
 * Binary parts with NUL become base64, and nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "mime/encode.h"

#define CASE(message, expected) { SPAN(message), SPAN(expected) }
#define SAME(message) { SPAN(message), { NULL, 0 } }
#define MULTIPART "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\npre\0face\r\n--b\r\n"
#define BINARY "Content-Transfer-Encoding: binary\r\n"
#define BASE64 "Content-Transfer-Encoding: base64\r\n"

static const struct { struct span message, expected; } cases[] = {
	CASE("A: b\r\n" BINARY "C: d\r\n\r\n\0\1\2", "A: b\r\n" BASE64 "C: d\r\n\r\nAAEC\r\n"),
	CASE("content-transfer-ENCODING:\r\n\tBinary\r\n\r\nx\0", "content-transfer-ENCODING: base64\r\n\r\neAA=\r\n"),
	CASE("Content-Transfer-Encoding: BINARY\n\n\0", "Content-Transfer-Encoding: base64\n\nAA==\r\n"),
	CASE(BINARY "\r\n\0" "23456789012345678901234567890123456789012345678901234567\r\n",
	    BASE64 "\r\nADIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\r\nDQo=\r\n"),
	/* Only the parts that need it; what no part holds stays */
	CASE(MULTIPART BINARY "\r\n\0\r\n--b\r\n" BINARY "\r\ntext\r\n--b\r\n\r\nn\0l\r\n--b\r\n" BINARY "X: y\r\n\r\n\r\n\0\r\n\r\n--b--\r\n",
	    MULTIPART BASE64 "\r\nAA==\r\n--b\r\n" BINARY "\r\ntext\r\n--b\r\n\r\nn\0l\r\n--b\r\n" BASE64 "X: y\r\n\r\nDQoADQo=\r\n--b--\r\n"),
	/* Within a message */
	CASE("Content-Type: message/rfc822\r\n" BINARY "\r\nSubject: x\r\n" BINARY "\r\n\0",
	    "Content-Type: message/rfc822\r\n" BINARY "\r\nSubject: x\r\n" BASE64 "\r\nAA==\r\n"),
	SAME("A: b\r\n" BINARY "\r\nno such octet"),
	SAME("A: b\r\n\r\n\0"),
	SAME("A: b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\0"),
	SAME("A: \0\r\n" BINARY "\r\nx"),
	SAME(""),
};

static void
encodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 }, again = { 0 };

		assert_int_equal(mime_encode_binary(cases[i].message, &out), cases[i].expected.length > 0);
		assert_int_equal(out.length, cases[i].expected.length);
		if (out.length > 0)
			assert_memory_equal(out.at, cases[i].expected.at, out.length);
		assert_false(mime_encode_binary(buffer_span(&out), &again));
		buffer_free(&out);
		buffer_free(&again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
