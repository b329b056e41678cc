/*
 * SEARCH over a mailbox of five messages that is made by hand, and what its replies look like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../src/mailbox/search/groups.h"
#include "../../src/mailbox/search/program.h"
#include "../../src/mailbox/search/recall.h"
#include "../../src/mailbox/search/result.h"
#include "base/memory.h"
#include "imap/parser.h"

#define DAY 86400

static struct store_message messages[] = {
	{ .uid = 10, .size = 100, .flags = STORE_FLAG_SEEN, .modseq = 5, .internal_date_s = 0 },
	{ .uid = 20, .size = 200, .flags = STORE_FLAG_FLAGGED, .modseq = 9, .internal_date_s = DAY - 1 },
	{ .uid = 21, .size = 300, .flags = 1 << STORE_KEYWORD_BIT_MIN, .modseq = 7, .internal_date_s = DAY },
	{ .uid = 22, .size = 400, .flags = STORE_FLAG_SEEN | STORE_FLAG_DELETED, .modseq = 6,
	    .internal_date_s = 2 * DAY },
	{ .uid = 30, .size = 500, .modseq = 8, .internal_date_s = -1 },
};

static struct imap_range recent = { 22, 30 }, saved_range = { 20, 21 };
static const struct imap_sequence saved = { .ranges = &saved_range, .count = 1 };

static struct state state;
static struct view view;

static int
setup(void **unused)
{
	const char *name = "$Work";

	(void)unused;
	state = (struct state){ .phase = STATE_READY, .messages = messages, .count = COUNT_OF(messages),
		.capacity = COUNT_OF(messages), .uidnext = 31, .highest_modseq = 9,
		.keywords = keywords_new() };
	keywords_learn(&state.keywords, &(struct store_keywords){ .names = &name, .count = 1 });
	list_init(&state.listeners);
	view = (struct view){ .state = &state, .limit_uid = 31, .recent = &recent, .recent_count = 1 };
	list_init(&view.listener.link);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	keywords_release(&state.keywords);
	return 0;
}

static struct imap_command_line *
parse(const char *command)
{
	struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
	struct buffer text = { 0 };
	struct imap_event event;
	struct span input;

	buffer_printf(&text, "a %s\r\n", command);
	input = buffer_span(&text);
	assert_int_equal(imap_parser_feed(parser, &input, &event), IMAP_EVENT_COMMAND);
	buffer_free(&text);
	imap_parser_free(&parser);
	return event.command;
}

/* One leaf after the other for one message. */
struct test {
	const struct search_program *program;
	const struct search_message *message;
};

static enum imap_truth
test_leaf(const struct imap_search_node *leaf, void *context)
{
	const struct test *test = context;

	return search_test_state(test->program, leaf, test->message);
}

/* Search with what the state knows; what that leaves open is no hit.  How many messages were looked at. */
static unsigned
search(struct imap_command_line *line, struct search_result *result)
{
	struct search_program program;
	struct view_message message;
	uint8_t *scratch = memory_new(line->search.node_count);
	unsigned looked_at = 0;

	search_result_init(result, &view);
	search_program_init(&program, &line->search, &view, &saved);
	for (uint32_t number = 1; (number = search_program_from(&program, &view, number)) != 0 && number <= view_count(&view); number++) {
		struct search_message tested;
		struct test test = { &program, &tested };

		view_message(&view, number, &message);
		tested = (struct search_message){ .number = number, .is_recent = message.is_recent,
			.message = message.message };
		if (imap_search_evaluate(&line->search, test_leaf, &test, scratch) == IMAP_TRUE)
			search_result_add(result, number);
		looked_at++;
	}
	search_program_fini(&program);
	free(scratch);
	return looked_at;
}

static const struct { const char *command, *expected; } cases[] = {
	{ "SEARCH ALL", "* SEARCH 1 2 3 4 5\r\n" },
	{ "UID SEARCH ALL", "* SEARCH 10 20 21 22 30\r\n" },
	{ "SEARCH SEEN", "* SEARCH 1 4\r\n" },
	{ "SEARCH UNSEEN UNFLAGGED", "* SEARCH 3 5\r\n" },
	{ "SEARCH KEYWORD $work", "* SEARCH 3\r\n" },
	{ "SEARCH UNKEYWORD other 1:2", "* SEARCH 1 2\r\n" },
	{ "SEARCH OR DELETED FLAGGED", "* SEARCH 2 4\r\n" },
	{ "SEARCH NOT (OR 1 UID 30)", "* SEARCH 2 3 4\r\n" },
	{ "SEARCH 4:*", "* SEARCH 4 5\r\n" },
	{ "SEARCH UID 25:*", "* SEARCH 5\r\n" },
	/* A number that no message has: another session may have expunged it. */
	{ "SEARCH 6", "* SEARCH\r\n" },
	{ "SEARCH 4:4294967295", "* SEARCH 4 5\r\n" },
	{ "SEARCH 7:*", "* SEARCH 5\r\n" },
	{ "UID SEARCH NOT 3:9", "* SEARCH 10 20\r\n" },
	{ "SEARCH $", "* SEARCH 2 3\r\n" },
	{ "UID SEARCH UIDAFTER 21", "* SEARCH 22 30\r\n" },
	{ "SEARCH UIDBEFORE 21", "* SEARCH 1 2\r\n" },
	{ "SEARCH UIDBEFORE 1", "* SEARCH\r\n" },
	{ "SEARCH UIDAFTER 4294967295", "* SEARCH\r\n" },
	{ "SEARCH LARGER 100 SMALLER 400", "* SEARCH 2 3\r\n" },
	/* Days are those of UTC, also before 1970 */
	{ "SEARCH BEFORE 1-Jan-1970", "* SEARCH 5\r\n" },
	{ "SEARCH ON 1-Jan-1970", "* SEARCH 1 2\r\n" },
	{ "SEARCH SINCE 2-Jan-1970", "* SEARCH 3 4\r\n" },
	{ "SEARCH RECENT", "* SEARCH 4 5\r\n" },
	{ "SEARCH NEW", "* SEARCH 5\r\n" },
	{ "SEARCH OLD", "* SEARCH 1 2 3\r\n" },
	{ "SEARCH MODSEQ 7", "* SEARCH 2 3 5 (MODSEQ 9)\r\n" },
	{ "SEARCH MODSEQ 10", "* SEARCH\r\n" },
	{ "SEARCH DRAFT", "* SEARCH\r\n" },
	/* What needs the message is left open, unless something cheaper decides. */
	{ "SEARCH OR SEEN BODY x", "* SEARCH 1 4\r\n" },
};

static void
test_keys(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t limit = 1; limit < 64; limit += 21) {
			struct imap_command_line *line = parse(cases[i].command);
			struct search_result result;
			struct buffer out = { 0 };

			search(line, &result);
			while (!search_result_write_list(&result, line, out.length + limit, &out))
				;
			assert_string_equal(buffer_string(&out), cases[i].expected);
			buffer_free(&out);
			search_result_fini(&result);
			imap_command_free(&line);
		}
}

/* What sets among the keys leave out costs nothing. */
static void
test_looked_at(void **unused)
{
	static const struct { const char *command; unsigned looked_at; } counts[] = {
		{ "SEARCH UNSEEN", 5 },
		{ "SEARCH 2 UNSEEN", 1 },
		{ "SEARCH 1,4:5 UNSEEN", 3 },
		{ "SEARCH UNSEEN (UID 20:21)", 2 },
		{ "SEARCH UID 23:29", 0 },
		{ "SEARCH UID 1:19,30 LARGER 1", 2 },
		{ "SEARCH UIDAFTER 21 SEEN", 2 },
		{ "SEARCH UIDAFTER 4294967295", 0 },
		{ "SEARCH UIDBEFORE 21 SEEN", 2 },
		{ "SEARCH UIDBEFORE 1", 0 },
		{ "SEARCH $ UNSEEN", 2 },
		{ "SEARCH 2:* UIDBEFORE 22 UIDAFTER 10", 2 },
		{ "SEARCH OR 1 2", 5 },
		{ "SEARCH NOT 2", 5 },
	};
	struct imap_command_line *line;
	struct search_result result;

	(void)unused;
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		line = parse(counts[i].command);
		if (search(line, &result) != counts[i].looked_at)
			fail_msg("%s", counts[i].command);
		search_result_fini(&result);
		imap_command_free(&line);
	}
}


/* With the last message first. */
static void
test_falling(void **unused)
{
	(void)unused;
	for (size_t limit = 1; limit < 64; limit += 21) {
		struct imap_command_line *line = parse("UID SEARCH NOT 1:2");
		struct search_result result;
		struct buffer out = { 0 };

		search(line, &result);
		result.is_falling = true;
		while (!search_result_write_list(&result, line, out.length + limit, &out))
			;
		assert_string_equal(buffer_string(&out), "* SEARCH 30 22 21\r\n");
		buffer_free(&out);
		search_result_fini(&result);
		imap_command_free(&line);
	}
}

static const struct { const char *command; bool covers[COUNT_OF(messages)]; } coverings[] = {
	{ "SEARCH ALL", { true, true, true, true, true } },
	{ "SEARCH 2:4", { false, true, true, true, false } },
	{ "SEARCH UID 10:21 SEEN", { true, true, true, false, false } },
	{ "SEARCH UIDAFTER 10 DRAFT UIDBEFORE 30", { false, true, true, true, false } },
	{ "SEARCH (SEEN (2:4 (UID 20)))", { false, true, false, false, false } },
	{ "SEARCH NOT UID 10", { true, true, true, true, true } },
	{ "SEARCH OR 1 2 OR 3 (UID 30 4) 2:*", { false, true, true, true, true } },
	{ "SEARCH NOT (1) $", { false, true, true, false, false } },
};

static void
test_covers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(coverings); i++) {
		struct imap_command_line *line = parse(coverings[i].command);
		struct search_program program;

		search_program_init(&program, &line->search, &view, &saved);
		for (uint32_t number = 1; number <= COUNT_OF(messages); number++) {
			struct search_message message = { .number = number, .message = messages[number - 1] };

			assert_int_equal(search_program_covers(&program, &message), coverings[i].covers[number - 1]);
		}
		search_program_fini(&program);
		imap_command_free(&line);
	}
}

static const struct { const char *command, *esearch, *uids; } returns[] = {
	{ "SEARCH RETURN (MIN MAX COUNT ALL) NOT 3",
	    "* ESEARCH (TAG \"a\") MIN 1 MAX 5 ALL 1:2,4:5 COUNT 4\r\n", "10,20,22,30" },
	{ "UID SEARCH RETURN () NOT 4", "* ESEARCH (TAG \"a\") UID ALL 10,20:21,30\r\n", "10,20:21,30" },
	{ "SEARCH RETURN (COUNT) DRAFT", "* ESEARCH (TAG \"a\") COUNT 0\r\n", "" },
	{ "SEARCH RETURN (MIN) MODSEQ 6", "* ESEARCH (TAG \"a\") MIN 2 MODSEQ 9\r\n", "20" },
	{ "SEARCH RETURN (MAX) MODSEQ 6", "* ESEARCH (TAG \"a\") MAX 5 MODSEQ 8\r\n", "30" },
	{ "SEARCH RETURN (MIN MAX) 2:3", "* ESEARCH (TAG \"a\") MIN 2 MAX 3\r\n", "20:21" },
	{ "SEARCH RETURN (MIN MAX) DRAFT", "* ESEARCH (TAG \"a\")\r\n", "" },
	{ "UID SEARCH RETURN (PARTIAL 2:3) ALL", "* ESEARCH (TAG \"a\") UID PARTIAL (2:3 20:21)\r\n", "20:21" },
	{ "SEARCH RETURN (PARTIAL -1:-2 MIN) ALL", "* ESEARCH (TAG \"a\") MIN 1 PARTIAL (-1:-2 4:5)\r\n", "10,22,30" },
	{ "SEARCH RETURN (MAX PARTIAL 2:1) ALL", "* ESEARCH (TAG \"a\") MAX 5 PARTIAL (2:1 1:2)\r\n", "10,20,30" },
	{ "SEARCH RETURN (PARTIAL 4:9 COUNT) NOT 3", "* ESEARCH (TAG \"a\") PARTIAL (4:9 5) COUNT 4\r\n",
	    "10,20,22,30" },
	{ "SEARCH RETURN (PARTIAL 6:6) ALL", "* ESEARCH (TAG \"a\") PARTIAL (6:6 NIL)\r\n", "" },
	{ "SEARCH RETURN (PARTIAL 1:1) MODSEQ 6", "* ESEARCH (TAG \"a\") PARTIAL (1:1 2) MODSEQ 9\r\n", "20" },
	{ "SEARCH RETURN (PARTIAL -1:-1) MODSEQ 6", "* ESEARCH (TAG \"a\") PARTIAL (-1:-1 5) MODSEQ 8\r\n", "30" },
	{ "SEARCH RETURN (PARTIAL 9:9) MODSEQ 6", "* ESEARCH (TAG \"a\") PARTIAL (9:9 NIL)\r\n", "" },
};

static void
test_returns(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < COUNT_OF(returns); i++) {
		struct imap_command_line *line = parse(returns[i].command);
		struct imap_sequence uids = { 0 };
		struct search_result result;
		struct buffer out = { 0 };

		search(line, &result);
		search_result_write_esearch(&result, &line->search, &(struct imap_esearch){ .tag = line->tag,
		    .is_uid = line->is_uid, .returns = line->search.return_options, .partial = line->search.partial }, &out);
		assert_string_equal(buffer_string(&out), returns[i].esearch);
		buffer_clear(&out);
		search_result_reduce(&result, &line->search);
		uids.ranges = search_result_uids(&result, &uids.count);
		imap_sequence_write(&out, &uids);
		assert_string_equal(buffer_string(&out), returns[i].uids);
		free(uids.ranges);
		buffer_free(&out);
		search_result_fini(&result);
		imap_command_free(&line);
	}
}

/* Each key alone, then all together; and in one go, or with time that is always up. */
static const struct { const char *key; bool is_there; } headers[] = {
	{ "HEADER subject \"GR\xc3\x9cN\"", true },
	{ "HEADER SUBJECT \"n tea\"", true },
	{ "HEADER Subject tee", false },
	{ "HEADER To bob", true },		/* the second To */
	{ "HEADER To ada", true },
	{ "HEADER To ada@xbob", false },	/* fields stand apart */
	{ "HEADER X-Empty \"\"", true },
	{ "HEADER X-Empty a", false },
	{ "HEADER X-None \"\"", false },
	{ "HEADER X-Long middle", true },
	{ "HEADER X-Last end", true },
};

static void
read_header(struct span block, const char *keys, uint64_t until_us, uint8_t *known)
{
	struct buffer command = { 0 };
	struct search_fields fields = { .is_begun = false };
	struct search_program program;
	struct search_groups groups;
	struct imap_command_line *line;

	buffer_printf(&command, "SEARCH%s", keys);
	line = parse(buffer_string(&command));
	search_program_init(&program, &line->search, &view, &saved);
	search_groups_init(&groups, &program);
	memset(known, IMAP_UNKNOWN, line->search.node_count);
	while (!search_groups_read_header(&groups, block, &fields, until_us, known))
		assert_int_equal(until_us, 0);
	search_groups_fini(&groups);
	search_program_fini(&program);
	imap_command_free(&line);
	buffer_free(&command);
}

static void
test_headers(void **unused)
{
	struct buffer block = { 0 }, all = { 0 }, one = { 0 };
	uint8_t known[COUNT_OF(headers) + 1];

	(void)unused;
	buffer_add_string(&block, "To: ada@x\r\nSubject: =?utf-8?Q?gr=C3=BCn?=\r\n tea\r\nTo: Bob@x\r\nX-Empty:\r\n");
	for (int i = 0; i < 20000; i++)
		buffer_printf(&block, "X-Long: %d%s\r\n", i, i == 10000 ? " middle" : "");
	buffer_add_string(&block, "X-Last: end\r\n\r\n");
	for (uint64_t until_us = 0; until_us < 2; until_us++) {
		for (size_t i = 0; i < COUNT_OF(headers); i++) {
			buffer_clear(&one);
			buffer_printf(&one, " %s", headers[i].key);
			buffer_add_span(&all, until_us == 0 ? buffer_span(&one) : SPAN(""));
			read_header(buffer_span(&block), buffer_string(&one), until_us == 0 ? 0 : UINT64_MAX, known);
			assert_int_equal(known[1], headers[i].is_there ? IMAP_TRUE : IMAP_FALSE);
		}
		read_header(buffer_span(&block), buffer_string(&all), until_us == 0 ? 0 : UINT64_MAX, known);
		for (size_t i = 0; i < COUNT_OF(headers); i++)
			assert_int_equal(known[1 + i], headers[i].is_there ? IMAP_TRUE : IMAP_FALSE);
	}
	buffer_free(&block);
	buffer_free(&all);
	buffer_free(&one);
}

/* ---- what is remembered --------------------------------------------------------------------------------- */

struct recalling {
	struct search_recall *recall;
	const struct search_message *message;
};

static enum imap_truth
recall_leaf(const struct imap_search_node *leaf, void *context)
{
	const struct recalling *test = context;

	return search_recall_test(test->recall, leaf, test->message);
}

/*
 * Search, and let a worker that looks at contents find every text in even ones, and that they were sent on their day.
 * Returns bits of the contents that it was asked about, from 1 on.
 */
static unsigned
ask(const char *command, struct insights *insights, struct list *of_account, unsigned contents, unsigned *hits_out)
{
	struct imap_command_line *line = parse(command);
	struct arena *arena = line->arena;	/* the line is in it */
	uint8_t truths[SEARCH_SLOTS_MAX], *scratch = memory_new(line->search.node_count);
	struct search_program program;
	struct search_recall recall;
	unsigned asked = 0;

	*hits_out = 0;
	search_program_init(&program, &line->search, &view, &saved);
	search_recall_init(&recall, &program, insights, of_account);
	for (unsigned id = 1; id <= contents; id++) {
		struct search_message message = { .number = id, .message = { .uid = id, .content_id = id }, .truths = truths };
		struct recalling test = { &recall, &message };
		enum imap_truth truth = imap_search_evaluate(&line->search, recall_leaf, &test, scratch);

		if (truth == IMAP_UNKNOWN) {
			asked |= 1u << id;
			search_recall_tell(&recall, &message);
			for (size_t i = 0; i < program.slot_count; i++)
				if (truths[i] == IMAP_UNKNOWN)
					truths[i] = id % 2 == 0 ? IMAP_TRUE : IMAP_FALSE;
			message.sent_day = id == 3 ? INSIGHT_NEVER_SENT : (int32_t)id;
			search_recall_note(&recall, &message);
			truth = imap_search_evaluate(&line->search, recall_leaf, &test, scratch);
		}
		assert_int_not_equal(truth, IMAP_UNKNOWN);
		*hits_out |= (truth == IMAP_TRUE ? 1u : 0) << id;
	}
	search_recall_fini(&recall);
	search_program_fini(&program);
	free(scratch);
	arena_free(&arena);
	return asked;
}

/* What was found out is not asked again; other keys are others; what is new is asked. */
static void
test_recall(void **unused)
{
	struct insights insights;
	struct list account;
	unsigned hits;

	(void)unused;
	insights_init(&insights);
	list_init(&account);
	assert_int_equal(ask("SEARCH BODY x", &insights, &account, 4, &hits), 0x1E);
	assert_int_equal(hits, 0x14);
	assert_int_equal(ask("SEARCH BODY X", &insights, &account, 4, &hits), 0);
	assert_int_equal(hits, 0x14);
	assert_int_equal(ask("SEARCH NOT BODY x", &insights, &account, 6, &hits), 0x60);
	assert_int_equal(hits, 0x2A);
	assert_int_equal(ask("SEARCH OR BODY x BODY y", &insights, &account, 4, &hits), 0x0A);
	assert_int_equal(ask("SEARCH TEXT x", &insights, &account, 2, &hits), 0x06);
	assert_int_equal(ask("SEARCH UID 2 SUBJECT x", &insights, &account, 6, &hits), 0x04);
	assert_int_equal(ask("SEARCH HEADER Subject x", &insights, &account, 2, &hits), 0x06);
	assert_int_equal(ask("SEARCH HEADER SUBJECT X", &insights, &account, 2, &hits), 0);
	assert_int_equal(ask("SEARCH HEADER Subjec tx", &insights, &account, 2, &hits), 0x06);
	assert_int_equal(ask("SEARCH BODY \"\"", &insights, &account, 2, &hits), 0);
	assert_int_equal(hits, 0x06);
	assert_int_equal(ask("SEARCH SENTON 3-Jan-1970", &insights, &account, 4, &hits), 0x1E);
	assert_int_equal(hits, 0x04);
	assert_int_equal(ask("SEARCH SENTSINCE 3-Jan-1970", &insights, &account, 4, &hits), 0);
	assert_int_equal(hits, 0x14);
	assert_int_equal(ask("SEARCH NOT SENTBEFORE 3-Jan-1970", &insights, &account, 4, &hits), 0);
	assert_int_equal(hits, 0x1C);
	insights_forget(&account);
	assert_int_equal(ask("SEARCH BODY x", &insights, &account, 4, &hits), 0x1E);
	insights_forget(&account);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recall),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_looked_at),
		cmocka_unit_test(test_falling),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
