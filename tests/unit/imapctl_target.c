/*
 * What export calls things on a disk, and how it writes octets there, against what import makes of that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/source/export_field.h"
#include "../../src/imapctl/source/folder_name.h"
#include "../../src/imapctl/source/maildir_name.h"
#include "../../src/imapctl/source/source.h"
#include "../../src/imapctl/target/folder_path.h"
#include "../../src/imapctl/target/line_ends.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"

static void
assert_text(struct buffer *got, const char *expected)
{
	assert_string_equal(buffer_string(got), expected);
	buffer_clear(got);
}

static void
test_paths(void **state)
{
	static const struct {
		const char *name, *maildir, *tree;
	} cases[] = {
		{ "INBOX", ".", "INBOX.mbox" },
		{ "Work/2020", ".Work.2020", "Work/2020.mbox" },
		{ "a.b/c", ".a\\2eb.c", "a.b/c.mbox" },
		{ ".hidden/..", ".\\2ehidden.\\2e\\2e", "\\2ehidden/\\2e..mbox" },
		{ "~root", ".\\7eroot", "~root.mbox" },
		{ "back\\slash", ".back\\5cslash", "back\\5cslash.mbox" },
		{ "Entw\xc3\xbcrfe", ".Entw&APw-rfe", "Entw\xc3\xbcrfe.mbox" },
		{ "a&b", ".a&-b", "a&-b.mbox" },
		{ "box.mbox/x.EML", ".box\\2embox.x\\2eEML", "box\\2embox/x\\2eEML.mbox" },
	};
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		folder_path_maildir(span_from_string(cases[i].name), &out);
		assert_text(&out, cases[i].maildir);
		folder_path_tree(span_from_string(cases[i].name), ".mbox", &out);
		assert_text(&out, cases[i].tree);
	}
	buffer_free(&out);
}

/* A name that a file may not have is cut between two characters, and two that begin alike stay two. */
static void
test_long_names(void **state)
{
	struct buffer name = { 0 }, first = { 0 }, second = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		buffer_add_string(&name, "\xc3\xa9");
	folder_path_tree(buffer_span(&name), "", &first);
	buffer_add_octet(&name, 'x');
	folder_path_tree(buffer_span(&name), "", &second);
	assert_true(first.length < 240 && first.length == second.length);
	assert_memory_equal(first.at, second.at, 160);
	assert_memory_not_equal(first.at, second.at, first.length);
	assert_int_equal(first.at[160], '~');
	buffer_free(&name);
	buffer_free(&first);
	buffer_free(&second);
}

/* What import reads from a folder is the mailbox. */
static void
test_paths_lead_back(void **state)
{
	static const char *const names[] = { "Work", "a.b/c", ".hidden/..", "back\\slash/\\2e", "Entw\xc3\xbcrfe", "a&b/&", "x.mbox", "Entw&APw-rfe",
		"\xe6\x97\xa5\xe6\x9c\xac" };
	struct buffer path = { 0 }, mailbox = { 0 }, expected = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		folder_path_tree(span_from_string(names[i]), "", &path);
		assert_null(folder_name_of_path(buffer_span(&path), &mailbox));
		imap_utf7_encode(span_from_string(names[i]), &expected);
		assert_text(&mailbox, buffer_string(&expected));
		buffer_clear(&path);
		buffer_clear(&expected);
	}
	buffer_free(&path);
	buffer_free(&mailbox);
	buffer_free(&expected);
}

static void
test_line_ends(void **state)
{
	static const struct {
		const char *octets;
		bool is_plain;
		const char *with_lf;
		uint64_t virtual_size;
	} cases[] = {
		{ "", true, "", 0 },
		{ "a\r\nb", true, "a\nb", 4 },
		{ "\r\n\r\n", true, "\n\n", 4 },
		{ "a\rb\r", true, "a\rb\r", 4 },
		{ "a\nb\r\n", false, NULL, 6 },
		{ "a\r\r\n", false, NULL, 4 },
		{ "\n", false, NULL, 2 },
	};
	struct buffer out = { 0 }, back = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span octets = span_from_string(cases[i].octets);

		assert_int_equal(line_ends_are_plain(octets), cases[i].is_plain);
		assert_int_equal(line_ends_virtual_size(octets), cases[i].virtual_size);
		if (!cases[i].is_plain)
			continue;
		line_ends_add_lf(&out, octets);
		add_with_crlf(&back, buffer_span(&out));
		assert_text(&out, cases[i].with_lf);
		assert_text(&back, cases[i].octets);
	}
	buffer_free(&out);
	buffer_free(&back);
}

static void
test_names_of_messages(void **state)
{
	static const struct maildir_name cases[] = {
		{ .date_s = 1500000001, .uidvalidity = 17, .uid = 4294967295, .size = 3, .virtual_size = 4 },
		{ .date_s = -14182940, .uidvalidity = 4294967295, .uid = 1, .is_octets = true },
		{ .date_s = 253402300799, .uidvalidity = 1, .uid = 2 },
	};
	static const char *const others[] = { "", "1500000001.M1P1.host", "1.P1Q1.host,S=1", "1.P1Q1.imapd", "1.P1Q1N.imapd,", "x.P1Q1.imapd,S=1" };
	struct buffer text = { 0 };
	struct maildir_name name;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&text);
		maildir_name_write(&cases[i], &text);
		buffer_add_string(&text, ":2,S");
		assert_true(maildir_name_read(buffer_string(&text), &name));
		assert_int_equal(name.date_s, cases[i].date_s);
		assert_int_equal(name.uid, cases[i].uid);
		assert_int_equal(name.uidvalidity, cases[i].uidvalidity);
		assert_int_equal(name.is_octets, cases[i].is_octets);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(maildir_name_read(others[i], &name));
	buffer_free(&text);
}

static void
test_field(void **state)
{
	static const char *const others[] = { "", "1 2 3", "uidvalidity=1 uid=2 octets=3 date=4", "uidvalidity=1 uid=2 octets=3 date=4 lines=crlf",
		"uidvalidity=1 uid=2 octets=3 date=4 lines=lf and more", "uidvalidity=1 uid=2 octets=3 date=4 lines=lfx" };
	struct export_field field = { .uidvalidity = 17, .uid = 7, .octets = UINT64_C(5000000000), .date_s = -5, .is_kept = true }, got;
	struct buffer text = { 0 };

	(void)state;
	export_field_write(&field, &text);
	assert_string_equal(buffer_string(&text), "X-Imapd-Export: uidvalidity=17 uid=7 octets=5000000000 date=-5 lines=kept\n");
	assert_true(export_field_read(span_from(buffer_span(&text), sizeof EXPORT_FIELD_NAME), &got));
	assert_int_equal(got.octets, field.octets);
	assert_int_equal(got.date_s, -5);
	assert_true(got.is_kept && got.uid == 7 && got.uidvalidity == 17);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(export_field_read(span_from_string(others[i]), &got));
	buffer_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_paths_lead_back),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_names_of_messages),
		cmocka_unit_test(test_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
