/*
 * What the parser tells, as one line of text a case; each case is fed whole and octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/parser.h"

static void
tell_flags(const struct imap_flags *flags, struct buffer *story)
{
	buffer_printf(story, " %llx", (unsigned long long)flags->system);
	for (size_t i = 0; i < flags->keyword_count; i++)
		buffer_printf(story, ",%.*s", SPAN_ARGS(flags->keywords[i]));
}

static void
tell_search(const struct imap_search *search, struct buffer *story)
{
	for (size_t i = 0; i < search->node_count; i++) {
		const struct imap_search_node *node = &search->nodes[i];

		buffer_printf(story, " %d<%u", node->key, node->end);
		if (node->text.length > 0)
			buffer_printf(story, ":%.*s=%.*s", SPAN_ARGS(node->field), SPAN_ARGS(node->text));
	}
	if (search->has_unknown_charset)
		buffer_add_string(story, " unknown charset");
	else
		buffer_printf(story, " cost %d", search->nodes[0].cost);
	if (search->charset.length > 0)
		buffer_printf(story, " %.*s", SPAN_ARGS(search->charset));
	buffer_printf(story, " return %u", search->return_options);
	if (search->return_options & IMAP_RETURN_PARTIAL) {
		buffer_add_octet(story, ' ');
		imap_partial_write(story, &search->partial);
	}
}

static void
tell_list(const struct imap_list *list, struct buffer *story)
{
	buffer_printf(story, " %u %u %u <%.*s>", list->select, list->returns, list->status,
	    SPAN_ARGS(list->reference));
	for (size_t i = 0; i < list->pattern_count; i++)
		buffer_printf(story, " <%.*s>", SPAN_ARGS(list->patterns[i]));
}

static void
tell_fetch(const struct imap_fetch *fetch, struct buffer *story)
{
	buffer_add_octet(story, ' ');
	imap_sequence_write(story, &fetch->set);
	for (size_t i = 0; i < fetch->item_count; i++)
		buffer_printf(story, " %.*s%s", SPAN_ARGS(fetch->items[i].echo),
		    fetch->items[i].sets_seen ? "!" : "");
	if (fetch->has_changed_since)
		buffer_printf(story, " since %llu", (unsigned long long)fetch->changed_since);
	if (fetch->has_range) {
		buffer_add_octet(story, ' ');
		imap_partial_write(story, &fetch->range);
	}
}

static void
tell_store(const struct imap_store *store, struct buffer *story)
{
	buffer_add_octet(story, ' ');
	imap_sequence_write(story, &store->set);
	buffer_printf(story, " %d%s", store->kind, store->is_silent ? " silent" : "");
	tell_flags(&store->flags, story);
	if (store->has_unchanged_since)
		buffer_printf(story, " since %llu", (unsigned long long)store->unchanged_since);
}

static void
tell_id(const struct imap_id *id, struct buffer *story)
{
	for (size_t i = 0; i < id->count; i++)
		buffer_printf(story, " %.*s=%.*s", SPAN_ARGS(id->pairs[i].name), SPAN_ARGS(id->pairs[i].value));
}

static void
tell_sources(const struct imap_search_sources *sources, struct buffer *story)
{
	buffer_add_string(story, sources->has_selected ? " selected" : "");
	for (size_t i = 0; i < sources->filter_count; i++) {
		buffer_printf(story, " %d", sources->filters[i].kind);
		for (size_t k = 0; k < sources->filters[i].name_count; k++)
			buffer_printf(story, "<%.*s>", SPAN_ARGS(sources->filters[i].names[k]));
	}
}

static void
tell_command(const struct imap_command_line *line, struct buffer *story)
{
	buffer_printf(story, "%.*s %s%s", SPAN_ARGS(line->tag), line->is_uid ? "UID " : "",
	    imap_commands[line->verb].name);
	switch (line->verb) {
	case IMAP_LOGIN:
		buffer_printf(story, " <%.*s> <%.*s>", SPAN_ARGS(line->login.user),
		    SPAN_ARGS(line->login.password));
		break;
	case IMAP_AUTHENTICATE:
		buffer_printf(story, " %.*s %d <%.*s>", SPAN_ARGS(line->authenticate.mechanism),
		    line->authenticate.has_initial, SPAN_ARGS(line->authenticate.initial));
		break;
	case IMAP_ID:
		tell_id(&line->id, story);
		break;
	case IMAP_ENABLE:
		buffer_printf(story, " %u", line->enable.names);
		break;
	case IMAP_SELECT:
		buffer_printf(story, " %.*s %d %llu", SPAN_ARGS(line->select.mailbox), line->select.has_condstore,
		    (unsigned long long)line->select.qresync_modseq);
		break;
	case IMAP_CREATE:
	case IMAP_DELETE:
		buffer_printf(story, " %.*s %d %u", SPAN_ARGS(line->mailbox.mailbox),
		    line->mailbox.has_trailing_separator, line->mailbox.uses);
		break;
	case IMAP_RENAME:
		buffer_printf(story, " %.*s %.*s", SPAN_ARGS(line->rename.from), SPAN_ARGS(line->rename.to));
		break;
	case IMAP_LIST:
	case IMAP_LSUB:
		tell_list(&line->list, story);
		break;
	case IMAP_STATUS:
		buffer_printf(story, " %.*s %x", SPAN_ARGS(line->status.mailbox), line->status.items);
		break;
	case IMAP_APPEND:
		buffer_printf(story, " %.*s %zu", SPAN_ARGS(line->append.mailbox), line->append.message_count);
		break;
	case IMAP_FETCH:
		tell_fetch(&line->fetch, story);
		break;
	case IMAP_SEARCH:
		tell_search(&line->search, story);
		break;
	case IMAP_ESEARCH:
		tell_sources(&line->sources, story);
		tell_search(&line->search, story);
		break;
	case IMAP_SORT:
		for (size_t i = 0; i < line->sort.count; i++)
			buffer_printf(story, " %s%d", line->sort.criteria[i].is_reverse ? "-" : "", line->sort.criteria[i].key);
		tell_search(&line->search, story);
		break;
	case IMAP_THREAD:
		buffer_printf(story, " %d", line->thread);
		tell_search(&line->search, story);
		break;
	case IMAP_STORE:
		tell_store(&line->store, story);
		break;
	case IMAP_COPY:
		buffer_add_octet(story, ' ');
		imap_sequence_write(story, &line->copy.set);
		buffer_printf(story, " %.*s", SPAN_ARGS(line->copy.mailbox));
		break;
	default:
		break;
	}
	buffer_add_octet(story, ';');
}

static void
tell_error(const struct imap_error *error, struct buffer *story)
{
	assert_non_null(error->text);
	buffer_printf(story, "%.*s %s%s%s%s%s;", SPAN_ARGS(error->tag), error->status == IMAP_ERROR_NO ? "NO" : "BAD",
	    error->code == NULL ? "" : " ", error->code == NULL ? "" : error->code,
	    error->is_fatal ? " fatal" : "", error->is_foreign ? " foreign" : "");
}

static void
tell_message(const struct imap_append_message *message, struct buffer *story)
{
	buffer_printf(story, "[%.*s %zu %llu%s%s", SPAN_ARGS(message->mailbox), message->index,
	    (unsigned long long)message->size_octets, message->is_literal8 ? " 8" : "",
	    message->is_synchronizing ? " sync" : "");
	tell_flags(&message->flags, story);
	if (message->has_date)
		buffer_printf(story, " %lld", (long long)message->date.seconds);
	buffer_add_octet(story, '|');
}

static void
tell(struct imap_event *event, struct buffer *story)
{
	switch (event->kind) {
	case IMAP_EVENT_NEED_MORE:
		break;
	case IMAP_EVENT_CONTINUE:
		buffer_add_octet(story, '+');
		break;
	case IMAP_EVENT_COMMAND:
		tell_command(event->command, story);
		imap_command_free(&event->command);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:
		tell_message(&event->message, story);
		break;
	case IMAP_EVENT_MESSAGE_OCTETS:
	case IMAP_EVENT_LINE:
		buffer_add_span(story, event->octets);
		break;
	case IMAP_EVENT_MESSAGE_ENDS:
		buffer_add_octet(story, ']');
		break;
	case IMAP_EVENT_ERROR:
		tell_error(&event->error, story);
		break;
	}
}

static void
feed(struct imap_parser *parser, struct span input, struct buffer *story)
{
	struct imap_event event;

	while (imap_parser_feed(parser, &input, &event) != IMAP_EVENT_NEED_MORE)
		tell(&event, story);
}

static const struct imap_limits limits = { .line_octets = 300, .literal_octets = 40, .command_octets = 400,
	.list_nodes = 20, .message_octets = 50, .discard_octets = 100 };

#define AB20 "aaaaaaaaaaaaaaaaaaaa"
#define AB100 AB20 AB20 AB20 AB20 AB20

static const struct {
	const char *input, *expected;
} cases[] = {
	/* lines and tags */
	{ "a NOOP\r\n", "a NOOP;" },
	{ "a noop\n", "a NOOP;" },
	{ "a NOOP\r\nb CHECK\r\n", "a NOOP;b CHECK;" },
	{ "a NOOP \r\n", "a NOOP;" },	/* as some clients write it */
	{ "\r\n", "* BAD;" },
	{ "a\r\n", "* BAD;" },
	{ "+ NOOP\r\n", "* BAD;" },
	{ "a+b NOOP\r\n", "* BAD;" },
	{ "\"a\" NOOP\r\n", "* BAD;" },
	{ "<b> NOOP\r\n", "<b> NOOP;" },
	{ "]!#$&',-./:;<=>?@^_`|}~ NOOP\r\n", "]!#$&',-./:;<=>?@^_`|}~ NOOP;" },
	{ "a{b NOOP\r\n", "* BAD;" },
	{ "a*b NOOP\r\n", "* BAD;" },
	{ "a%b NOOP\r\n", "* BAD;" },
	{ "a\\b NOOP\r\n", "* BAD;" },
	{ "a(b) NOOP\r\n", "* BAD;" },
	{ "\x7f NOOP\r\n", "* BAD;" },
	{ "a XYZZY\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "a UID NOOP\r\n", "a BAD;" },
	{ "a NO\rOP\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "GET / HTTP/1.1\r\nHost: x\r\n", "GET BAD foreign;Host: BAD foreign;" },
	{ "\x16\x03\x01 NOOP\r\n", "* BAD fatal foreign;" },
	/* strings and literals */
	{ "a LOGIN joe secret\r\n", "a LOGIN <joe> <secret>;" },
	{ "a LOGIN \"j\\\"o\\\\e\" \"\"\r\n", "a LOGIN <j\"o\\e> <>;" },
	{ "a LOGIN {3}\r\njoe {6+}\r\nse\r\net\r\n", "+a LOGIN <joe> <se\r\net>;" },
	{ "a LOGIN {0+}\r\n {3+}\na b\n", "a LOGIN <> <a b>;" },
	{ "a LOGIN \"j\xc3\xb6\" x]\r\n", "a LOGIN <j\xc3\xb6> <x]>;" },
	{ "a LOGIN \"j\xc3\" x\r\n", "a BAD;" },
	{ "a LOGIN j\xc3\xb6 x\r\n", "a BAD;" },
	{ "a LOGIN \"a\\b\" x\r\n", "a BAD;" },
	{ "a LOGIN \"a x\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "a LOGIN a\r\n", "a BAD;" },
	{ "a LOGIN a b c\r\n", "a BAD;" },
	{ "a LOGIN {41}\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "a LOGIN {41+}\r\n" AB20 "\r\nb NOOP\r\nxxxxxxxxx x {2+}\r\n\r\n\r\nc NOOP\r\n", "a BAD;c NOOP;" },
	{ "a LOGIN {101+}\r\nb NOOP\r\n", "a BAD fatal;" },
	{ "a LOGIN {4294967296+}\r\nb NOOP\r\n", "a BAD fatal;" },
	{ "a LOGIN {99999999999999999999999+}\r\nb NOOP\r\n", "a BAD fatal;" },
	{ "a LOGIN {99999999999999999999999}\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "a LOGIN " AB100 AB100 AB100 " x {5+}\r\nb X\r\n y\r\nc NOOP\r\n", "a BAD;c NOOP;" },
	{ "a LOGIN {+}\r\n", "a BAD;" },
	{ "a LOGIN \"{3+}\r\nabc\" x\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	/* session */
	{ "a AUTHENTICATE PLAIN\r\n", "a AUTHENTICATE PLAIN 0 <>;" },
	{ "a AUTHENTICATE PLAIN AGE=\r\n", "a AUTHENTICATE PLAIN 1 <AGE=>;" },
	{ "a AUTHENTICATE EXTERNAL =\r\n", "a AUTHENTICATE EXTERNAL 1 <>;" },
	{ "a AUTHENTICATE PLAIN !\r\n", "a BAD;" },
	{ "a ID NIL\r\n", "a ID;" },
	{ "a ID (\"name\" \"x\" \"version\" NIL)\r\n", "a ID name=x version=;" },
	{ "a ID (\"name\")\r\n", "a BAD;" },
	{ "a ENABLE imap4rev2 X-FOO CONDSTORE\r\n", "a ENABLE 5;" },
	{ "a ENABLE\r\n", "a BAD;" },
	/* mailboxes */
	{ "a SELECT inbox\r\n", "a SELECT INBOX 0 0;" },
	{ "a SELECT x (CONDSTORE)\r\n", "a SELECT x 1 0;" },
	{ "a SELECT x (QRESYNC (67890007 90060115194045000 41,43:211,214:541 (1,5 41,50)))\r\n",
	    "a SELECT x 0 90060115194045000;" },
	{ "a SELECT x (QRESYNC (1 2))\r\n", "a SELECT x 0 2;" },
	{ "a SELECT x (QRESYNC (01 2))\r\n", "a BAD;" },
	{ "a SELECT x (FOO)\r\n", "a BAD;" },
	{ "a SELECT &AOk-\r\n", "a SELECT \xc3\xa9 0 0;" },
	{ "a SELECT &AC8-\r\n", "a NO CANNOT;" },
	{ "a CREATE x/\r\n", "a CREATE x 1 0;" },
	{ "a CREATE x (USE (\\Drafts \\sent))\r\n", "a CREATE x 0 36;" },
	{ "a CREATE x (USE (\\Foo))\r\n", "a NO USEATTR;" },
	{ "a CREATE /\r\n", "a NO CANNOT;" },
	{ "a CREATE / (\r\n", "a BAD;" },
	{ "a SELECT &AC8-)\r\n", "a BAD;" },
	{ "a COPY 1 \"\"x\r\n", "a BAD;" },
	{ "a RENAME &AC8- x y\r\n", "a BAD;" },
	{ "a RENAME a \"b c\"\r\n", "a RENAME a b c;" },
	{ "a STATUS blurdybloop (UIDNEXT MESSAGES)\r\n", "a STATUS blurdybloop 3;" },
	{ "a STATUS x ()\r\n", "a BAD;" },
	{ "a LIST \"\" \"\"\r\n", "a LIST 0 0 0 <> <>;" },
	{ "a LIST ~/Mail/ %\r\n", "a LIST 0 0 0 <~/Mail/> <%>;" },
	{ "a LIST (SUBSCRIBED REMOTE) \"\" \"*\"\r\n", "a LIST 3 0 0 <> <*>;" },
	{ "a LIST \"\" (\"INBOX\" \"Drafts\" a/%)\r\n", "a LIST 0 0 0 <> <INBOX> <Drafts> <a/%>;" },
	{ "a LIST \"\" % RETURN (CHILDREN STATUS (MESSAGES UNSEEN))\r\n", "a LIST 0 10 9 <> <%>;" },
	{ "a LIST () \"\" &AOk-* RETURN ()\r\n", "a LIST 0 0 0 <> <\xc3\xa9*>;" },
	{ "a LIST (RECURSIVEMATCH) \"\" *\r\n", "a BAD;" },
	{ "a LIST (RECURSIVEMATCH SUBSCRIBED) \"\" *\r\n", "a LIST 5 0 0 <> <*>;" },
	{ "a LSUB \"#news.\" \"comp.%\"\r\n", "a LSUB 0 0 0 <#news.> <comp.%>;" },
	/* APPEND */
	{ "a APPEND x (\\Seen $k) \" 7-Feb-1994 21:52:25 -0800\" {5}\r\nhello\r\n",
	    "[x 0 5 sync 8,$k 760686745|hello]a APPEND x 1;" },
	{ "a APPEND x (\\Recent \\Seen \\recent) \"7-Feb-1994 21:52:25 -0800\" {1+}\r\nx\r\n",
	    "[x 0 1 8 760686745|x]a APPEND x 1;" },
	{ "a APPEND x (\\Recently) {1+}\r\nx\r\nb NOOP\r\n", "a BAD;b NOOP;" },
	{ "a APPEND x {2+}\r\nab (\\Draft) ~{3+}\r\ncde\r\n", "[x 0 2 0|ab][x 1 3 8 10|cde]a APPEND x 2;" },
	{ "a APPEND {5}\r\ninbox {1}\r\nx\r\n", "+[INBOX 0 1 sync 0|x]a APPEND INBOX 1;" },
	{ "a APPEND x {0}\r\n\r\n", "[x 0 0 sync 0|]a APPEND x 1;" },
	{ "a APPEND x {51}\r\nb NOOP\r\n", "a NO TOOBIG;b NOOP;" },
	{ "a APPEND x {60+}\r\n" AB20 AB20 AB20 "\r\nb NOOP\r\n", "a NO TOOBIG;b NOOP;" },
	{ "a APPEND x {101+}\r\n", "a NO TOOBIG fatal;" },
	{ "a APPEND x y {6+}\r\nb NOOP\r\nc NOOP\r\n", "a BAD;c NOOP;" },
	{ "a APPEND x {1+}\r\nx junk\r\nb NOOP\r\n", "[x 0 1 0|x]a BAD;b NOOP;" },
	{ "a APPEND x\r\n", "a BAD;" },
	{ "a APPEND &AC8- {3}\r\nb NOOP\r\n", "a NO CANNOT;b NOOP;" },
	/* messages */
	{ "a FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE \"from\")])\r\n",
	    "a FETCH 2:4 FLAGS BODY[HEADER.FIELDS (DATE from)]!;" },
	{ "a FETCH 1 BODY[HEADER.FIELDS (\"a b\" \"\" {3+}\r\nx:\xe9 ])]\r\n",
	    "a FETCH 1 BODY[HEADER.FIELDS (\"a b\" \"\" {3}\r\nx:\xe9 ])]!;" },
	{ "a FETCH 1 FULL\r\n", "a FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY;" },
	{ "a FETCH 1 (FAST)\r\n", "a BAD;" },
	{ "a UID FETCH 7:* (body.peek[1.2.mime]<5.10> BODY[])\r\n", "a UID FETCH 7:* BODY[1.2.MIME]<5> BODY[]!;" },
	{ "a FETCH 1 BODY[1]<0.0>\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[MIME]\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[1.]\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[0]\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[01]\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[1.02.MIME]\r\n", "a BAD;" },
	{ "a FETCH 1 BODY[]<00.10>\r\n", "a FETCH 1 BODY[]<0>!;" },
	{ "a FETCH 1 BODY[]<0.010>\r\n", "a BAD;" },
	{ "a FETCH 1 BINARY[TEXT]\r\n", "a BAD;" },
	{ "a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[2.3]<1.2>)\r\n", "a FETCH 1 BINARY.SIZE[1] BINARY[2.3]<1>;" },
	{ "a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)\r\n", "a FETCH 1 RFC822! RFC822.HEADER RFC822.TEXT!;" },
	{ "a FETCH 1 (RFC822.PEEK rfc822.text.peek)\r\n", "a FETCH 1 RFC822 RFC822.TEXT;" },
	{ "a FETCH 1 RFC822.HEADER.PEEK\r\n", "a BAD;" },
	{ "a FETCH 1 RFC822.PEEK.PEEK\r\n", "a BAD;" },
	{ "a FETCH 1 (FLAGS FLAGS)\r\n", "a FETCH 1 FLAGS;" },
	{ "a FETCH 1 (FLAGS) (CHANGEDSINCE 12345)\r\n", "a FETCH 1 FLAGS since 12345;" },
	{ "a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)\r\n", "a BAD;" },
	{ "a FETCH 1 FLAGS (partial 1:4294967295)\r\n", "a FETCH 1 FLAGS 1:4294967295;" },
	{ "a FETCH 1 FLAGS (PARTIAL -9:-1 CHANGEDSINCE 7)\r\n", "a FETCH 1 FLAGS since 7 -9:-1;" },
	{ "a FETCH 1 FLAGS (PARTIAL 1:1 PARTIAL 1:1)\r\n", "a BAD;" },
	{ "a FETCH 0 FLAGS\r\n", "a BAD;" },
	{ "a STORE 2:4 +FLAGS (\\Deleted)\r\n", "a STORE 2:4 1 4;" },
	{ "a UID STORE $ -flags.silent \\Seen Foo foo\r\n", "a UID STORE $ 2 silent 8,Foo;" },
	{ "a STORE 1 (UNCHANGEDSINCE 9) FLAGS ()\r\n", "a STORE 1 0 0 since 9;" },
	{ "a STORE 1 FLAGS \\Recent\r\n", "a BAD;" },
	{ "a COPY 2:4 MEETING\r\n", "a COPY 2:4 MEETING;" },
	{ "a UID EXPUNGE 1\r\n", "a UID EXPUNGE;" },
	{ "a EXPUNGE 1\r\n", "a BAD;" },
	/* SEARCH: key<end; the numbers are those of enum imap_search_key */
	{ "a SEARCH ALL\r\n", "a SEARCH 0<2 3<2 cost 0 return 0;" },
	{ "a SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"\r\n",
	    "a SEARCH 0<5 4<2 14<3 2<5 20<5:=Smith cost 1 return 0;" },
	{ "a SEARCH CHARSET utf-8 TEXT {4+}\r\n\xc3\xa9oo\r\n", "a SEARCH 0<2 25<2:=\xc3\xa9oo cost 2 return 0;" },
	{ "a SEARCH CHARSET UTF8 TEXT {2+}\r\n\xc3\xa9\r\n", "a SEARCH 0<2 25<2:=\xc3\xa9 cost 2 return 0;" },
	{ "a SEARCH CHARSET \"us_ascii\" TEXT x\r\n", "a SEARCH 0<2 25<2:=x cost 2 return 0;" },
	{ "a SEARCH CHARSET KOI8-R TEXT {1+}\r\n\xc1\r\n", "a SEARCH 0<2 25<2:=\xc1 cost 2 KOI8-R return 0;" },
	{ "a SEARCH CHARSET latin1 TEXT \"\xe9\"\r\n", "a SEARCH 0<2 25<2:=\xe9 cost 2 latin1 return 0;" },
	{ "a SEARCH CHARSET UTF-8 TEXT {1+}\r\n\xe9\r\n", "a BAD;" },
	{ "a SEARCH CHARSET x-none TEXT {1+}\r\n\xe9\r\n", "a SEARCH 0<2 25<2:=\xe9 unknown charset return 0;" },
	{ "a SEARCH CHARSET x-none TEXT {1+}\r\n\xe9 (\r\n", "a BAD;" },
	{ "a SEARCH CHARSET \"\" ALL\r\n", "a SEARCH 0<2 3<2 unknown charset return 0;" },
	{ "a SEARCH RETURN () OR SEEN (DELETED 1:3)\r\n",
	    "a SEARCH 0<6 1<6 4<3 0<6 4<5 7<6 cost 0 return 4;" },
	{ "a SEARCH RETURN (MIN COUNT SAVE) NEW OLD\r\n",
	    "a SEARCH 0<7 0<5 6<3 2<5 4<5 2<7 6<7 cost 0 return 25;" },
	{ "a SEARCH RETURN (PARTIAL 9:1) ALL\r\n", "a SEARCH 0<2 3<2 cost 0 return 32 9:1;" },
	{ "a SEARCH RETURN (COUNT partial -1:-4294967295) ALL\r\n",
	    "a SEARCH 0<2 3<2 cost 0 return 40 -1:-4294967295;" },
	{ "a SEARCH RETURN (PARTIAL 1:-1) ALL\r\n", "a BAD;" },
	{ "a SEARCH RETURN (PARTIAL 1:1 ALL) ALL\r\n", "a BAD;" },
	{ "a SEARCH OR OR ALL SEEN UNKEYWORD x\r\n", "a SEARCH 0<7 1<7 1<5 3<4 4<5 2<7 5<7:=x cost 0 return 0;" },
	{ "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338\r\n", "a SEARCH 0<2 9<2 cost 0 return 0;" },
	{ "a SEARCH  SEEN  NOT  DELETED \r\n", "a SEARCH 0<4 4<2 2<4 4<4 cost 0 return 0;" },
	{ "a SEARCH ( SEEN  DELETED )  \r\n", "a SEARCH 0<4 0<4 4<3 4<4 cost 0 return 0;" },
	{ "a SEARCH RETURN  (ALL)  CHARSET  UTF-8  OR  SEEN  ALL\r\n",
	    "a SEARCH 0<4 1<4 4<3 3<4 cost 0 return 4;" },
	{ "a SEARCH HEADER  x  y  SINCE  1-Feb-1994\r\n", "a SEARCH 0<3 18<2:x=y 14<3 cost 1 return 0;" },
	{ "a SEARCH OR SEEN\r\n", "a BAD;" },
	{ "a SEARCH OR SEEN \r\n", "a BAD;" },
	{ "a SEARCH \r\n", "a BAD;" },
	{ "a SEARCH NOT \r\n", "a BAD;" },
	{ "a SEARCH EMAILID )\r\n", "a BAD;" },	/* each says why */
	{ "a SEARCH THREADID \"T1\"\r\n", "a BAD;" },
	{ "a SEARCH EMAILID \r\n", "a BAD;" },
	{ "a SEARCH (SEEN\r\n", "a BAD;" },
	{ "a SEARCH SEEN)\r\n", "a BAD;" },
	{ "a SEARCH ()\r\n", "a BAD;" },
	{ "a SEARCH ((((ALL))))\r\n", "a SEARCH 0<6 0<6 0<6 0<6 0<6 3<6 cost 0 return 0;" },
	{ "a SEARCH (((((((((((((((((((((ALL)))))))))))))))))))))\r\n", "a BAD;" },	/* more keys than may be */
	{ "a SEARCH (((ALL)))\r\n", "a SEARCH 0<5 0<5 0<5 0<5 3<5 cost 0 return 0;" },
	{ "a SEARCH SINCE 32-Jan-1994\r\n", "a BAD;" },
	{ "a SEARCH SINCE 0-Jan-1994\r\n", "a BAD;" },
	{ "a SEARCH 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\r\n", "a BAD;" },
	{ "a SEARCH TEXT {1+}\r\n\xff\r\n", "a BAD;" },
	/* SORT and THREAD: the numbers are those of enum imap_sort_key and enum imap_thread_algorithm */
	{ "a SORT (SUBJECT REVERSE DATE) UTF-8 SINCE 1-Feb-1994\r\n", "a SORT 7 -2 0<2 14<2 cost 0 return 0;" },
	{ "a uid sort return () (displayfrom) \"us-ascii\" all\r\n", "a UID SORT 3 0<2 3<2 cost 0 return 4;" },
	{ "a SORT (DATE SIZE REVERSE DATE) KOI8-R TEXT {1+}\r\n\xc1\r\n", "a SORT 2 6 0<2 25<2:=\xc1 cost 2 KOI8-R return 0;" },
	{ "a SORT (TO CC FROM SIZE DATE ARRIVAL SUBJECT DISPLAYTO DISPLAYFROM TO CC) x-none ALL\r\n",
	    "a SORT 8 1 5 6 2 0 7 4 3 0<2 3<2 unknown charset return 0;" },
	{ "a SORT RETURN (SAVE MAX) (ARRIVAL)  UTF-8 ALL\r\n", "a BAD;" },
	{ "a SORT (DATE REVERSE) UTF-8 ALL\r\n", "a BAD;" },
	{ "a SORT () UTF-8 ALL\r\n", "a BAD;" },
	{ "a SORT (DATE) UTF-8\r\n", "a BAD;" },
	{ "a SORT DATE UTF-8 ALL\r\n", "a BAD;" },
	{ "a SORT (BCC) UTF-8 ALL\r\n", "a BAD;" },
	{ "a THREAD references UTF-8 ALL\r\n", "a THREAD 1 0<2 3<2 cost 0 return 0;" },
	{ "a UID THREAD ORDEREDSUBJECT UTF-8 (SEEN)\r\n", "a UID THREAD 0 0<3 0<3 4<3 cost 0 return 0;" },
	{ "a THREAD REFS UTF-8 BODY {3+}\r\na)b\r\n", "a THREAD 2 0<2 24<2:=a)b cost 2 return 0;" },
	{ "a THREAD REFERENCES ALL\r\n", "a BAD;" },
	{ "a THREAD JWZ UTF-8 ALL\r\n", "a BAD;" },
	{ "a THREAD RETURN () REFS UTF-8 ALL\r\n", "a BAD;" },
	/* ESEARCH: the numbers are those of enum imap_filter_kind */
	{ "a ESEARCH ALL\r\n", "a UID ESEARCH selected 0<2 3<2 cost 0 return 0;" },
	{ "a esearch in (selected) return (save) all\r\n", "a UID ESEARCH selected 0<2 3<2 cost 0 return 16;" },
	{ "a ESEARCH IN (personal Subscribed INBOXES selected) RETURN () ALL\r\n",
	    "a UID ESEARCH selected 3 4 2 0<2 3<2 cost 0 return 4;" },
	{ "a ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") CHARSET UTF-8 unseen\r\n",
	    "a UID ESEARCH 7<folder1> 5<folder2> 0<3 2<3 4<3 cost 0 return 0;" },
	{ "a ESEARCH IN (subtree-one (b inbox a&AOQ-)) ALL\r\n", "a UID ESEARCH 6<INBOX><a\xc3\xa4><b> 0<2 3<2 cost 0 return 0;" },
	{ "a ESEARCH IN (mailboxes z personal subtree m mailboxes (b y) subtree c personal) ALL\r\n",
	    "a UID ESEARCH 7<b><y><z> 3 5<c><m> 0<2 3<2 cost 0 return 0;" },
	{ "a ESEARCH IN (mailboxes personal personal) ALL\r\n", "a UID ESEARCH 7<personal> 3 0<2 3<2 cost 0 return 0;" },
	{ "a ESEARCH IN (mailboxes {1+}\r\nx) ALL\r\n", "a UID ESEARCH 7<x> 0<2 3<2 cost 0 return 0;" },
	{ "a ESEARCH IN (selected personal) RETURN (SAVE) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (mailboxes a) RETURN (SAVE COUNT) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (selected-delayed) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (mailboxes a (x y)) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN ((x)) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN () ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN personal ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (personal)\r\n", "a BAD;" },
	{ "a ESEARCH IN (personal) RETURN (ALL)\r\n", "a BAD;" },
	{ "a ESEARCH IN (mailboxes) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (mailboxes ()) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (personal x) ALL\r\n", "a BAD;" },
	{ "a ESEARCH IN (mailboxes a&b) ALL\r\n", "a NO CANNOT;" },
	{ "a ESEARCH IN (mailboxes a) RETURN (MIN) IN (personal) ALL\r\n", "a BAD;" },
	{ "a ESEARCH RETURN (MIN) IN (personal) ALL\r\n", "a BAD;" },
	{ "a ESEARCH\r\n", "a BAD;" },
	{ "a UID ESEARCH ALL\r\n", "a BAD;" },	/* erratum 8364: there is none */
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int is_cut = 0; is_cut < 2; is_cut++) {
			struct imap_parser *parser = imap_parser_new(&limits);
			struct span input = span_from_string(cases[i].input);
			struct buffer story = { 0 };

			for (size_t at = 0; is_cut && at < input.length; at++)
				feed(parser, span_slice(input, at, 1), &story);
			if (!is_cut)
				feed(parser, input, &story);
			assert_string_equal(buffer_string(&story), cases[i].expected);
			buffer_free(&story);
			imap_parser_free(&parser);
		}
}

static void
add_id(struct buffer *text, unsigned pairs, size_t octets, bool is_literal)
{
	buffer_add_string(text, "a ID (");
	for (unsigned i = 0; i < pairs; i++) {
		buffer_printf(text, is_literal ? "%s{8+}\r\nfield-%02u {%zu+}\r\n" : "%s\"field-%02u\" \"", i == 0 ? "" : " ", i,
		    octets);
		for (size_t octet = 0; octet < octets; octet++)
			buffer_add_string(text, is_literal || octet % 2 == 0 ? "x" : "\\\"");
		buffer_add_string(text, is_literal ? "" : "\"");
	}
	buffer_add_string(text, ")\r\nb NOOP\r\n");
}

/* 30 pairs of 1,024 octets are answered (RFC 2971 section 3.3), and not held. */
static void
test_long_id(void **state)
{
	static const struct {
		unsigned pairs;
		size_t octets;
		bool is_good;
	} ids[] = { { 30, 1024, true }, { 31, 1024, false }, { 31, 1, false }, { 2, 20000, false } };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(ids); i++) {
		struct imap_parser *parser = imap_parser_new(&imap_limits_before_login);
		struct buffer text = { 0 }, story = { 0 };
		bool is_good = ids[i / 2].is_good;

		add_id(&text, ids[i / 2].pairs, ids[i / 2].octets, i % 2 == 1);
		for (size_t at = 0; at < text.length; at++) {
			feed(parser, span_slice(buffer_span(&text), at, 1), &story);
			assert_true(imap_parser_memory(parser) <= 32 << 10);
		}
		assert_true(span_starts_with(buffer_span(&story), is_good ? SPAN("a ID ") : SPAN("a BAD;")));
		buffer_add_octet(&story, 0);
		assert_string_equal((const char *)story.at + story.length - 8, "b NOOP;");
		buffer_free(&text);
		buffer_free(&story);
		imap_parser_free(&parser);
	}
}

static void
test_utf8_session(void **state)
{
	struct imap_parser *parser = imap_parser_new(&limits);
	struct buffer story = { 0 };

	(void)state;
	imap_parser_set_utf8(parser, true);
	feed(parser, SPAN("a DELETE \"\xc3\xa9&AOk-\"\r\n"), &story);
	assert_string_equal(buffer_string(&story), "a DELETE \xc3\xa9&AOk- 0 0;");
	buffer_free(&story);
	imap_parser_free(&parser);
}

static void
test_lines(void **state)
{
	struct imap_parser *parser = imap_parser_new(&limits);
	struct buffer story = { 0 };

	(void)state;
	imap_parser_expect_line(parser, 4);
	assert_true(imap_parser_cancel_line(parser));
	imap_parser_expect_line(parser, 4);
	feed(parser, SPAN("DO"), &story);
	assert_false(imap_parser_cancel_line(parser));
	feed(parser, SPAN("NE\r\na NOOP\r\n"), &story);
	assert_true(imap_parser_is_idle(parser));
	imap_parser_expect_line(parser, 4);
	feed(parser, SPAN("a NOOP"), &story);
	assert_string_equal(buffer_string(&story), "DONEa NOOP;* BAD fatal;");
	buffer_free(&story);
	imap_parser_free(&parser);
}

/* The caller answers an APPEND itself; what is left of it is eaten. */
static void
test_skip(void **state)
{
	static const struct {
		const char *before, *after;
		bool is_allowed;
	} skips[] = {
		{ "a APPEND x {5}\r\n", "b NOOP\r\n", false },
		{ "a APPEND x {5}\r\n", "12345\r\nb NOOP\r\n", true },
		{ "a APPEND x {5+}\r\n", "12345 {3+}\r\nabc\r\nb NOOP\r\n", false },
		{ "a APPEND x {5}\r\n123", "45\r\nb NOOP\r\n", true },
		{ "a APPEND x {5+}\r\n12345", "\r\nb NOOP\r\n", true },
		{ "a APPEND x {5+}\r\n12345 {2", "+}\r\nab\r\nb NOOP\r\n", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(skips); i++) {
		struct imap_parser *parser = imap_parser_new(&limits);
		struct buffer story = { 0 };

		feed(parser, span_from_string(skips[i].before), &story);
		buffer_clear(&story);
		imap_parser_skip_command(parser, skips[i].is_allowed);
		feed(parser, span_from_string(skips[i].after), &story);
		assert_string_equal(buffer_string(&story), "b NOOP;");
		buffer_free(&story);
		imap_parser_free(&parser);
	}
}

static void
test_nul(void **state)
{
	struct imap_parser *parser = imap_parser_new(&limits);
	struct buffer story = { 0 };

	(void)state;
	feed(parser, SPAN("a NO\0OP\r\nb LOGIN {1+}\r\n\0 x\r\nc NOOP\r\n"), &story);
	assert_string_equal(buffer_string(&story), "a BAD;b BAD;c NOOP;");
	buffer_free(&story);
	imap_parser_free(&parser);
}

/* Whatever comes, a parser holds no more than twice its limits; and it comes to rest. */
static void
test_noise(void **state)
{
	static const char alphabet[] = "(){}[]\"\\<>";
	struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
	struct buffer story = { 0 };
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 1 << 20; i++) {
		uint8_t octet;

		seed = seed * 1103515245 + 12345;
		octet = (uint8_t)alphabet[(seed >> 16) % 10];
		feed(parser, span_of(&octet, 1), &story);
		assert_true(imap_parser_memory(parser) <= 4u << 20);
		buffer_clear(&story);
	}
	feed(parser, SPAN("\r\na NOOP\r\n"), &story);
	assert_string_equal(buffer_string(&story), "a NOOP;");
	buffer_free(&story);
	imap_parser_free(&parser);
}

static void
check_deep_search(const char *before, const char *after)
{
	struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
	struct buffer text = { 0 }, story = { 0 };

	buffer_add_string(&text, "a SEARCH ");
	for (int i = 0; i < 9000; i++)
		buffer_add_string(&text, before);
	buffer_add_string(&text, "ALL");
	for (int i = 0; i < 9000; i++)
		buffer_add_string(&text, after);
	buffer_add_string(&text, "\r\n");
	feed(parser, buffer_span(&text), &story);
	assert_true(span_starts_with(buffer_span(&story), SPAN("a SEARCH 0<9002")));
	buffer_free(&text);
	buffer_free(&story);
	imap_parser_free(&parser);
}

/* 9,000 nested keys are read and evaluated without recursion. */
static void
test_deep_search(void **state)
{
	(void)state;
	check_deep_search("NOT ", "");
	check_deep_search("(", ")");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_long_id),
		cmocka_unit_test(test_utf8_session),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_deep_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
