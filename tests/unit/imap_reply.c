/*
 * Replies as servers send them, those of the RFCs and those that are a little off: each is read and told again in one form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "imap/reply.h"

static void
tell_words(struct buffer *out, const struct span *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i].at == NULL)
			buffer_add_string(out, " NIL");
		else
			buffer_printf(out, " <%.*s>", SPAN_ARGS(words[i]));
	}
}

static void
tell_code(struct buffer *out, const struct imap_reply_code *code)
{
	if (code->name.length == 0)
		return;
	buffer_printf(out, " [%.*s", SPAN_ARGS(code->name));
	if (code->number > 0)
		buffer_printf(out, " %llu", (unsigned long long)code->number);
	if (code->source.length > 0)
		buffer_printf(out, " from %.*s", SPAN_ARGS(code->source));
	if (code->target.length > 0)
		buffer_printf(out, " to %.*s", SPAN_ARGS(code->target));
	tell_words(out, code->words, code->word_count);
	buffer_add_octet(out, ']');
}

static void
tell_separator(struct buffer *out, int separator)
{
	if (separator < 0)
		buffer_add_string(out, " -");
	else
		buffer_printf(out, " %c", separator);
}

static void
tell_list(struct buffer *out, const struct imap_list_reply *list)
{
	buffer_printf(out, " %x", list->attributes);
	tell_separator(out, list->separator);
	buffer_printf(out, " <%.*s>", SPAN_ARGS(list->name));
	if (list->has_subscribed_below)
		buffer_add_string(out, " below");
	if (list->old_name.length > 0)
		buffer_printf(out, " was <%.*s>", SPAN_ARGS(list->old_name));
}

static void
tell_spaces(struct buffer *out, const struct imap_namespace_reply *spaces)
{
	for (size_t kind = 0; kind < IMAP_NAMESPACE_COUNT; kind++) {
		buffer_add_string(out, " (");
		for (size_t i = 0; i < spaces->counts[kind]; i++) {
			buffer_printf(out, "<%.*s>", SPAN_ARGS(spaces->spaces[kind][i].prefix));
			tell_separator(out, spaces->spaces[kind][i].separator);
		}
		buffer_add_octet(out, ')');
	}
}

static void
tell_status(struct buffer *out, const struct imap_status_reply *status)
{
	const struct {
		unsigned has;
		const char *name;
		uint64_t number;
	} items[] = {
		{ IMAP_STATUS_HAS_MESSAGES, "messages", status->messages },
		{ IMAP_STATUS_HAS_UIDNEXT, "uidnext", status->uidnext },
		{ IMAP_STATUS_HAS_UIDVALIDITY, "uidvalidity", status->uidvalidity },
		{ IMAP_STATUS_HAS_UNSEEN, "unseen", status->unseen },
		{ IMAP_STATUS_HAS_HIGHESTMODSEQ, "modseq", status->highestmodseq },
		{ IMAP_STATUS_HAS_SIZE, "size", status->size },
		{ IMAP_STATUS_HAS_RECENT, "recent", status->recent },
		{ IMAP_STATUS_HAS_DELETED, "deleted", status->deleted },
	};

	buffer_printf(out, " <%.*s>", SPAN_ARGS(status->mailbox));
	for (size_t i = 0; i < COUNT_OF(items); i++)
		if ((status->has & items[i].has) != 0)
			buffer_printf(out, " %s=%llu", items[i].name, (unsigned long long)items[i].number);
	if (status->mailbox_id.length > 0)
		buffer_printf(out, " id=%.*s", SPAN_ARGS(status->mailbox_id));
}

static void
tell_search(struct buffer *out, const struct imap_search_reply *search)
{
	if (search->tag.length > 0)
		buffer_printf(out, " of <%.*s>", SPAN_ARGS(search->tag));
	if (search->is_uid)
		buffer_add_string(out, " uid");
	if (search->has_count)
		buffer_printf(out, " count=%llu", (unsigned long long)search->count);
	if (search->min > 0)
		buffer_printf(out, " min=%u", search->min);
	if (search->max > 0)
		buffer_printf(out, " max=%u", search->max);
	if (search->modseq > 0)
		buffer_printf(out, " modseq=%llu", (unsigned long long)search->modseq);
	buffer_add_octet(out, ' ');
	imap_sequence_write(out, &search->all);
}

static void
tell_bodies(struct buffer *out, const struct imap_fetch_reply *fetch)
{
	for (size_t i = 0; i < fetch->body_count; i++) {
		const struct imap_fetch_body *body = &fetch->bodies[i];

		buffer_printf(out, " %s[%.*s]%llu%s=", body->is_binary ? "binary" : "body", SPAN_ARGS(body->section),
		    (unsigned long long)body->size, body->is_taken ? " taken" : "");
		buffer_printf(out, body->is_nil ? "nil" : "<%.*s>", SPAN_ARGS(body->octets));
		if (body->origin > 0)
			buffer_printf(out, "@%llu", (unsigned long long)body->origin);
	}
}

static void
tell_fetch(struct buffer *out, const struct imap_fetch_reply *fetch)
{
	buffer_printf(out, " %u", fetch->number);
	if ((fetch->has & IMAP_FETCH_HAS_UID) != 0)
		buffer_printf(out, " uid=%u", fetch->uid);
	if ((fetch->has & IMAP_FETCH_HAS_FLAGS) != 0) {
		buffer_printf(out, " flags=%llx%s", (unsigned long long)fetch->flags.system, fetch->is_recent ? "+recent" : "");
		tell_words(out, fetch->flags.keywords, fetch->flags.keyword_count);
	}
	if ((fetch->has & IMAP_FETCH_HAS_DATE) != 0)
		buffer_printf(out, " date=%lld%+d", (long long)fetch->date.seconds, fetch->date.zone_minutes);
	if ((fetch->has & IMAP_FETCH_HAS_SAVEDATE) != 0)
		buffer_printf(out, " saved=%lld", (long long)fetch->savedate.seconds);
	if ((fetch->has & IMAP_FETCH_HAS_SIZE) != 0)
		buffer_printf(out, " size=%llu", (unsigned long long)fetch->size);
	if ((fetch->has & IMAP_FETCH_HAS_MODSEQ) != 0)
		buffer_printf(out, " modseq=%llu", (unsigned long long)fetch->modseq);
	if (fetch->emailid.length > 0 || fetch->threadid.length > 0)
		buffer_printf(out, " ids=%.*s,%.*s", SPAN_ARGS(fetch->emailid), SPAN_ARGS(fetch->threadid));
	if (fetch->gmail_message > 0)
		buffer_printf(out, " gmail=%llu/%llu", (unsigned long long)fetch->gmail_message,
		    (unsigned long long)fetch->gmail_thread);
	if ((fetch->has & IMAP_FETCH_HAS_LABELS) != 0) {
		buffer_add_string(out, " labels");
		tell_words(out, fetch->labels, fetch->label_count);
	}
	tell_bodies(out, fetch);
}

static void
tell_condition(struct buffer *out, const struct imap_reply *reply)
{
	static const char *const names[] = { "ok", "no", "bad", "preauth", "bye" };

	buffer_printf(out, " %s", names[reply->condition]);
	tell_code(out, &reply->code);
	buffer_printf(out, " %.*s", SPAN_ARGS(reply->text));
}

static void
tell(struct buffer *out, const struct imap_reply *reply)
{
	buffer_add_span(out, reply->tag);
	switch (reply->kind) {
	case IMAP_REPLY_CONDITION:
		tell_condition(out, reply);
		break;
	case IMAP_REPLY_LIST:
	case IMAP_REPLY_LSUB:
		buffer_add_string(out, reply->kind == IMAP_REPLY_LIST ? " list" : " lsub");
		tell_list(out, &reply->list);
		break;
	case IMAP_REPLY_NAMESPACE:
		tell_spaces(out, &reply->spaces);
		break;
	case IMAP_REPLY_STATUS:
		tell_status(out, &reply->status);
		break;
	case IMAP_REPLY_SEARCH:
	case IMAP_REPLY_ESEARCH:
		tell_search(out, &reply->search);
		break;
	case IMAP_REPLY_FETCH:
		tell_fetch(out, &reply->fetch);
		break;
	case IMAP_REPLY_VANISHED:
		buffer_add_string(out, reply->vanished.is_earlier ? " earlier " : " vanished ");
		imap_sequence_write(out, &reply->vanished.uids);
		break;
	case IMAP_REPLY_METADATA:
		buffer_printf(out, " <%.*s>:", SPAN_ARGS(reply->metadata.mailbox));
		tell_words(out, reply->metadata.words, reply->metadata.word_count);
		break;
	case IMAP_REPLY_EXISTS:
	case IMAP_REPLY_RECENT:
	case IMAP_REPLY_EXPUNGE:
		buffer_printf(out, " %.*s %llu", SPAN_ARGS(reply->name), (unsigned long long)reply->number);
		break;
	case IMAP_REPLY_CONTINUE:
	case IMAP_REPLY_OTHER:
		buffer_printf(out, " %.*s: %.*s", SPAN_ARGS(reply->name), SPAN_ARGS(reply->text));
		break;
	default:
		buffer_printf(out, " %.*s", SPAN_ARGS(reply->name));
		tell_words(out, reply->words, reply->word_count);
		break;
	}
}

static const struct {
	const char *input;
	const char *expected;	/* NULL: it cannot be read */
} cases[] = {
	/* conditions and codes: RFC 9051 section 7.1 */
	{ "* OK IMAP4rev1 server ready", "* ok IMAP4rev1 server ready" },
	{ "* ok [capability IMAP4rev1 AUTH=PLAIN] hi", "* ok [capability <IMAP4rev1> <AUTH=PLAIN>] hi" },
	{ "a1 OK [READ-WRITE] done", "a1 ok [READ-WRITE] done" },
	{ "a1 OK", "a1 ok " },
	{ "a1 NO [ALERT] Disk \"full\" ", "a1 no [ALERT] Disk \"full\"" },
	{ "a1 BAD what?", "a1 bad what?" },
	{ "* BYE going", "* bye going" },
	{ "* PREAUTH hello", "* preauth hello" },
	{ "* OK [UIDVALIDITY 3857529045] UIDs valid", "* ok [UIDVALIDITY 3857529045] UIDs valid" },
	{ "* OK [HIGHESTMODSEQ 18446744073709551615]", "* ok [HIGHESTMODSEQ 18446744073709551615] " },
	{ "* OK [PERMANENTFLAGS (\\Answered $x] \\*)] limited", "* ok [PERMANENTFLAGS <\\Answered> <$x]> <\\*>] limited" },
	{ "a OK [APPENDUID 38505 3955] done", "a ok [APPENDUID 38505 to 3955] done" },
	{ "a OK [APPENDUID 38505 3955:3957]", "a ok [APPENDUID 38505 to 3955:3957] " },
	{ "a OK [COPYUID 38505 304,319:320 3956:3958] Done", "a ok [COPYUID 38505 from 304,319:320 to 3956:3958] Done" },
	{ "a OK [MODIFIED 7,9] Conditional STORE failed", "a ok [MODIFIED from 7,9] Conditional STORE failed" },
	{ "a NO [REFERRAL imap://user;AUTH=*@host/] go", "a no [REFERRAL] go" },
	{ "a OK [no end", "a ok [no end" },
	{ "a OK [UIDNEXT x] odd", "a ok [UIDNEXT] odd" },
	{ "a1 FETCH (UID 1)", NULL },		/* only conditions are tagged */
	{ "+ go ahead", "+ : go ahead" },
	{ "+", "+ : " },
	{ "", NULL },
	{ "*", NULL },
	{ "* ", NULL },
	{ "* 12", NULL },

	/* words */
	{ "* CAPABILITY IMAP4rev1  LITERAL+ ", "* CAPABILITY <IMAP4rev1> <LITERAL+>" },
	{ "* ENABLED CONDSTORE QRESYNC", "* ENABLED <CONDSTORE> <QRESYNC>" },
	{ "* ENABLED", "* ENABLED" },
	{ "* ID (\"name\" \"Dovecot\" \"os\" NIL)", "* ID <name> <Dovecot> <os> NIL" },
	{ "* ID NIL", "* ID" },
	{ "* FLAGS (\\Seen $Forwarded NonJunk)", "* FLAGS <\\Seen> <$Forwarded> <NonJunk>" },
	{ "* 23 EXISTS", "* EXISTS 23" },
	{ "* 5 RECENT", "* RECENT 5" },
	{ "* 44 expunge ", "* expunge 44" },
	{ "* EXISTS", "* EXISTS: " },		/* without its number it is something else */
	{ "* XYZZY plugh", "* XYZZY: plugh" },

	/* mailboxes: RFC 9051 section 7.3.1 */
	{ "* LIST (\\Noselect) \"/\" ~/Mail/foo", "* list 1 / <~/Mail/foo>" },
	{ "* LIST () \".\" \"INBOX.a \\\"b\\\" \\\\c\"", "* list 0 . <INBOX.a \"b\" \\c>" },
	{ "* LIST () \"\\\\\" \"a\\b\"", "* list 0 \\ <a\\b>" },	/* a backslash that escapes nothing */
	{ "* LIST () NIL INBOX", "* list 0 - <INBOX>" },
	{ "* LIST () \"\" INBOX", "* list 0 - <INBOX>" },
	{ "* LIST (\\NonExistent \\Subscribed) / {5}\r\na\"b(c", "* list 83 / <a\"b(c>" },
	{ "* list (\\hasnochildren \\SENT) \"/\" \"Sent\"  ", "* list 4010 / <Sent>" },
	{ "* LIST () \"/\" Sent Items", "* list 0 / <Sent Items>" },		/* it should have been quoted */
	{ "* LIST () \"/\" NIL", "* list 0 / <NIL>" },				/* a mailbox of that name */
	{ "* LIST () \"/\" \"\"", "* list 0 / <>" },
	{ "* LIST () \"/\" \"Gr\xfc\xdf" "e\"", "* list 0 / <Gr\xfc\xdf" "e>" },
	{ "* LIST (\\HasChildren) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))", "* list 8 / <a> below" },
	{ "* LIST () \"/\" b (X-FOO (1 (2 3)) OLDNAME (\"a\"))", "* list 0 / <b> was <a>" },
	{ "* LSUB () \"/\" INBOX/a", "* lsub 0 / <INBOX/a>" },
	{ "* LIST \"/\" a", NULL },
	{ "* LIST () \"/\" \"a", NULL },
	{ "* LIST () \"/\" {9}\r\nabc", NULL },
	{ "* NAMESPACE ((\"\" \"/\")) NIL NIL", "* (<> /) () ()" },
	{ "* NAMESPACE ((\"INBOX.\" \".\"))((\"user.\" \".\")) ((\"#a\" NIL \"X\" (\"y\"))(\"\" \"/\"))",
	    "* (<INBOX.> .) (<user.> .) (<#a> -<> /)" },
	{ "* NAMESPACE ((\"\" \"/\"))", "* (<> /) () ()" },
	{ "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)", "* <blurdybloop> messages=231 uidnext=44292" },
	{ "* STATUS \"a b\" (uidvalidity 1 UNSEEN 0 HIGHESTMODSEQ 7 SIZE 44421 recent 2 DELETED 3)",
	    "* <a b> uidvalidity=1 unseen=0 modseq=7 size=44421 recent=2 deleted=3" },
	{ "* STATUS Sent Items (MESSAGES 3 X-GUID (a b) MAILBOXID (F2))", "* <Sent Items> messages=3 id=F2" },
	{ "* STATUS a (MESSAGES -1 UIDNEXT 4)", "* <a> uidnext=4" },
	{ "* STATUS a ()", "* <a>" },
	{ "* STATUS a", NULL },
	{ "* METADATA \"INBOX\" (/shared/comment \"x y\" /private/z NIL)", "* <INBOX>: </shared/comment> <x y> </private/z> NIL" },
	{ "* METADATA a (/a {3}\r\nb)c)", "* <a>: </a> <b)c>" },
	{ "* METADATA a /b /c", "* <a>: </b> </c>" },

	/* sets of messages */
	{ "* SEARCH 2 84 882", "* 2,84,882" },
	{ "* SEARCH", "* " },
	{ "* SEARCH ", "* " },
	{ "* SEARCH 5 3 4 4 (MODSEQ 917162500)", "* modseq=917162500 3:5" },
	{ "* SEARCH 1 x", NULL },
	{ "* ESEARCH (TAG \"A282\") UID MIN 2 MAX 9 COUNT 3 ALL 2,4,9 MODSEQ 7", "* of <A282> uid count=3 min=2 max=9 modseq=7 2,4,9" },
	{ "* ESEARCH (TAG \"a\") COUNT 0", "* of <a> count=0 " },
	{ "* ESEARCH ALL 1:3 PARTIAL (1:10 1:3)", "* 1:3" },
	{ "* ESEARCH ALL 1:*", NULL },
	{ "* VANISHED (EARLIER) 41,43:116,118", "* earlier 41,43:116,118" },
	{ "* VANISHED 405,407", "* vanished 405,407" },
	{ "* VANISHED 1:*", NULL },

	/* FETCH: RFC 9051 section 7.5.2 */
	{ "* 23 FETCH (FLAGS (\\Seen) RFC822.SIZE 44827)", "* 23 flags=8 size=44827" },
	{ "* 1 FETCH (UID 7 FLAGS (\\recent \\Seen \\Junk $Label1 a[b))", "* 1 uid=7 flags=8+recent <\\Junk> <$Label1> <a[b>" },
	{ "* 1 FETCH (FLAGS NIL)", "* 1 flags=0" },
	{ "* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")", "* 1 date=837596665-420" },
	{ "* 1 FETCH (INTERNALDATE \" 1-Jan-1970 00:00:01 +0000\")", "* 1 date=1+0" },
	{ "* 1 FETCH (INTERNALDATE \"1-jan-1970 00:00:01 +0000\")", "* 1 date=1+0" },
	{ "* 1 FETCH (INTERNALDATE NIL UID 3)", "* 1 uid=3" },
	{ "* 1 FETCH (INTERNALDATE \"yesterday\" UID 3)", "* 1 uid=3" },
	{ "* 1 FETCH (RFC822.SIZE -1 UID 3)", "* 1 uid=3" },
	{ "* 1 FETCH (UID 0)", "* 1" },
	{ "* 1 FETCH (MODSEQ (12121231000))", "* 1 modseq=12121231000" },
	{ "* 1 FETCH (EMAILID (M6d99) THREADID (T64) SAVEDATE \" 1-Jan-1970 00:00:01 +0000\")", "* 1 saved=1 ids=M6d99,T64" },
	{ "* 1 FETCH (THREADID NIL SAVEDATE NIL)", "* 1" },
	{ "* 1 FETCH (X-GM-THRID 12 X-GM-MSGID 1278455344230334865 X-GM-LABELS (\"\\\\Inbox\" \\Sent Important {5}\r\na b)c))",
	    "* 1 gmail=1278455344230334865/12 labels <\\Inbox> <\\Sent> <Important> <a b)c>" },
	{ "* 1 FETCH (X-GM-LABELS ())", "* 1 labels" },
	{ "* 1 FETCH (BODY[] {3}\r\nabc)", "* 1 body[]3=<abc>" },
	{ "* 1 FETCH (BODY[] {3}\r\nabc UID 4)", "* 1 uid=4 body[]3=<abc>" },
	{ "* 1 FETCH (BODY[]{3}\nabc\r\n)", NULL },	/* an octet more than was announced, and no item */
	{ "* 1 FETCH (BODY[]{3}\nabc)", "* 1 body[]3=<abc>" },
	{ "* 1 FETCH (body[header.fields (\"a]b\" C)] {2}\r\n\r\n BINARY[1.2]<5> ~{1}\r\nx)",
	    "* 1 body[header.fields (\"a]b\" C)]2=<\r\n> binary[1.2]1=<x>@5" },
	{ "* 1 FETCH (BODY[] NIL RFC822 \"a\\\"\" RFC822.HEADER \"\" RFC822.TEXT atom)",
	    "* 1 body[]0=nil body[]2=<a\"> body[HEADER]0=<> body[TEXT]4=<atom>" },
	{ "* 1 FETCH (BINARY.SIZE[1] 5 UID 1)", "* 1 uid=1" },
	{ "* 1 FETCH (ENVELOPE (NIL \"(\" ((NIL NIL \"a\" {1}\r\n))) NIL) BODY (\"text\" \"plain\") BODYSTRUCTURE (1 (2)) UID 1)",
	    "* 1 uid=1" },
	{ "* 1 FETCH (X-UNKNOWN atom X-LIST (1 \"2)\" (3)) UID 1)", "* 1 uid=1" },
	{ "* 1 FETCH  ( uid 9  flags ( ) ) ", "* 1 uid=9 flags=0" },
	{ "* 1 FETCH ()", "* 1" },
	{ "* 25996 UIDFETCH (FLAGS (\\Answered))", "* 0 uid=25996 flags=1" },
	{ "* 1 FETCH UID 7", NULL },
	{ "* 1 FETCH (BODY[] {99}\r\nabc)", NULL },
	{ "* 1 FETCH (BODY[] {99999999999999999999}\r\nabc)", NULL },
	{ "* 1 FETCH (BODY[ {3}\r\nabc)", NULL },
	{ "* 1 FETCH (FLAGS (\\Seen) \"x\")", NULL },
};

static void
reads_replies(void **state)
{
	struct arena *arena = arena_new();
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct imap_reply_text text = { .octets = span_from_string(cases[i].input) };
		struct imap_reply reply;

		buffer_clear(&out);
		if (imap_reply_read(text, arena, &reply))
			tell(&out, &reply);
		else
			buffer_add_string(&out, "unreadable");
		assert_string_equal(buffer_string(&out), cases[i].expected == NULL ? "unreadable" : cases[i].expected);
		arena_reset(arena);
	}
	buffer_free(&out);
	arena_free(&arena);
}

/* Of literals that were taken out only the announcements are there. */
static void
reads_what_was_taken(void **state)
{
	static const char input[] = "* 1 FETCH (BODY[HEADER] {9}\r\n BODY[1] {2}\r\nab BODY[] ~{52428800}\r\n UID 4)";
	const size_t taken[] = { 29, 66 };
	struct imap_reply_text text = { span_from_string(input), taken, 2 };
	struct arena *arena = arena_new();
	struct buffer out = { 0 };
	struct imap_reply reply;

	(void)state;
	assert_true(imap_reply_read(text, arena, &reply));
	tell(&out, &reply);
	assert_string_equal(buffer_string(&out),
	    "* 1 uid=4 body[HEADER]9 taken=<> body[1]2=<ab> body[]52428800 taken=<>");
	buffer_free(&out);
	arena_free(&arena);
}

static const struct {
	const char *sent;
	bool is_utf8;
	const char *expected;
} names[] = {
	{ "INBOX.Entw&APw-rfe", false, "INBOX.Entw\u00fcrfe" },
	{ "a & b", false, "a & b" },
	{ "R&-D", false, "R&D" },
	{ "R&-D", true, "R&-D" },
	{ "Entw\u00fcrfe", false, "Entw\u00fcrfe" },		/* raw UTF-8, not asked for */
	{ "Entw\u00fcrfe", true, "Entw\u00fcrfe" },
	{ "Entw\xfcrfe", false, "Entw\u00fcrfe" },		/* neither: ISO 8859-1 */
	{ "Entw&APw-\xfc", false, "Entw\u00fc\u00fc" },
	{ "&APw-&AOQ-", false, "\u00fc\u00e4" },		/* two shifts in a row */
	{ "&APw", false, "&APw" },				/* no end */
	{ "&AGEAYg-", false, "ab" },				/* what stands for itself, encoded */
	{ "&!!-", false, "&!!-" },
	{ "", false, "" },
};

static void
reads_names_of_mailboxes(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		buffer_clear(&out);
		imap_utf7_decode_lax(span_from_string(names[i].sent), names[i].is_utf8, &out);
		assert_string_equal(buffer_string(&out), names[i].expected);
	}
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_replies),
		cmocka_unit_test(reads_what_was_taken),
		cmocka_unit_test(reads_names_of_mailboxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
