/*
 * Trees of maildirs and of MH folders: which mailboxes, which order, which flags and keywords.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "imapctl_fixture.h"

/* A folder, with those above it. */
static void
make_folders(const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A letter whose subject is the name it is expected under. */
static void
write_letter(const char *name, const char *subject)
{
	char text[128];

	snprintf(text, sizeof text, "Subject: %s\n\n", subject);
	write_file(name, text);
}

/* A maildir with one letter, which says where it lies. */
static void
make_maildir(const char *name, const char *mailbox)
{
	char path[256];

	snprintf(path, sizeof path, "%s/cur", name);
	make_folders(path);
	snprintf(path, sizeof path, "%s/cur/1.a:2,S", name);
	write_letter(path, mailbox);
}

/* What the source gives, in its order: "mailbox:subject(flags keywords)", "!name: reason", or a mailbox alone. */
static void
describe(struct source *source, struct buffer *out)
{
	struct message message = { 0 };
	enum source_result result;

	while ((result = source_next(source, &message)) != SOURCE_END) {
		struct span text = buffer_span(&message.octets), origin = buffer_span(&message.origin);

		while (span_find(origin, '/') < origin.length)
			origin = span_from(origin, span_find(origin, '/') + 1);
		if (out->length > 0)
			buffer_add_octet(out, '\n');
		if (result == SOURCE_UNREADABLE)
			buffer_printf(out, "!%.*s: %s", SPAN_ARGS(origin), strerror(errno));
		else if (result == SOURCE_REFUSED)
			buffer_printf(out, "!%.*s: %s", SPAN_ARGS(origin), buffer_string(&message.reason));
		else if (result == SOURCE_MAILBOX)
			buffer_printf(out, "%s", buffer_string(&message.mailbox));
		else
			buffer_printf(out, "%s:%.*s(%u%s%s)", buffer_string(&message.mailbox),
			    (int)span_find(span_from(text, 9), '\r'), (const char *)text.at + 9, message.flags,
			    message.keywords.length > 0 ? " " : "", buffer_string(&message.keywords));
	}
	message_free(&message);
}

static void
expect_folders(const char *kind, const char *name, const char *expected)
{
	struct source *source = open_source(kind, name);
	struct buffer found = { 0 };

	assert_non_null(source);
	describe(source, &found);
	assert_string_equal(buffer_string(&found), expected);
	assert_int_equal(source->done, source->total);
	buffer_free(&found);
	source_close(&source);
}

static void
test_maildirs_in_maildirs(void **state)
{
	(void)state;
	make_maildir("T", "");
	make_maildir("T/.Sub.Below", "Sub/Below");			/* Maildir++ */
	make_maildir("T/Work", "Work");					/* LAYOUT=fs, Verbatim */
	make_maildir("T/Work/v1.2", "Work/v1.2");
	make_maildir("T/Work/.v1.3", "Work/v1.3");			/* Legacy */
	make_maildir("T/Work/.v1.3/.q", "Work/v1.3/q");
	make_maildir("T/only/in/between", "only/in/between");
	make_maildir("T/.py/.thon", "py/thon");				/* Python's add_folder in a folder */
	make_maildir("T/..Sent", "INBOX/Sent");				/* Evolution, below its inbox */
	make_maildir("T/a", "a");
	make_maildir("T/.a.directory/b", "a/b");			/* KMail */
	make_maildir("T/.a.directory/.b.directory/c", "a/b/c");
	make_maildir("T/.x.directory", "x/directory");			/* a maildir itself: Maildir++ */
	make_maildir("T/M++", "M++");					/* a whole Maildir++ lies in another tree */
	make_maildir("T/M++/.d.e", "M++/d/e");
	write_file("T/M++/.d.e/maildirfolder", "");
	make_folders("T/.No.Mail/cur");
	make_maildir("T/Entw\xc3\xbcrfe", "Entw&APw-rfe");
	make_maildir("T/.R&D.Entw&APw-rfe", "R&-D/Entw&APw-rfe");
	expect_folders("maildir", "T",
	    ":(8)\n"
	    "INBOX/Sent:INBOX/Sent(8)\n"
	    "No/Mail\n"
	    "R&-D/Entw&APw-rfe:R&-D/Entw&APw-rfe(8)\n"
	    "Sub/Below:Sub/Below(8)\n"
	    "x/directory:x/directory(8)\n"
	    "Entw&APw-rfe:Entw&APw-rfe(8)\n"
	    "M++:M++(8)\n"
	    "Work:Work(8)\n"
	    "a:a(8)\n"
	    "a/b:a/b(8)\n"
	    "py/thon:py/thon(8)\n"
	    "M++/d/e:M++/d/e(8)\n"
	    "Work/v1.3:Work/v1.3(8)\n"
	    "Work/v1.2:Work/v1.2(8)\n"
	    "a/b/c:a/b/c(8)\n"
	    "Work/v1.3/q:Work/v1.3/q(8)\n"
	    "only/in/between:only/in/between(8)");
	/* A folder in the middle, and what KMail has beside it. */
	expect_folders("maildir", "T/a", ":a(8)\nb:a/b(8)\nb/c:a/b/c(8)");
}

static void
test_what_is_no_mailbox(void **state)
{
	(void)state;
	make_maildir("N", "");
	make_maildir("N/Entw\xfcrfe", "x");
	make_folders("N/Entw\xfcrfe/new");
	write_letter("N/Entw\xfcrfe/new/2.a", "y");
	make_maildir("N/.a..b", "x");
	write_file("N/old", "From a@b Thu Dec  1 03:46:52 2005\nSubject: x\n\n");
	write_file("N/subscriptions", "a\n");
	assert_int_equal(symlink("../N", path_of("N/circle")), 0);
	assert_int_equal(symlink("nowhere", path_of("N/broken")), 0);
	expect_folders("maildir", "N",
	    ":(8)\n"
	    "!.a..b: Mailbox name holds an empty level of hierarchy; 1 message stay out\n"
	    "!Entw\xfcrfe: its name is neither UTF-8 nor modified UTF-7; 2 messages stay out\n"
	    "old:x(0)");	/* an mbox between maildirs */
	make_folders("empty");
	assert_null(open_source("maildir", "empty"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source("mh", "empty"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source("maildir", "N/old"));
	assert_int_equal(errno, EBADMSG);
	assert_null(open_source("mh", "none"));
	assert_int_equal(errno, ENOENT);
}

/* Files that are no letters are told, one by one, and hold nothing up. */
static void
test_what_is_no_letter(void **state)
{
	(void)state;
	make_maildir("L", "1");
	assert_int_equal(mkfifo(path_of("L/cur/2.fifo"), 0600), 0);
	make_folders("L/cur/3.folder");
	assert_int_equal(symlink("nowhere", path_of("L/cur/4.broken")), 0);
	write_file("L/cur/5.empty", "");
	write_octets("L/cur/6.binary", SPAN("\0\1\2\3"));
	write_octets("L/cur/7.crypted", SPAN("CRYPTED\x03\x07kkkk"));
	write_octets("L/cur/8.gz", SPAN("\x1f\x8b\x08"));
	write_file("L/cur/9.from:2,", "From a@b Thu Dec  1 03:46:52 2005\nSubject: 9\n\n");
	write_file("L/cur/.hidden", "x");
	expect_folders("maildir", "L",
	    ":1(8)\n"
	    "!2.fifo: it is no file, but a pipe, socket or device\n"
	    "!3.folder: Is a directory\n"
	    "!4.broken: No such file or directory\n"
	    "!5.empty: it is empty\n"
	    "!6.binary: it is no mail, but octets of another kind\n"
	    "!7.crypted: it is encrypted by Dovecot; let doveadm export it there\n"
	    "!8.gz: its compressed data end too early\n"
	    ":9(0)");
}

/* What another user owns is not read by way of a link that a third one made. */
static void
test_links(void **state)
{
	char command[600];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_maildir("secret", "secret");
	make_maildir("Y", "own");
	make_maildir("Y/own", "own");
	assert_int_equal(symlink("../../secret/cur/1.a:2,S", path_of("Y/cur/2.a")), 0);
	assert_int_equal(symlink("../../Y/own/cur/1.a:2,S", path_of("Y/cur/3.a")), 0);
	assert_int_equal(symlink("../secret", path_of("Y/z")), 0);
	assert_int_equal(symlink("own", path_of("Y/also")), 0);
	make_folders("Y/part");
	assert_int_equal(symlink("../../secret/cur", path_of("Y/part/cur")), 0);
	snprintf(command, sizeof command, "chown -Rh 65534 %s", path_of("Y"));
	assert_int_equal(system(command), 0);
	expect_folders("maildir", "Y",
	    ":own(8)\n"
	    "!2.a: it is a link by one user to what belongs to another\n"
	    ":own(0)\n"
	    "also:own(8)\n"
	    "own:own(8)\n"
	    "!cur: Operation not permitted\n"
	    "!z: Operation not permitted");
}

/* Each after the other, as they came. */
static const char *const arrivals[] = {
	"cur/999999999.M5P1.host:2,",
	"new/1700000009.M5P5.host",
	"cur/1700000009.M10P4.host:2,S",
	"cur/1700000009.M10P10Q2.host,S=1,W=2:2,S",
	"new/1700000009.M10P10Q10.host",
	"cur/1700000009.Vfe00Iaaa2b5M190922.host:2,",
	"cur/1700000009.M545362P24242V000000000000FE00I0000000000A7A36C_0.host,S=14:2,",
	"cur/1700000009.M545362P24242V000000000000FE00I0000000000A7A36C_1.host,S=14:2,",
	"new/1700000010.7_9.host",
	"cur/1700000010.7_10.host:2,",
	"cur/1700000010.8_1.host:2,",
	"cur/1700000011_2.99.host,U=1:2,",
	"cur/1700000011_10.99.host,U=2:2,",
	"new/1700000011_11.99.host,U=3",
	"cur/1800000000.host!2,S",
	"cur/1900000000.host;2,S",
};

static void
test_order_of_arrival(void **state)
{
	struct buffer expected = { 0 };

	(void)state;
	make_folders("O/cur");
	make_folders("O/new");
	for (size_t i = COUNT_OF(arrivals); i-- > 0;) {
		char path[256], subject[24];

		snprintf(path, sizeof path, "O/%s", arrivals[i]);
		snprintf(subject, sizeof subject, "%zu", i);
		write_letter(path, subject);
	}
	for (size_t i = 0; i < COUNT_OF(arrivals); i++)
		buffer_printf(&expected, "%s:%zu(%d)", i == 0 ? "" : "\n", i,
		    strstr(arrivals[i], "2,S") != NULL ? 8 : 0);
	expect_folders("maildir", "O", buffer_string(&expected));
	buffer_free(&expected);
}

static void
test_order_by_uid_list(void **state)
{
	(void)state;
	make_folders("U/cur");
	make_folders("U/new");
	write_letter("U/cur/3.M1P1.h,S=1:2,S", "first");
	write_letter("U/new/1.M1P1.h,S=1", "second");
	write_letter("U/cur/2.M1P1.h:2,", "third");
	write_letter("U/cur/0.M1P1.h:2,", "not yet in the list");
	write_file("U/courierimapuiddb", "1 795861636 5\n1 2.M1P1.h\n");
	write_file("U/dovecot-uidlist", "3 V1795806079 N11 G541e\n2 W273 S1 :3.M1P1.h,S=1\n9 :1.M1P1.h,S=1\n"
	    "10 :2.M1P1.h\n11 :gone\nnonsense\n");
	expect_folders("maildir", "U", ":first(8)\n:second(0)\n:third(0)\n:not yet in the list(0)");
	assert_int_equal(unlink(path_of("U/dovecot-uidlist")), 0);
	expect_folders("maildir", "U", ":third(0)\n:not yet in the list(0)\n:second(0)\n:first(8)");
	write_file("U/dovecot-uidlist", "1 795861636 5\n1 1.M1P1.h,S=1\n2 3.M1P1.h,S=1\n");
	expect_folders("maildir", "U", ":second(0)\n:first(8)\n:not yet in the list(0)\n:third(0)");
}

static void
test_keywords_of_a_maildir(void **state)
{
	struct source *source;
	struct buffer found = { 0 };

	(void)state;
	make_folders("K/cur");
	make_folders("K/.notmuch/xapian");
	write_file("K/dovecot-keywords", "0 $Label1\n1 work\n2 $Forwarded\n4 bad)name\n26 more\n");
	write_letter("K/cur/1.a:2,Sab", "ab");
	write_letter("K/cur/2.a:2,c", "c");
	write_letter("K/cur/3.a:2,DFPRST", "all");
	write_letter("K/cur/4.a:2,deX,a", "told");
	write_letter("K/cur/5.a:1,Sa", "experimental");
	source = open_source("maildir", "K");
	describe(source, &found);
	assert_string_equal(buffer_string(&found), ":ab(8 $Label1 work)\n:c(32)\n:all(63)\n:told(0)\n:experimental(0)");
	assert_int_equal(source->note_count, 5);	/* notmuch, more, d, e, X */
	for (size_t i = 0; i < source->note_count; i++)
		assert_int_equal(source->notes[i].kind, NOTE_NOT_TAKEN_OVER);
	buffer_free(&found);
	source_close(&source);
}

static void
test_keywords_of_courier(void **state)
{
	(void)state;
	make_folders("C/cur");
	make_folders("C/courierimapkeywords");
	write_file("C/courierimapkeywords/:list", "Added\n$Forwarded\nThird\n\n1.a,S=1:0 2\n2.a:1\n3.a:9\n4.a:0\n5.a:0\n");
	write_file("C/courierimapkeywords/.9.4.a", "Old\n");
	write_file("C/courierimapkeywords/.10.4.a", "Now\nThird\n");
	write_file("C/courierimapkeywords/5.a", "");
	write_letter("C/cur/1.a,S=1:2,S", "1");
	write_letter("C/cur/2.a:2,", "2");
	write_letter("C/cur/3.a:2,", "3");
	write_letter("C/cur/4.a:2,", "4");
	write_letter("C/cur/5.a:2,", "5");
	expect_folders("maildir", "C", ":1(8 Added Third)\n:2(32)\n:3(0)\n:4(0 Now Third)\n:5(0)");
}

/* Another program works on the maildir meanwhile. */
static void
test_moved_meanwhile(void **state)
{
	struct source *source;
	struct message message = { 0 };
	struct buffer found = { 0 };
	char to[512];

	(void)state;
	make_maildir("R", "1");
	make_folders("R/new");
	write_letter("R/new/2.a", "2");
	write_letter("R/cur/3.a:2,", "3");
	write_letter("R/cur/4.a:2,", "4");
	source = open_source("maildir", "R");
	assert_int_equal(source_next(source, &message), SOURCE_MESSAGE);
	snprintf(to, sizeof to, "%s", path_of("R/cur/2.a:2,S"));
	assert_int_equal(rename(path_of("R/new/2.a"), to), 0);
	snprintf(to, sizeof to, "%s", path_of("R/cur/3.a:2,RS"));
	assert_int_equal(rename(path_of("R/cur/3.a:2,"), to), 0);
	assert_int_equal(unlink(path_of("R/cur/4.a:2,")), 0);
	describe(source, &found);
	assert_string_equal(buffer_string(&found), ":2(8)\n:3(9)\n!4.a:2,: No such file or directory");
	buffer_free(&found);
	message_free(&message);
	source_close(&source);
}

static void
test_large(void **state)
{
	struct source *source;
	struct buffer found = { 0 };

	(void)state;
	make_maildir("B", "much more than the server takes");
	write_letter("B/cur/2.a:2,", "2");
	source = open_source("maildir", "B");
	source->octets_max = 20;
	describe(source, &found);
	assert_string_equal(buffer_string(&found),
	    "!1.a:2,S: it is larger than 20 octets, the server's message-size-limit\n:2(0)");
	buffer_free(&found);
	source_close(&source);
}

static void
test_mh(void **state)
{
	struct source *source;

	(void)state;
	make_folders("H/inbox/2020");
	make_folders("H/lists/R&D");
	make_folders("H/.hidden");
	write_file("H/context", "Current-Folder: inbox\n");
	write_file("H/inbox/.mh_sequences", "cur: 10\nunseen: 2-3\n 100\nreplied: 10\nflagged: 9-10\nWork: 1 3\nbad): 1\n");
	write_letter("H/inbox/1", "1");
	write_letter("H/inbox/2", "2");
	write_letter("H/inbox/3", "3");
	write_letter("H/inbox/9", "9");
	write_letter("H/inbox/10", "10");
	write_letter("H/inbox/100", "100");
	write_letter("H/inbox/,4", "removed");
	write_letter("H/inbox/#5", "removed");
	write_letter("H/inbox/6.orig", "other");
	write_letter("H/inbox/2020/1", "2020");
	write_file("H/lists/R&D/7", "From a@b  Sat Nov 28 10:28:23 2026\nSubject: 7\n\n");
	write_file("H/lists/R&D/8", "Replied: Sat, 28 Nov 2026\nReplied: to a\nSubject: 8\nForwarded: no\n\n");
	write_letter("H/.hidden/1", "hidden");
	assert_int_equal(mkfifo(path_of("H/inbox/11"), 0600), 0);
	expect_folders("mh", "H",
	    "inbox:1(8 Work)\ninbox:2(0)\ninbox:3(0 Work)\ninbox:9(10)\ninbox:10(11)\n"
	    "!11: it is no file, but a pipe, socket or device\n"
	    "inbox:100(0)\ninbox/2020:2020(8)\n"
	    "lists/R&-D:7(8)\nlists/R&-D:Sat, 28 Nov 2026(9)");
	expect_folders("mh", "H/inbox/2020", ":2020(8)");
	source = open_source("mh", "H");
	assert_int_equal(source->note_count, 1);
	assert_int_equal(source->notes[0].kind, NOTE_LEFT_OUT);		/* 6.orig */
	assert_int_equal(source->notes[0].count, 1);
	source_close(&source);
}

/* Version 2, then pairs, as Claws Mail 4.1.1 and Sylpheed 3.8.0beta1 write them. */
static void
test_marks(void **state)
{
	static const uint32_t marks[] = { 2, 1, 0, 2, 3, 3, 4, 4, 0x30, 5, 8, 1, 0, 6, 0x80 };
	uint32_t swapped[COUNT_OF(marks)];
	const char *expected = ":1(8)\n:2(0)\n:3(10 Work)\n:4(41)\n:5(12)\n:6(8)\n:7(0)";

	(void)state;
	make_folders("S");
	write_file("S/.mh_sequences", "unseen: 1-3\nWork: 3\n");
	for (int i = 1; i <= 7; i++) {
		char path[24], subject[24];

		snprintf(path, sizeof path, "S/%d", i);
		snprintf(subject, sizeof subject, "%d", i);
		write_letter(path, subject);
	}
	write_octets("S/.claws_mark", span_of(marks, sizeof marks));
	write_octets("S/.sylpheed_mark", SPAN("\2\0\0\0"));
	expect_folders("mh", "S", expected);
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		swapped[i] = __builtin_bswap32(marks[i]);
	write_octets("S/.claws_mark", SPAN("no marks"));
	write_octets("S/.sylpheed_mark", span_of(swapped, sizeof swapped));
	expect_folders("mh", "S", expected);
	assert_int_equal(unlink(path_of("S/.sylpheed_mark")), 0);
	expect_folders("mh", "S", ":1(0)\n:2(0)\n:3(0 Work)\n:4(8)\n:5(8)\n:6(8)\n:7(8)");
}

/* Folders that only look like those of MH: what their programs know is not taken over, and that is told. */
static void
test_marks_elsewhere(void **state)
{
	static const char *const files[] = { ".overview", ".mxindex" };
	struct source *source;
	struct buffer found = { 0 };

	(void)state;
	make_folders("X");
	write_letter("X/1", "1");
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char path[24];

		snprintf(path, sizeof path, "X/%s", files[i]);
		write_file(path, "x\n");
		source = open_source("mh", "X");
		buffer_clear(&found);
		describe(source, &found);
		assert_string_equal(buffer_string(&found), ":1(8)");
		assert_int_equal(source->note_count, 1);
		assert_int_equal(source->notes[0].kind, NOTE_NOT_TAKEN_OVER);
		source_close(&source);
		assert_int_equal(unlink(path_of(path)), 0);
	}
	buffer_free(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maildirs_in_maildirs),
		cmocka_unit_test(test_what_is_no_mailbox),
		cmocka_unit_test(test_what_is_no_letter),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_order_of_arrival),
		cmocka_unit_test(test_order_by_uid_list),
		cmocka_unit_test(test_keywords_of_a_maildir),
		cmocka_unit_test(test_keywords_of_courier),
		cmocka_unit_test(test_moved_meanwhile),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_mh),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_marks_elsewhere),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
