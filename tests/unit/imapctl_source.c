/*
 * What import reads: mbox, maildir and eml, with flags, dates and line ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imapctl/source.h"
#include "base/memory.h"

static char folder[64];

static void
write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
make_folder(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static struct source *
open_source(const char *kind, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return source_open(kind, path);
}

static void
expect(struct source *source, const char *octets, unsigned flags, const char *mailbox)
{
	struct message message = { 0 };

	assert_int_equal(source_next(source, &message), SOURCE_MESSAGE);
	assert_string_equal(buffer_string(&message.octets), octets);
	assert_int_equal(message.flags, flags);
	assert_string_equal(buffer_string(&message.mailbox), mailbox);
	assert_true(message.has_date);
	message_free(&message);
}

static void
expect_end(struct source *source)
{
	struct message message = { 0 };

	assert_int_equal(source_next(source, &message), SOURCE_END);
	message_free(&message);
	source_close(&source);
}

static const struct {
	const char *line;
	int64_t date;		/* -1: no From_ line */
} from_lines[] = {
	{ "From a@b Thu Dec  1 03:46:52 2005\n", 1133408812 },
	{ "From a at b  Thu Dec  1 03:46:52 2005\r\n", 1133408812 },
	{ "From a@b Thu Dec  1 03:46 2005\n", 1133408760 },
	{ "From a@b Thu Dec  1 03:46:52 2005 +0100\n", 1133405212 },
	{ "From a@b Thu Dec  1 03:46:52 CET 2005\n", 1133408812 },
	{ "From here on we are alone\n", -1 },
	{ "From \n", -1 },
	{ "from a@b Thu Dec  1 03:46:52 2005\n", -1 },
	{ "", -1 },
};

static void
test_from_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(from_lines); i++) {
		int64_t date = -1;
		bool is_one = from_line_date(span_from_string(from_lines[i].line), &date);

		assert_int_equal(is_one, from_lines[i].date >= 0);
		assert_int_equal(date, from_lines[i].date);
	}
}

static void
test_mbox(void **state)
{
	struct source *source;

	(void)state;
	write_file("box", "From a@b Thu Dec  1 03:46:52 2005\nSubject: 1\nStatus: RO\nX-Status: AF\n\n"
			  ">From me\n>>From you\nFrom here on\n\n"
			  "From a@b Thu Dec  1 03:46:53 2005\r\nSubject: 2\r\n\r\nbody\r\n"
			  "From c@d Thu Dec  1 03:46:54 2005\nSubject: 3\n\nno end");
	source = open_source("mbox", "box");
	assert_non_null(source);
	expect(source, "Subject: 1\r\nStatus: RO\r\nX-Status: AF\r\n\r\nFrom me\r\n>From you\r\nFrom here on\r\n",
	    FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED, "");
	expect(source, "Subject: 2\r\n\r\nbody\r\n", 0, "");
	expect(source, "Subject: 3\r\n\r\nno end", 0, "");
	expect_end(source);
}

static void
test_not_an_mbox(void **state)
{
	(void)state;
	write_file("letter", "Subject: none\n\nbody\n");
	assert_null(open_source("mbox", "letter"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source("mbox", "missing"));
	assert_int_equal(errno, ENOENT);
	assert_null(open_source("pst", "letter"));
	assert_int_equal(errno, EINVAL);
	write_file("empty", "");
	expect_end(open_source("mbox", "empty"));
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

static void
test_eml(void **state)
{
	struct message message = { 0 };
	struct source *source;

	(void)state;
	make_folder("E");
	make_folder("E/sub");
	write_file("E/.hidden", "x");
	write_file("E/1.eml", "Date: Thu, 1 Dec 2005 03:46:52 +0100\n\nA\n");
	write_file("E/2.eml", "Date: whenever\n\nB\rC\n");
	write_file("E/sub/3.eml", "D\n");
	source = open_source("eml", "E");
	assert_non_null(source);
	assert_int_equal(source->total, 3);
	assert_int_equal(source_next(source, &message), SOURCE_MESSAGE);
	assert_int_equal(message.date_s, 1133405212);
	message_free(&message);
	expect(source, "Date: whenever\r\n\r\nB\rC\r\n", 0, "");
	expect(source, "D\r\n", 0, "");
	expect_end(source);
	source = open_source("eml", "E/sub/3.eml");
	expect(source, "D\r\n", 0, "");
	expect_end(source);
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

static int
make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/imapctl-source-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
unmake(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_line),
		cmocka_unit_test(test_mbox),
		cmocka_unit_test(test_not_an_mbox),
		cmocka_unit_test(test_maildir),
		cmocka_unit_test(test_eml),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
