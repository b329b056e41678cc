/*
 * What SEARCH finds in a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/fold.h"
#include "mime/part.h"
#include "mime/parts.h"
#include "mime/text.h"

static const struct span message = SPAN(
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "preamble\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "The caf=E9 is cl=\r\nosed.\r\n"
    "--b\r\n"
    "Content-Type: text/html; charset=koi8-r\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "0NLJ18XU\r\n"
    "--b\r\n"
    "Content-Type: application/octet-stream; name=picture\r\n"
    "\r\n"
    "binary\r\n"
    "--b\r\n"
    "Content-Type: message/delivery-status;\r\n"
    "\tname=report\r\n"
    "\r\n"
    "Status: 5.1.1\r\n"
    "--b--\r\n");

static void
searches(void **state)
{
	static const struct {
		struct span key;
		bool in_body, in_all;
	} cases[] = {
		{ SPAN(""), true, true },
		{ SPAN("CAF\xc3\x89 IS CLOSED"), true, true },
		{ SPAN("\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2"), true, true },
		{ SPAN("gr\xc3\xbc\xc3\x9f" "e"), false, true },
		{ SPAN("subject: gr"), false, true },
		{ SPAN("picture"), false, true },
		{ SPAN("binary"), false, false },	/* of no text part */
		{ SPAN("status: 5.1"), true, true },
		{ SPAN("; name=report"), false, true },	/* folded at a tab */
		{ SPAN("preamble"), false, false },
		{ SPAN("0NLJ"), false, false },
	};
	struct buffer folded[COUNT_OF(cases)] = { { 0 } }, parts = { 0 };
	bool in_body[COUNT_OF(cases)], in_all[COUNT_OF(cases)];
	struct span keys[COUNT_OF(cases)];
	struct mime_tree tree;

	(void)state;
	mime_tree_init(&tree, message);
	mime_parts_write(&tree, &parts);
	mime_tree_fini(&tree);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		mime_fold(cases[i].key, &folded[i]);
		keys[i] = buffer_span(&folded[i]);
	}
	mime_text_search(message, buffer_span(&parts), MIME_TEXT_BODY, keys, COUNT_OF(cases), in_body);
	mime_text_search(message, buffer_span(&parts), MIME_TEXT_ALL, keys, COUNT_OF(cases), in_all);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(in_body[i], cases[i].in_body);
		assert_int_equal(in_all[i], cases[i].in_all);
		buffer_free(&folded[i]);
	}
	buffer_free(&parts);
}

/* A key is found wherever the end of a piece cuts it. */
static void
searches_across_pieces(void **state)
{
	const struct span key = SPAN("NEEDLE"), header = SPAN("\r\n");
	struct buffer text = { 0 }, parts = { 0 };
	struct mime_tree tree;
	bool is_found;

	(void)state;
	for (size_t before = MIME_TEXT_PIECE_OCTETS - key.length - 1; before <= MIME_TEXT_PIECE_OCTETS + 1; before++) {
		buffer_clear(&text);
		buffer_clear(&parts);
		buffer_add_span(&text, header);
		while (text.length < header.length + before)
			buffer_add_octet(&text, 'x');
		buffer_add_string(&text, "needle, and a little more");
		mime_tree_init(&tree, buffer_span(&text));
		mime_parts_write(&tree, &parts);
		mime_tree_fini(&tree);
		mime_text_search(buffer_span(&text), buffer_span(&parts), MIME_TEXT_BODY, &key, 1, &is_found);
		assert_true(is_found);
	}
	buffer_free(&text);
	buffer_free(&parts);
}

/* A key in a header that is longer than a piece. */
static void
searches_long_keys(void **state)
{
	struct buffer text = { 0 }, parts = { 0 }, key = { 0 };
	struct mime_tree tree;
	struct span keys[2];
	bool found[2];

	(void)state;
	while (key.length < 3 * MIME_TEXT_PIECE_OCTETS)
		buffer_printf(&key, "X-FIELD: %zu\r\n", key.length);
	buffer_add_string(&text, "Subject: first\r\n");
	buffer_add_span(&text, buffer_span(&key));
	buffer_add_string(&text, "\r\nbody\r\n");
	mime_tree_init(&tree, buffer_span(&text));
	mime_parts_write(&tree, &parts);
	mime_tree_fini(&tree);
	keys[0] = buffer_span(&key);
	keys[1] = SPAN("X-FIELD: 0\r\nX-FIELD: 1\r\n");
	mime_text_search(buffer_span(&text), buffer_span(&parts), MIME_TEXT_ALL, keys, 2, found);
	assert_true(found[0]);
	assert_false(found[1]);
	buffer_free(&text);
	buffer_free(&parts);
	buffer_free(&key);
}

/* What was asked for, and where it lies. */
struct source {
	struct span message;
	size_t octets_read, octets_max;
};

static struct span
read_source(size_t offset, size_t length, void *context)
{
	struct source *source = context;

	source->octets_read += length;
	return source->octets_read > source->octets_max ? SPAN("") : span_slice(source->message, offset, length);
}

/* Parts that are no text are not read; a reader that fails ends the walk. */
static void
reads_what_it_needs(void **state)
{
	struct source source = { .octets_max = SIZE_MAX };
	struct buffer text = { 0 }, parts = { 0 };
	struct mime_text *walk;
	struct mime_text_piece piece;
	struct mime_tree tree;
	size_t headers = 0, bodies = 0;

	(void)state;
	buffer_add_string(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\n"
				 "Content-Type: image/png\r\n\r\n");
	for (size_t i = 0; i < 100000; i++)
		buffer_add_octet(&text, 'x');
	buffer_add_string(&text, "\r\n--b--\r\n");
	source.message = buffer_span(&text);
	mime_tree_init(&tree, source.message);
	mime_parts_write(&tree, &parts);
	mime_tree_fini(&tree);
	walk = mime_text_new(buffer_span(&parts), MIME_TEXT_ALL, 0, read_source, &source);
	while (mime_text_next(walk, &piece)) {
		headers += piece.is_header;
		bodies += !piece.is_header;
		if (!piece.is_header)
			assert_true(span_equals(piece.folded, SPAN("WORDS")));
	}
	mime_text_free(&walk);
	assert_int_equal(headers, 3);
	assert_int_equal(bodies, 1);
	assert_true(source.octets_read < 200);
	source = (struct source){ .message = source.message, .octets_max = 10 };
	walk = mime_text_new(buffer_span(&parts), MIME_TEXT_ALL, 0, read_source, &source);
	assert_false(mime_text_next(walk, &piece));
	mime_text_free(&walk);
	buffer_free(&text);
	buffer_free(&parts);
}

static bool
stop(struct span folded, void *context)
{
	(void)folded;
	++*(int *)context;
	return false;
}

static void
stops_when_told(void **state)
{
	struct buffer parts = { 0 };
	struct mime_tree tree;
	int visits = 0;

	(void)state;
	mime_tree_init(&tree, message);
	mime_parts_write(&tree, &parts);
	mime_tree_fini(&tree);
	assert_false(mime_text_each(message, buffer_span(&parts), MIME_TEXT_ALL, 0, stop, &visits));
	assert_int_equal(visits, 1);
	buffer_free(&parts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches),
		cmocka_unit_test(searches_across_pieces),
		cmocka_unit_test(searches_long_keys),
		cmocka_unit_test(reads_what_it_needs),
		cmocka_unit_test(stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
