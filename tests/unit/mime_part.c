/*
 * Messages cut into parts, the table of parts, and sections found in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "mime/parts.h"

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

/* A tree is told as (type/subtype "body") with the children of a part behind its type. */
static const struct {
	const char *message, *told;
} trees[] = {
	{ "", "(text/plain \"\")" },
	{ "A: b\r\n\r\nx\r\n", "(text/plain \"x\r\n\")" },
	{ "Content-Type: TEXT/html; charset=\"x\"\r\n\r\nx", "(TEXT/html \"x\")" },
	{ "Content-Type: nonsense\r\n\r\nx", "(text/plain \"x\")" },
	{ "Content-Type: (c) a (d) / (e) b\r\n\r\n", "(a/b \"\")" },
	{ MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nA: b\r\n\r\ntwo\r\n\r\n--b--\r\npost\r\n",
	    "(multipart/mixed(text/plain \"one\")(text/plain \"two\r\n\"))" },
	{ MIXED("b") "--b\n\none\n--b  \t\n\ntwo\n--b--", "(multipart/mixed(text/plain \"one\")(text/plain \"two\"))" },
	{ MIXED("b") "--b\r\n\r\nno end", "(multipart/mixed(text/plain \"no end\"))" },
	/* What follows the boundary on its line does not count, what stands before it does. */
	{ MIXED("b") "--b not a header\r\n\r\n --b\r\n-b\r\n--bc\r\n\r\ntwo\r\n--b-- x\r\n--b\r\n",
	    "(multipart/mixed(text/plain \" --b\r\n-b\")(text/plain \"two\"))" },
	/* Closed at once: what stands around is preamble and epilogue. */
	{ MIXED("b") "--b--", "(multipart/mixed(text/plain \"\"))" },
	{ MIXED("b") "pre\r\n--b--\r\n--b\r\n\r\nx", "(multipart/mixed(text/plain \"\"))" },
	{ MIXED("b") "--b\r\n\r\none\r\n--b\r\n" MIXED("c") "--c--\r\n\r\n--b--\r\n",
	    "(multipart/mixed(text/plain \"one\")(multipart/mixed(text/plain \"\")))" },
	/* A header cut off by a delimiter, and parts of no octets. */
	{ MIXED("b") "--b\r\nA: c\r\n--b\r\n--b\r\n\r\n--b--",
	    "(multipart/mixed(text/plain \"\")(text/plain \"\")(text/plain \"\"))" },
	/* Cut off behind a delimiter: not a part more. */
	{ MIXED("b") "--b\r\n\r\none\r\n--b\r\n", "(multipart/mixed(text/plain \"one\"))" },
	{ MIXED("b") "--b", "(multipart/mixed(text/plain \"\"))" },
	/* A boundary that begins with another: RFC 2046 section 5.1.2 has the outer one end the inner. */
	{ MIXED("b") "--b\r\n" MIXED("bb") "--bb\r\n\r\nin\r\n--b\r\n\r\nout\r\n--b--\r\n",
	    "(multipart/mixed(multipart/mixed(text/plain \"in\"))(text/plain \"out\"))" },
	{ MIXED("bb") "--bb\r\n" MIXED("b") "--b\r\n\r\nin\r\n--bb\r\n\r\nout",
	    "(multipart/mixed(multipart/mixed(text/plain \"in\"))(text/plain \"out\"))" },
	{ MIXED("b--") "--b--\r\n\r\nx\r\n--b----\r\n", "(multipart/mixed(text/plain \"x\"))" },
	{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nFrom: a\r\n\r\nx\r\n--b\r\n"
	  "Content-Type: text/plain\r\n\r\ny\r\n--b--",
	    "(multipart/digest(message/rfc822(text/plain \"x\"))(text/plain \"y\"))" },
	{ "Content-Type: message/rfc822\r\n\r\n" MIXED("b") "--b\r\n\r\nx\r\n--b--\r\n",
	    "(message/rfc822(multipart/mixed(text/plain \"x\")))" },
	{ MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--b--",
	    "(multipart/mixed(message/rfc822(text/plain \"\")))" },
	{ "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
	    "(application/octet-stream \"QQ==\")" },
	{ "Content-Type: multipart/mixed\r\n\r\nx", "(multipart/mixed(text/plain \"x\"))" },
	{ "Content-Type: multipart/mixed; boundary=\"a b \"\r\n\r\n--a b\r\n\r\nx", "(multipart/mixed(text/plain \"x\"))" },
};

static void
tell(const struct mime_tree *tree, struct span message, uint32_t index, struct buffer *told)
{
	const struct mime_part *part = &tree->parts[index];

	buffer_printf(told, "(%.*s/%.*s", SPAN_ARGS(part->type), SPAN_ARGS(part->subtype));
	for (uint32_t child = part->first_child; child != MIME_NO_PART; child = tree->parts[child].next)
		tell(tree, message, child, told);
	if (part->kind == MIME_LEAF) {
		buffer_add_string(told, " \"");
		buffer_add_span(told, span_slice(message, part->body_offset, part->body_length));
		buffer_add_octet(told, '"');
	}
	buffer_add_octet(told, ')');
}

static void
test_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(trees); i++) {
		struct span message = span_from_string(trees[i].message);
		struct buffer told = { NULL, 0, 0 };
		struct mime_tree tree;

		mime_tree_init(&tree, message);
		tell(&tree, message, 0, &told);
		assert_string_equal(buffer_string(&told), trees[i].told);
		mime_tree_fini(&tree);
		buffer_free(&told);
	}
}

static void
test_fields(void **state)
{
	struct span message = SPAN("Content-Type: text/plain; charset=us-ascii (x); name=\"a;\\\"b\";\r\n"
				   "\tempty=; x = y\r\nContent-Type: a/b\r\nContent-ID: <i@d>\r\n"
				   "Content-Description: two\r\n lines\r\nContent-MD5: Q==\r\n"
				   "Content-Transfer-Encoding: Quoted-Printable (c)\r\n"
				   "Content-Disposition: attachment; filename=f.txt\r\n"
				   "Content-Language: en, de\r\nContent-Location: http://x\r\n\r\na\r\nb");
	struct mime_tree tree;
	const struct mime_part *part;

	(void)state;
	mime_tree_init(&tree, message);
	part = &tree.parts[0];
	assert_int_equal(part->parameters.count, 4);
	assert_true(span_equals(mime_parameter_find(part->parameters, SPAN("CHARSET")), SPAN("us-ascii")));
	assert_true(span_equals(mime_parameter_find(part->parameters, SPAN("name")), SPAN("a;\"b")));
	assert_true(span_equals(mime_parameter_find(part->parameters, SPAN("x")), SPAN("y")));
	assert_true(span_equals(part->subtype, SPAN("plain")));
	assert_true(span_equals(part->id, SPAN("<i@d>")));
	assert_true(span_equals(part->description, SPAN("two lines")));
	assert_true(span_equals(part->md5, SPAN("Q==")));
	assert_true(span_equals(part->encoding_name, SPAN("Quoted-Printable")));
	assert_int_equal(part->encoding, MIME_QUOTED_PRINTABLE);
	assert_true(span_equals(part->disposition, SPAN("attachment")));
	assert_int_equal(part->disposition_parameters.count, 1);
	assert_true(span_equals(part->language, SPAN("en, de")));
	assert_true(span_equals(part->location, SPAN("http://x")));
	assert_int_equal(part->body_lines, 1);
	mime_tree_fini(&tree);
}

/* The tree of RFC 9051 section 6.4.5.1, with letters for texts. */
static const struct span example = SPAN(
    MIXED("o")
    "--o\r\n\r\nA\r\n"
    "--o\r\nContent-Type: application/x; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\nB\r\n"
    "--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n" MIXED("i")
    "--i\r\n\r\nC\r\n--i\r\n\r\nD\r\n--i--\r\n"
    "--o\r\n" MIXED("j")
    "--j\r\nContent-Type: image/gif\r\n\r\nE\r\n"
    "--j\r\nContent-Type: message/rfc822\r\n\r\nSubject: t\r\n\r\nF\r\n--j--\r\n"
    "--o--\r\n");

static const struct {
	uint32_t numbers[4];
	size_t count;
	const char *body, *mime, *header, *text;	/* body NULL: there is no such part; header NULL: none */
} sections[] = {
	{ { 1 }, 1, "A", "\r\n", NULL, NULL },
	{ { 2 }, 1, "B",
	    "Content-Type: application/x; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n", NULL, NULL },
	{ { 3 }, 1, "Subject: s\r\n" MIXED("i") "--i\r\n\r\nC\r\n--i\r\n\r\nD\r\n--i--",
	    "Content-Type: message/rfc822\r\n\r\n", "Subject: s\r\n" MIXED("i"),
	    "--i\r\n\r\nC\r\n--i\r\n\r\nD\r\n--i--" },
	{ { 3, 1 }, 2, "C", "\r\n", NULL, NULL },
	{ { 3, 2 }, 2, "D", "\r\n", NULL, NULL },
	{ { 3, 3 }, 2, NULL, NULL, NULL, NULL },
	{ { 4, 1 }, 2, "E", "Content-Type: image/gif\r\n\r\n", NULL, NULL },
	{ { 4, 2 }, 2, "Subject: t\r\n\r\nF", "Content-Type: message/rfc822\r\n\r\n", "Subject: t\r\n\r\n", "F" },
	{ { 4, 2, 1 }, 3, "F", "Subject: t\r\n\r\n", NULL, NULL },
	{ { 4, 2, 2 }, 3, NULL, NULL, NULL, NULL },
	{ { 4, 2, 1, 1 }, 4, NULL, NULL, NULL, NULL },
	{ { 1, 1 }, 2, NULL, NULL, NULL, NULL },
	{ { 5 }, 1, NULL, NULL, NULL, NULL },
	{ { 0 }, 1, NULL, NULL, NULL, NULL },
};

static void
assert_range(struct span message, struct mime_range range, const char *expected)
{
	assert_true(span_equals(span_slice(message, range.offset, range.length), span_from_string(expected)));
}

static void
make_table(struct span message, struct buffer *table)
{
	struct mime_tree tree;

	mime_tree_init(&tree, message);
	mime_parts_write(&tree, table);
	mime_tree_fini(&tree);
}

static void
test_sections(void **state)
{
	struct buffer table = { NULL, 0, 0 };
	struct mime_section section;

	(void)state;
	make_table(example, &table);
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		bool is_there = mime_parts_find(buffer_span(&table), sections[i].numbers, sections[i].count,
		    &section);

		assert_int_equal(is_there, sections[i].body != NULL);
		if (!is_there)
			continue;
		assert_range(example, section.body, sections[i].body);
		assert_range(example, section.mime, sections[i].mime);
		assert_int_equal(section.has_message, sections[i].header != NULL);
		if (section.has_message) {
			assert_range(example, section.header, sections[i].header);
			assert_range(example, section.text, sections[i].text);
		}
	}
	assert_true(mime_parts_find(buffer_span(&table), (uint32_t[]){ 2 }, 1, &section));
	assert_int_equal(section.encoding, MIME_BASE64);
	assert_true(span_equals(section.charset, SPAN("koi8-r")));
	assert_true(mime_parts_find(buffer_span(&table), NULL, 0, &section));
	assert_int_equal(section.body.length, example.length);
	assert_range(example, section.header, MIXED("o"));
	buffer_free(&table);
}

/* A message of one part is its part 1, also when that part is a message. */
static void
test_single_part(void **state)
{
	struct span message = SPAN("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx");
	struct buffer table = { NULL, 0, 0 };
	struct mime_section section;

	(void)state;
	make_table(message, &table);
	assert_true(mime_parts_find(buffer_span(&table), (uint32_t[]){ 1 }, 1, &section));
	assert_range(message, section.body, "A: b\r\n\r\nx");
	assert_range(message, section.header, "A: b\r\n\r\n");
	assert_range(message, section.mime, "Content-Type: message/rfc822\r\n\r\n");
	assert_true(mime_parts_find(buffer_span(&table), (uint32_t[]){ 1, 1 }, 2, &section));
	assert_range(message, section.body, "x");
	assert_false(mime_parts_find(buffer_span(&table), (uint32_t[]){ 1, 1, 1 }, 3, &section));
	assert_false(mime_parts_find(buffer_span(&table), (uint32_t[]){ 2 }, 1, &section));
	buffer_free(&table);
}

/* Each octet wrong in turn, and each length too short, in memory that ends where the table does. */
static void
test_damaged_table(void **state)
{
	struct buffer table = { NULL, 0, 0 };

	(void)state;
	make_table(example, &table);
	for (size_t i = 0; i < table.length * 256; i++) {
		size_t length = i % 256 == 0 ? i / 256 : table.length, position = 0;
		uint8_t *octets = memory_new(length == 0 ? 1 : length);
		struct span damaged = span_of(octets, length);
		struct mime_parts_entry entry;
		struct mime_section section;

		memcpy(octets, table.at, length);
		if (i % 256 != 0)
			octets[i / 256] ^= (uint8_t)i;
		while (mime_parts_next(damaged, &position, &entry))
			assert_true(position <= length);
		mime_parts_find(damaged, (uint32_t[]){ 4, 2, 1 }, 3, &section);
		free(octets);
	}
	buffer_free(&table);
}

static void
repeat(struct buffer *message, const char *begin, const char *unit, size_t count)
{
	buffer_add_string(message, begin);
	for (size_t i = 0; i < count; i++)
		buffer_add_string(message, unit);
}

/* QUALITY T31: what has no end is cut off, in linear time. */
static void
test_limits(void **state)
{
	static const struct {
		const char *begin, *unit;
		size_t least, most;
	} floods[] = {
		{ "", "Content-Type: message/rfc822\r\n\r\n", MIME_DEPTH_MAX, MIME_DEPTH_MAX + 1 },
		{ "", MIXED("b") "--b\r\n", MIME_PARTS_MAX, MIME_PARTS_MAX },
		{ MIXED("b"), "--b\r\n\r\n", MIME_PARTS_MAX, MIME_PARTS_MAX },
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n", "--b\r\n\r\nA: b\r\n\r\n",
		    MIME_PARTS_MAX, MIME_PARTS_MAX + 1 },
		{ MIXED("b"), "--b\r\n" MIXED("c"), MIME_PARTS_MAX, 2 * MIME_PARTS_MAX },
		{ "Content-Type: a/b", "; x=y", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		struct buffer message = { NULL, 0, 0 };
		clock_t begin = clock();
		struct mime_tree tree;

		repeat(&message, floods[i].begin, floods[i].unit, 100000);
		mime_tree_init(&tree, buffer_span(&message));
		assert_in_range(tree.count, floods[i].least, floods[i].most);
		assert_true(tree.parts[0].parameters.count <= MIME_PARAMETERS_MAX);
		assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
		mime_tree_fini(&tree);
		buffer_free(&message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_single_part),
		cmocka_unit_test(test_damaged_table),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
