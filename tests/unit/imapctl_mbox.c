/*
 * mbox and MMDF as programs write them: separators, quoting, Content-Length, header fields that hold flags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "imapctl_fixture.h"

#define FROM(second) "From a@b Thu Dec  1 03:46:5" second " 2005\n"
#define DATE 1133408810		/* of FROM("0") */

static void
test_separators(void **state)
{
	struct source *source = open_text("mbox",
	    "\n" FROM("0") "Subject: 1\n\n>From me\n>>From you\nFrom here on\n\n"
	    "From a@b Thu Dec  1 03:46:53 2005\r\nSubject: 2\r\n\r\nbody\r\n\r\n"
	    "From 17@xxx Thu Dec 01 03:46:54 +0000 2005\nSubject: 3\n\n\nFrom Russia with love\n\n"
	    "From \nSubject: 4\n\nbody\n\n"
	    "From someone\nX-Own: 5\n\nno end");

	(void)state;
	expect_all(source, (struct expected){ "Subject: 1\r\n\r\nFrom me\r\n>From you\r\nFrom here on\r\n", .date_s = DATE });
	expect_all(source, (struct expected){ "Subject: 2\r\n\r\nbody\r\n", .date_s = DATE + 3 });
	expect_all(source, (struct expected){ "Subject: 3\r\n\r\n\r\nFrom Russia with love\r\n", .date_s = DATE + 4 });
	expect_all(source, (struct expected){ "Subject: 4\r\n\r\nbody\r\n", .date_s = FILE_TIME });
	expect_all(source, (struct expected){ "X-Own: 5\r\n\r\nno end", .date_s = FILE_TIME });
	assert_int_equal(source->note_count, 0);
	expect_end(source);
}

/* Messages of a header alone, of nothing, and with empty lines at their ends. */
static void
test_borders(void **state)
{
	struct source *source = open_text("mbox",
	    FROM("0") "Subject: 1\n\n" FROM("1") "Subject: 2\n\n\n" FROM("2") "Subject: 3\n" FROM("3") "\nbody\n\n\n"
	    FROM("4") "Subject: 5\n\n\n\n");

	(void)state;
	expect(source, "Subject: 1\r\n\r\n", 0, "");
	expect(source, "Subject: 2\r\n\r\n", 0, "");
	/* Neither an empty line before it nor a header behind it. */
	expect(source, "Subject: 3\r\nFrom a@b Thu Dec  1 03:46:53 2005\r\n\r\nbody\r\n\r\n", 0, "");
	expect(source, "Subject: 5\r\n\r\n\r\n", 0, "");
	assert_int_equal(noted(source, NOTE_DOUBTFUL), 1);
	expect_end(source);
}

/* Archives forget the empty line; a date and a header tell all the same. */
static void
test_no_empty_line(void **state)
{
	struct source *source = open_text("mbox", FROM("0") "Subject: 1\n\nbody\n" FROM("1") "Subject: 2\n\nbody\n");

	(void)state;
	expect(source, "Subject: 1\r\n\r\nbody\r\n", 0, "");
	expect(source, "Subject: 2\r\n\r\nbody\r\n", 0, "");
	assert_int_equal(source->note_count, 0);
	expect_end(source);
}

/* What may be a separator and is not taken is told. */
static void
test_doubts(void **state)
{
	static const char *const bodies[] = {
		"prose\n" FROM("1") "prose\n",				/* no empty line, no header */
		"prose\n\nFrom a@b Thu Dec  1 03:46:52 2005 and on\nprose\n",	/* words behind the date */
		"prose\n\nFrom Russia with love\nYear: 1963\n",		/* a field that mail does not have */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct buffer text = { 0 };
		struct source *source;

		buffer_printf(&text, FROM("0") "Subject: 1\n\n%s\n", bodies[i]);
		source = open_text("mbox", buffer_string(&text));
		expect_all(source, (struct expected){ 0 });
		assert_int_equal(noted(source, NOTE_DOUBTFUL), 1);
		expect_end(source);
		buffer_free(&text);
	}
}

/* A mark of byte order, lines of an older separator, a date that is the writer's. */
static void
test_beginnings(void **state)
{
	struct source *source = open_text("mbox",
	    "\xef\xbb\xbf" "From -\nSubject: 1\nDate: Thu, 1 Dec 2005 03:46:51 +0000\n\nx\n\n"
	    "From - Thu Dec 01 2005 10:00:00\n>From - Thu Dec 01 2005 03:46:52\n"
	    "Subject: 2\nDate: Thu, 1 Dec 05 03:46:52 GMT\n\n>From - Thu Dec 01 2005 03:46:52\n");

	(void)state;
	expect_all(source, (struct expected){ "Subject: 1\r\nDate: Thu, 1 Dec 2005 03:46:51 +0000\r\n\r\nx\r\n",
	    .date_s = DATE + 1 });
	expect_all(source, (struct expected){ "Subject: 2\r\nDate: Thu, 1 Dec 05 03:46:52 GMT\r\n\r\n"
	    "From - Thu Dec 01 2005 03:46:52\r\n", .date_s = DATE + 2 });
	expect_end(source);
}

/* As Dovecot and Mutt write it: nothing is quoted, and the length does not count the empty line. */
static void
test_content_length(void **state)
{
	struct source *source = open_text("mbox",
	    FROM("0") "Subject: 1\nContent-Length: 55\n\nx\n\n" FROM("9") ">From a signature\n\n"
	    FROM("1") "Content-Length: 7\nSubject: 2\n\nno end\n\n"
	    FROM("2") "Content-Length: 0\nSubject: 3\n\n\n"
	    FROM("3") "Content-Length: 5\nSubject: 4\n\nlonger\n>From me\n\n"
	    FROM("4") "Content-Length: 9999\nSubject: 5\n\nshorter\n\n"
	    FROM("5") "Content-Length: 4\n\n>From\n\n"
	    FROM("6") "Subject: 7\nContent-Length: 11\n\n\n" "Subject:9\n");

	(void)state;
	expect(source, "Subject: 1\r\n\r\nx\r\n\r\nFrom a@b Thu Dec  1 03:46:59 2005\r\n>From a signature\r\n", 0, "");
	expect(source, "Subject: 2\r\n\r\nno end\r\n", 0, "");
	expect(source, "Subject: 3\r\n\r\n", 0, "");
	expect(source, "Subject: 4\r\n\r\nlonger\r\nFrom me\r\n", 0, "");
	expect(source, "Subject: 5\r\n\r\nshorter\r\n", 0, "");
	expect(source, "\r\n>From\r\n", 0, "");
	expect(source, "Subject: 7\r\n\r\n\r\nSubject:9\r\n", 0, "");
	assert_int_equal(source->note_count, 0);
	expect_end(source);
}

static const struct {
	const char *fields, *kept, *keywords;
	unsigned flags;
} marks[] = {
	{ "Status: RO\nX-Status: AFDT\n", "", "", FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED | FLAG_DRAFT },
	{ "Status: O\nX-Status: \n", "", "", 0 },
	{ "Status: U\n", "", "", 0 },
	{ "status: ro\n", "status: ro\r\n", "", 0 },
	/* A sender's own. */
	{ "Status: Done\nX-Status: FAILED\n", "Status: Done\r\nX-Status: FAILED\r\n", "", 0 },
	{ "Status: Fixed\nX-Status: DATA\n", "Status: Fixed\r\nX-Status: DATA\r\n", "", 0 },
	{ "Status: RO\nStatus: Resolved\n", "Status: Resolved\r\n", "", FLAG_SEEN },
	{ "X-Keywords: \"buy now\"\nX-UID: none\nX-IMAP: yes\nContent-Length: many\n",
	  "X-Keywords: \"buy now\"\r\nX-UID: none\r\nX-IMAP: yes\r\nContent-Length: many\r\n", "", 0 },
	/* Mutt counts lines behind the length, newsgroups do elsewhere. */
	{ "Lines: 7\nContent-Length: 12\nLines: 1\n", "Lines: 7\r\n", "", 0 },
	/* c-client and Dovecot */
	{ "X-IMAPbase: 1795806079 0000000003 Work $Label1\nX-UID: 1\nX-Keywords: $Forwarded Work $Label1     \n",
	  "", "Work $Label1", FLAG_FORWARDED },
	{ "X-IMAP: 1231128309 0000000002\nX-Keywords:          \n", "", "", 0 },
	{ "X-Keywords: one\n two\n", "", "one two", 0 },
	/* Thunderbird */
	{ "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: work $label1           \n",
	  "", "work $label1", FLAG_SEEN },
	{ "X-Mozilla-Status: 1006\n", "", "", FLAG_ANSWERED | FLAG_FLAGGED | FLAG_FORWARDED },
	{ "X-Mozilla-Status: 0000\nX-Mozilla-Status2: 04a00000\n", "", "$MDNSent $label2", FLAG_DELETED },
	{ "X-Mozilla-Status: read\nX-Mozilla-Status2: 1\n", "X-Mozilla-Status: read\r\nX-Mozilla-Status2: 1\r\n", "", 0 },
};

static void
test_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		struct buffer text = { 0 }, octets = { 0 };
		struct source *source;

		buffer_printf(&text, FROM("0") "To: x\n%sSubject: y\n\nStatus: RO\n", marks[i].fields);
		buffer_printf(&octets, "To: x\r\n%sSubject: y\r\n\r\nStatus: RO\r\n", marks[i].kept);
		source = open_text("mbox", buffer_string(&text));
		expect_all(source, (struct expected){ buffer_string(&octets), marks[i].keywords, .flags = marks[i].flags });
		assert_int_equal(source->note_count, 0);
		expect_end(source);
		buffer_free(&text);
		buffer_free(&octets);
	}
}

static void
test_left_out(void **state)
{
	struct source *source = open_text("mbox",
	    "From MAILER-DAEMON Thu Dec  1 03:46:50 2005\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
	    "X-IMAP: 1231128309 0000000002 work\nStatus: RO\n\nno mail\n\n"
	    FROM("1") "X-Mozilla-Status: 0009\nSubject: deleted\n\nx\n\n"
	    FROM("2") "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nasked a user\n");

	(void)state;
	expect(source, "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\nasked a user\r\n", 0, "");
	assert_int_equal(noted(source, NOTE_LEFT_OUT), 1);
	expect_end(source);
}

static const struct {
	const char *labels;
	struct expected keywords, mailboxes;	/* by either style */
} labels[] = {
	{ "Inbox,Unread", { .flags = 0 }, { .flags = 0 } },
	{ "Inbox,Opened,Starred,Important,Category Updates",
	  { .keywords = "$Important Category_Updates", .flags = FLAG_SEEN | FLAG_FLAGGED },
	  { .keywords = "$Important Category_Updates", .flags = FLAG_SEEN | FLAG_FLAGGED } },
	{ "Archived,Work,\"Family, friends\",Opened",
	  { .keywords = "Work Family,_friends", .flags = FLAG_SEEN },
	  { .mailbox = "Work", .copies = "Family, friends", .flags = FLAG_SEEN } },
	{ "Archived,Opened", { .flags = FLAG_SEEN }, { .mailbox = "Archive", .flags = FLAG_SEEN } },
	{ "Sent,Work/2020", { .mailbox = "Sent", .keywords = "Work/2020", .flags = FLAG_SEEN },
	  { .mailbox = "Sent", .copies = "Work/2020", .flags = FLAG_SEEN } },
	{ "Trash,Work", { .mailbox = "Trash", .keywords = "Work", .flags = FLAG_SEEN },
	  { .mailbox = "Trash", .keywords = "Work", .flags = FLAG_SEEN } },
	{ "Draft", { .mailbox = "Drafts", .flags = FLAG_SEEN | FLAG_DRAFT },
	  { .mailbox = "Drafts", .flags = FLAG_SEEN | FLAG_DRAFT } },
	{ "Spam,Unread", { .mailbox = "Junk" }, { .mailbox = "Junk" } },
	{ "Inbox,IMAP_$Forwarded,IMAP_NotJunk", { .keywords = "NotJunk", .flags = FLAG_SEEN | FLAG_FORWARDED },
	  { .keywords = "NotJunk", .flags = FLAG_SEEN | FLAG_FORWARDED } },
	{ "=?UTF-8?Q?Posteingang,Ungelesen,Entw=C3=BCrfe_2?=", { .keywords = "Entw&APw-rfe_2" },
	  { .copies = "Entw&APw-rfe 2" } },
	{ "=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Non_lus?=", { 0 }, { 0 } },
};

static void
test_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		for (enum label_style style = LABELS_KEYWORDS; style <= LABELS_MAILBOXES; style++) {
			struct buffer text = { 0 };
			struct source *source;

			buffer_printf(&text, "From 17@xxx Thu Dec 01 03:46:54 +0000 2005\nX-GM-THRID: 17\n"
			    "X-Gmail-Labels: %s\nSubject: x\n\nx\n", labels[i].labels);
			source = open_text("mbox", buffer_string(&text));
			source->labels = style;
			expect_all(source, style == LABELS_KEYWORDS ? labels[i].keywords : labels[i].mailboxes);
			assert_int_equal(source->note_count, 0);
			expect_end(source);
			buffer_free(&text);
		}
	}
}

#define AAAA "\1\1\1\1\n"

static void
test_mmdf(void **state)
{
	static const char *const files[] = {
		AAAA FROM("0") "Status: RO\nSubject: 1\n\n>From me\n\n" AAAA AAAA "Subject: 2\nDate: 1 Dec 2005 03:46:51 Z\n\n"
		FROM("9") "\n" AAAA,
		AAAA FROM("0") "Subject: 1\nStatus: RO\n\n>From me\n\n" AAAA "Subject: 2\nDate: 1 Dec 2005 03:46:51 Z\n\n"
		FROM("9") "\n" AAAA,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct source *source = open_text("mmdf", files[i]);

		expect_all(source, (struct expected){ "Subject: 1\r\n\r\nFrom me\r\n", .flags = FLAG_SEEN, .date_s = DATE });
		expect_all(source, (struct expected){ "Subject: 2\r\nDate: 1 Dec 2005 03:46:51 Z\r\n\r\n"
		    "From a@b Thu Dec  1 03:46:59 2005\r\n", .date_s = DATE + 1 });
		expect_end(source);
	}
}

/* A line of a megabyte and one that begins in the middle of a window. */
static void
test_long_lines(void **state)
{
	struct buffer text = { 0 }, octets = { 0 };
	struct source *source;

	(void)state;
	buffer_add_string(&text, FROM("0") "Subject: x\n\n");
	buffer_add_string(&octets, "Subject: x\r\n\r\n");
	for (int i = 0; i < 100000; i++) {
		buffer_add_string(&text, "From a@b Thu Dec  1 03:46:52 2005 ");
		buffer_add_string(&octets, "From a@b Thu Dec  1 03:46:52 2005 ");
	}
	for (int i = 0; i < 10000; i++) {
		buffer_add_string(&text, "\n>From me");
		buffer_add_string(&octets, "\r\nFrom me");
	}
	source = open_text("mbox", buffer_string(&text));
	expect(source, buffer_string(&octets), 0, "");
	expect_end(source);
	buffer_free(&text);
	buffer_free(&octets);
}

static void
test_too_large(void **state)
{
	struct message message = { 0 };
	struct source *source = open_text("mbox", FROM("0") "Subject: large\n\n123456789\n\n" FROM("1") "Subject: 2\n\n");

	(void)state;
	source->octets_max = 20;
	assert_int_equal(source_next(source, &message), SOURCE_REFUSED);
	assert_int_equal(source_next(source, &message), SOURCE_MESSAGE);
	assert_string_equal(buffer_string(&message.octets), "Subject: 2\r\n\r\n");
	message_free(&message);
	expect_end(source);
}

static void
test_not_an_mbox(void **state)
{
	static const char *const texts[] = { "Subject: none\n\nbody\n", "From here on\nprose\n", "\n\nFrom\n" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		write_file("letter", texts[i]);
		assert_null(open_source("mbox", "letter"));
		assert_int_equal(errno, EBADMSG);
	}
	assert_null(open_source("mbox", "missing"));
	assert_int_equal(errno, ENOENT);
	make_folder("folder");
	assert_null(open_source("mbox", "folder"));
	assert_int_equal(errno, EISDIR);
	write_file("empty", "");
	expect_end(open_source("mbox", "empty"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_separators),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_no_empty_line),
		cmocka_unit_test(test_doubts),
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_content_length),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_mmdf),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_not_an_mbox),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
