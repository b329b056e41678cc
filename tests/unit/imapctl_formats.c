/*
 * Babyl as Python's mailbox and Emacs write it, mbx and mix as c-client does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "imapctl_fixture.h"

#define OPTIONS "BABYL OPTIONS:\nVersion: 5\nLabels: Work\n\037"

static void
test_babyl_of_python(void **state)
{
	struct source *source = open_text("babyl", OPTIONS
	    "\f\n1,,\nSubject: 1\nDate: 1 Dec 2005 03:46:50 Z\n\n*** EOOH ***\nSubject: 1\nDate: 1 Dec 2005 03:46:50 Z\n\n"
	    "body\nFrom me\n\n\037"
	    "\f\n1, answered, unseen, deleted, resent,, Work,\nSubject: 2\n\n*** EOOH ***\nbody\nSubject: 2\n\n\037"
	    "\f\n1, forwarded,, two words,\nSubject: 3\n\n*** EOOH ***\nOwn: looks like a field\n\nrest\n\037");

	(void)state;
	expect_all(source, (struct expected){ "Subject: 1\r\nDate: 1 Dec 2005 03:46:50 Z\r\n\r\nbody\r\nFrom me\r\n",
	    .flags = FLAG_SEEN, .date_s = 1133408810 });
	expect_all(source, (struct expected){ "Subject: 2\r\n\r\nbody\r\nSubject: 2\r\n", .keywords = "Work",
	    .flags = FLAG_ANSWERED | FLAG_DELETED, .date_s = FILE_TIME });
	expect(source, "Subject: 3\r\n\r\nOwn: looks like a field\r\n\r\nrest\r\n", FLAG_SEEN | FLAG_FORWARDED, "");
	assert_int_equal(noted(source, NOTE_NOT_TAKEN_OVER), 2);
	expect_end(source);
}

static void
test_babyl_of_emacs(void **state)
{
	struct source *source = open_text("babyl", OPTIONS
	    "\f\n0, unseen,,\n*** EOOH ***\nSubject: whole\nTo: x\n\nbody\n\037"
	    "\f\n1,,Work,\nSummary-line: 1-Dec a@b [1] #cut\n"
	    "Mail-from: From a@b Thu Dec  1 03:46:52 2005\nReceived: from z\nSubject: cut\n\n"
	    "*** EOOH ***\nSubject: cut\n\nbody\n\n\037"
	    "\f\n1,,\nSubject: no body\n\n*** EOOH ***\nSubject: no body\n\n\037");

	(void)state;
	expect(source, "Subject: whole\r\nTo: x\r\n\r\nbody\r\n", 0, "");
	expect_all(source, (struct expected){ "Received: from z\r\nSubject: cut\r\n\r\nbody\r\n", .keywords = "Work",
	    .flags = FLAG_SEEN, .date_s = 1133408812 });
	expect(source, "Subject: no body\r\n\r\n", FLAG_SEEN, "");
	assert_int_equal(source->note_count, 0);
	expect_end(source);
}

/* A header of 2048 octets with two keywords, and what stands behind it. */
static void
write_mbx(const char *name, const char *messages)
{
	struct buffer text = { 0 };

	buffer_add_string(&text, "*mbx*\r\n6b0aafde00000001\r\nWork\r\n$Forwarded\r\n");
	for (int i = 0; i < 28; i++)
		buffer_add_string(&text, "\r\n");
	while (text.length < 2048)
		buffer_add_octet(&text, 0);
	buffer_add_string(&text, messages);
	write_octets(name, buffer_span(&text));
	buffer_free(&text);
}

static void
test_mbx(void **state)
{
	struct source *source;

	(void)state;
	write_mbx("some.mbx",
	    " 1-Dec-2005 03:46:52 +0000,19;00000003000d-00000000\r\nSubject: 1\r\n\r\nbody\n"
	    " 1-Dec-2005 04:46:52 +0100,14;000000008000-00000002\r\nSubject: 2\r\n\r\n"
	    " 1-Dec-2005 04:46:52 +0100,14;000000100022-00000003\r\nSubject: 3\r\n\r\n"
	    "no such line\r\nSubject: 4\r\n\r\n");
	source = open_source("mbx", "some.mbx");
	expect_all(source, (struct expected){ "Subject: 1\r\n\r\nbody\r\n", .keywords = "Work",
	    .flags = FLAG_SEEN | FLAG_FLAGGED | FLAG_ANSWERED | FLAG_FORWARDED, .date_s = 1133408812 });
	expect_all(source, (struct expected){ "Subject: 3\r\n\r\n", .flags = FLAG_DELETED | FLAG_DRAFT,
	    .date_s = 1133408812 });
	assert_int_equal(noted(source, NOTE_LEFT_OUT), 1);	/* expunged, the file not cleaned */
	assert_int_equal(noted(source, NOTE_NOT_TAKEN_OVER), 1);	/* bit 4 has no name */
	expect_refusal(source, "some.mbx:2254", "damaged");
	expect_end(source);

	write_mbx("cut.mbx", " 1-Dec-2005 03:46:52 +0000,99;000000000000-00000001\r\nSubject: cut off\r\n\r\n");
	source = open_source("mbox", "cut.mbx");
	expect_refusal(source, "cut.mbx:2048", "damaged");
	expect_end(source);
	write_file("short.mbx", "*mbx*\r\n6b0aafde00000001\r\n");
	assert_null(open_source("mbx", "short.mbx"));
	assert_int_equal(errno, EBADMSG);
}

static void
test_mix(void **state)
{
	struct source *source;

	(void)state;
	make_folder("X");
	write_file("X/.mixmeta", "S6b0aafe3\r\nV6b0aafde\r\nL00000004\r\nN6b0aafde\r\nKWork $Forwarded third\r\n");
	write_file("X/.mixstatus", "S6b0aafe2\r\n:00000002:00000003:000d:6b0aafe2:\r\n:00000003:00000004:0002:6b0aafe2:\r\n");
	write_file("X/.mixindex", "S6b0aafd8\r\n"
	    ":00000002:20051201034652+0000:00000014:6b0aafde:00000000:0000002d:0000000e:\r\n"
	    ":00000003:20051201044652+0100:0000000e:6b0aafde:00000041:0000002d:0000000e:\r\n"
	    ":00000004:20051201034652-0030:0000000e:6b0aafde:00000000:0000002d:0000000e:\r\n"
	    ":00000005:damaged\r\n"
	    ":00000006:20051201034652+0000:0000000e:00000001:00000000:0000002d:0000000e:\r\n");
	write_file("X/.mix6b0aafde", ":msg:00000002:20051201034652+0000:00000014:\r\nSubject: 1\r\n\r\nbody\r\n"
	    ":msg:00000003:20051201044652+0100:0000000e:\r\nSubject: 2\r\n\r\n");
	make_folder("X/Sub");
	write_file("X/Sub/.mixmeta", "S6b0aafe3\r\n");
	write_file("X/Sub/.mixindex", ":00000001:20051201034652-0030:0000000e:6b0aafdf:00000000:0000002d:0000000e:\r\n");
	write_file("X/Sub/.mix6b0aafdf", ":msg:00000001:20051201034652-0030:0000000e:\r\nSubject: 3\r\n\r\n");
	make_folder("X/other");
	source = open_source(NULL, "X");
	assert_non_null(source);
	expect_all(source, (struct expected){ "Subject: 1\r\n\r\nbody\r\n", .keywords = "Work",
	    .flags = FLAG_SEEN | FLAG_FLAGGED | FLAG_ANSWERED | FLAG_FORWARDED, .date_s = 1133408812 });
	expect_all(source, (struct expected){ "Subject: 2\r\n\r\n", .keywords = "third", .flags = FLAG_DELETED,
	    .date_s = 1133408812 });
	expect_refusal(source, "X/.mixindex:165", "no message");
	expect_refusal(source, "X/.mixindex:242", "damaged");
	{
		struct message message = { 0 };

		assert_int_equal(source_next(source, &message), SOURCE_UNREADABLE);	/* its file is not there */
		message_free(&message);
	}
	expect_all(source, (struct expected){ "Subject: 3\r\n\r\n", .mailbox = "Sub", .date_s = 1133408812 + 1800 });
	assert_int_equal(source->done, source->total);
	expect_end(source);
	assert_null(open_source("mix", "X/other"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source("mix", "X/.mixmeta"));
	assert_int_equal(errno, ENOTDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_babyl_of_python),
		cmocka_unit_test(test_babyl_of_emacs),
		cmocka_unit_test(test_mbx),
		cmocka_unit_test(test_mix),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
