/*
 * Single messages, and what stands among them and is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "imapctl_fixture.h"

static void
test_folder(void **state)
{
	struct source *source;

	(void)state;
	make_folder("E");
	make_folder("E/Inbox");
	make_folder("E/Inbox/Entw\xc3\xbcrfe");
	write_file("E/.hidden", "x");
	write_file("E/1.eml", "Date: Thu, 1 Dec 2005 03:46:52 +0100\n\nA\n");
	write_file("E/2.eml", "Date: whenever\n\nB\rC\n");
	write_file("E/Inbox/3.eml", "Status: RO\nDate: Fri, 23 May 99 12:00:00 EST\n\nD\n");
	write_file("E/Inbox/Entw\xc3\xbcrfe/4.eml", "Subject: x\r\nX-Mozilla-Status: 0009\r\n\r\n");
	source = open_source("eml", "E");
	assert_non_null(source);
	assert_int_equal(source->total, 4);
	expect_all(source, (struct expected){ "Date: Thu, 1 Dec 2005 03:46:52 +0100\r\n\r\nA\r\n", .date_s = 1133405212 });
	expect_all(source, (struct expected){ "Date: whenever\r\n\r\nB\rC\r\n", .date_s = FILE_TIME });
	/* A message of its own keeps its octets, and is there although Thunderbird has deleted it. */
	expect_all(source, (struct expected){ "Status: RO\r\nDate: Fri, 23 May 99 12:00:00 EST\r\n\r\nD\r\n", .mailbox = "Inbox",
	    .flags = FLAG_SEEN, .date_s = 927478800 });
	expect_all(source, (struct expected){ "Subject: x\r\nX-Mozilla-Status: 0009\r\n\r\n", .mailbox = "Inbox/Entw&APw-rfe",
	    .flags = FLAG_SEEN });
	assert_int_equal(source->note_count, 0);
	expect_end(source);
	source = open_source("eml", "E/Inbox/3.eml");
	expect_all(source, (struct expected){ .flags = FLAG_SEEN });
	expect_end(source);
}

#define FROM "From a@b Thu Dec  1 03:46:52 2005\n"

static const struct {
	const char *name, *text, *reason;	/* NULL: it is a message */
} files[] = {
	{ "plain", "Subject: x\n\n", NULL },
	{ "own-field-first", "Own: x\nReceived: from y\n\n", NULL },
	{ "mark-of-byte-order", "\xef\xbb\xbf" "From: x@y\n\n", NULL },
	{ "empty-lines-first", "\n   \nTo: x@y\n\n", NULL },
	{ "12345.eml", FROM "Subject: with its separator\n\n>From me\n", NULL },
	{ "line-above.eml", "HELO there\nSubject: x\n\n", NULL },
	{ "old-line-ends.eml", "Subject: x\rTo: y\r\rtext", NULL },
	{ "two.eml", FROM "Subject: 1\n\nx\n\n" FROM "Subject: 2\n\n", "mbox" },
	{ "two-thunderbird.eml", "From \nSubject: 1\n\nFrom here\n\nFrom \nSubject: 2\n\n", "mbox" },
	{ "archive", FROM "Subject: 1\n\n", "mbox" },
	{ "IncomingXq2", FROM "Subject: spool\n\n", "mbox" },
	{ "some.mbx", "*mbx*\r\n6b09ce0300000000\r\n", "mbx" },
	{ "RMAIL", "BABYL OPTIONS:\nVersion: 5\n\037", "babyl" },
	{ "mmdf", "\1\1\1\1\nSubject: x\n\n\1\1\1\1\n", "mmdf" },
	{ "u.1", "2 M1e C6b09d328\n\1\2N                  0000000000000105\nSubject: x\n\n", "doveadm" },
	{ "mail.txt", " 1-Jan-2024 09:01:00 +0000,20;000000000015\r\nSubject: x\r\n\r\nbody\r\n", "mailutil" },
	{ "1.ics", "BEGIN:VCALENDAR\nSUMMARY:x\n", "calendar" },
	{ "1.vcf", "BEGIN:VCARD\nFN:x\n", "address" },
	{ "context", "Current-Folder: inbox\n", "header field" },
	{ "sequences", "cur: 1\nunseen: 1-3\n", "header field" },
	{ "active", "mail.misc 3 1 y\n", "header field" },
	{ ",2", "Subject: removed\n\n", "removed" },
	{ "notes.eml", "no header at all\n", "header field" },
	{ "empty", "", "header field" },
	{ "gzipped", "\x1f\x8b\x08", "compressed data" },
	{ "prose", "From here on\nprose: this\n", "header field" },
};

static void
test_no_mail(void **state)
{
	(void)state;
	make_folder("N");
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char name[64];
		struct source *source;

		snprintf(name, sizeof name, "N/%s", files[i].name);
		write_file(name, files[i].text);
		source = open_source("eml", name);
		if (files[i].reason != NULL)
			expect_refusal(source, name, files[i].reason);
		else
			expect_all(source, (struct expected){ 0 });
		expect_end(source);
	}
}

/* As when the user is not there: nothing may be left behind. */
static void
test_closed_unread(void **state)
{
	struct source *source;

	(void)state;
	make_folder("C");
	source = open_source("eml", "C");
	source_close(&source);
	assert_null(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_no_mail),
		cmocka_unit_test(test_closed_unread),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
