/*
 * What the sources share, and maildir: kinds, names, line ends, keywords, notes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "imapctl_fixture.h"

/* What a path is, is found out; a name that is not its own is refused. */
static void
test_kinds(void **state)
{
	struct buffer kinds = { 0 };
	struct source *source;

	(void)state;
	write_file("some.mbox", "From a@b Thu Dec  1 03:46:52 2005\nSubject: mbox\n\n");
	write_file("some.mmdf", "\1\1\1\1\nSubject: mmdf\n\nx\n\1\1\1\1\n");
	write_file("some.letter", "Subject: eml\n\n");
	make_folder("letters");
	write_file("letters/1.eml", "Subject: eml\n\n");
	expect((source = open_source(NULL, "some.mbox")), "Subject: mbox\r\n\r\n", 0, "");
	expect_end(source);
	expect((source = open_source(NULL, "some.mmdf")), "Subject: mmdf\r\n\r\nx\r\n", 0, "");
	expect_end(source);
	expect((source = open_source("mbox", "some.mmdf")), "Subject: mmdf\r\n\r\nx\r\n", 0, "");
	expect_end(source);
	expect((source = open_source(NULL, "some.letter")), "Subject: eml\r\n\r\n", 0, "");
	expect_end(source);
	expect((source = open_source(NULL, "letters")), "Subject: eml\r\n\r\n", 0, "");
	expect_end(source);
	assert_null(open_source("mbx", "some.mbox"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source(NULL, "missing"));
	assert_int_equal(errno, ENOENT);
	assert_null(open_source("dbx", "some.letter"));
	assert_int_equal(errno, EINVAL);
	source_kinds(&kinds);
	assert_non_null(strstr(buffer_string(&kinds), "mbox, "));
	assert_non_null(strstr(buffer_string(&kinds), " and eml"));
	buffer_free(&kinds);
}

static void
test_maildir(void **state)
{
	struct source *source;

	(void)state;
	make_folder("M");
	make_folder("M/cur");
	make_folder("M/new");
	make_folder("M/.Sub.Below");
	make_folder("M/.Sub.Below/cur");
	make_folder("M/.Sub.Below/new");
	write_file("M/new/1.a", "Subject: new\n\n\n");
	write_file("M/cur/2.a:2,DFPRST", "Subject: all\n\n");
	write_file("M/cur/3.a:2,", "Subject: none\r\n\r\n");
	write_file("M/.Sub.Below/cur/4.a:2,S", "Subject: below\n\n");
	source = open_source("maildir", "M");
	assert_non_null(source);
	assert_int_equal(source->total, 4);
	expect(source, "Subject: new\r\n\r\n\r\n", 0, "");
	expect(source, "Subject: all\r\n\r\n", FLAG_DRAFT | FLAG_FLAGGED | FLAG_FORWARDED |
	    FLAG_ANSWERED | FLAG_SEEN | FLAG_DELETED, "");
	expect(source, "Subject: none\r\n\r\n", 0, "");
	expect(source, "Subject: below\r\n\r\n", FLAG_SEEN, "Sub/Below");
	expect_end(source);
	assert_null(open_source("maildir", "M/cur"));
	assert_int_equal(errno, EBADMSG);
}

/* Line ends come out the same however the octets are cut. */
static void
test_line_ends(void **state)
{
	const char *text = "a\nb\r\nc\rd\n\n\r\n\r\r\n";

	(void)state;
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		struct buffer out = { 0 };

		add_with_crlf(&out, span_of(text, cut));
		add_with_crlf(&out, span_from_string(text + cut));
		assert_string_equal(buffer_string(&out), "a\r\nb\r\nc\rd\r\n\r\n\r\n\r\r\n");
		buffer_free(&out);
	}
}

static void
test_keywords(void **state)
{
	struct message message = { 0 };

	(void)state;
	assert_true(message_add_keyword(&message, SPAN("work")));
	assert_true(message_add_keyword(&message, SPAN("Work")));
	assert_true(message_add_keyword(&message, SPAN("$label1")));
	assert_true(message_add_keyword(&message, SPAN("$forwarded")));
	assert_false(message_add_keyword(&message, SPAN("two words")));
	assert_false(message_add_keyword(&message, SPAN("\\Seen")));
	assert_false(message_add_keyword(&message, SPAN("")));
	assert_string_equal(buffer_string(&message.keywords), "work $label1");
	assert_int_equal(message.flags, FLAG_FORWARDED);
	message_free(&message);
}

static void
test_notes(void **state)
{
	struct source *source;

	(void)state;
	write_file("noted", "");
	source = open_source("mbox", "noted");
	source_note(source, NOTE_LEFT_OUT, SPAN("x"), SPAN("first"));
	source_note(source, NOTE_DOUBTFUL, SPAN("x"), SPAN("second"));
	source_note(source, NOTE_LEFT_OUT, SPAN("x"), SPAN("third"));
	assert_int_equal(source->note_count, 2);
	assert_int_equal(source->notes[0].count, 2);
	assert_string_equal(buffer_string(&source->notes[0].first), "first");
	assert_int_equal(source->notes[1].kind, NOTE_DOUBTFUL);
	source_close(&source);
	assert_null(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_maildir),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
