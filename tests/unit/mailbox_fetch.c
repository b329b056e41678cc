/*
 * FETCH lines rendered from a real store.  Each case is rendered whole and in pieces of every small size:
 * where a piece ends must make no difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/mailbox/fetch/render.h"
#include "base/memory.h"
#include "folder_fixture.h"
#include "imap/parser.h"
#include "mime/parts.h"

#define MULTIPART                                                                                            \
	"From: a@x\r\nSubject: one\r\n two\r\nTo: b@x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"  \
	"--b\r\n\r\nplain (\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"  \
	"PGI+AHg=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n"                \
	"--b\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd\r\n--b--\r\n"

#define FIRST_LINE "* 3 FETCH ("

static const struct {
	const char *items;
	struct span expected;		/* behind "* 3 FETCH (" */
} cases[] = {
	{ "(UID FLAGS)", SPAN("UID 1 FLAGS (\\Seen))\r\n") },
	{ "(RFC822.SIZE INTERNALDATE)", SPAN("RFC822.SIZE 290 INTERNALDATE \" 2-Jan-1970 00:00:00 +0000\")\r\n") },
	{ "(ENVELOPE BODY BODYSTRUCTURE)", SPAN("ENVELOPE (env) BODY (body) BODYSTRUCTURE (bs))\r\n") },
	{ "BODY.PEEK[1]", SPAN("BODY[1] {7}\r\nplain ()\r\n") },
	{ "(BODY.PEEK[1] UID)", SPAN("BODY[1] {7}\r\nplain ( UID 1)\r\n") },
	{ "BODY.PEEK[1]<1.3>", SPAN("BODY[1]<1> {3}\r\nlai)\r\n") },
	{ "BODY.PEEK[1]<6.99>", SPAN("BODY[1]<6> {1}\r\n()\r\n") },
	{ "BODY.PEEK[1]<7.1>", SPAN("BODY[1]<7> {0}\r\n)\r\n") },
	{ "BODY.PEEK[1]<4294967295.4294967295>", SPAN("BODY[1]<4294967295> {0}\r\n)\r\n") },
	{ "BODY.PEEK[9]", SPAN("BODY[9] NIL)\r\n") },
	{ "BODY.PEEK[1.HEADER]", SPAN("BODY[1.HEADER] NIL)\r\n") },
	{ "BODY.PEEK[2.MIME]", SPAN("BODY[2.MIME] {62}\r\n"
	    "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n)\r\n") },
	{ "BODY.PEEK[3.HEADER]", SPAN("BODY[3.HEADER] {15}\r\nSubject: in\r\n\r\n)\r\n") },
	{ "BODY.PEEK[3.TEXT]", SPAN("BODY[3.TEXT] {5}\r\ninner)\r\n") },
	{ "BODY.PEEK[HEADER.FIELDS (TO subject X)]", SPAN("BODY[HEADER.FIELDS (TO subject X)] {31}\r\n"
	    "Subject: one\r\n two\r\nTo: b@x\r\n\r\n)\r\n") },
	{ "BODY.PEEK[HEADER.FIELDS.NOT (Content-Type Subject To)]<0.6>",
	    SPAN("BODY[HEADER.FIELDS.NOT (Content-Type Subject To)]<0> {6}\r\nFrom: )\r\n") },
	{ "BODY.PEEK[3.HEADER.FIELDS (None)]", SPAN("BODY[3.HEADER.FIELDS (None)] {2}\r\n\r\n)\r\n") },
	{ "RFC822.HEADER", SPAN("RFC822.HEADER {85}\r\nFrom: a@x\r\nSubject: one\r\n two\r\nTo: b@x\r\n"
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n)\r\n") },
	{ "BODY.PEEK[]", SPAN("BODY[] {290}\r\n" MULTIPART ")\r\n") },
	/* RFC 3516: decoded; literal8 because of the NUL */
	{ "BINARY.PEEK[1]", SPAN("BINARY[1] {7}\r\nplain ()\r\n") },
	{ "BINARY.PEEK[2]", SPAN("BINARY[2] ~{5}\r\n<b>\0x)\r\n") },
	{ "BINARY.PEEK[2]<1.2>", SPAN("BINARY[2]<1> ~{2}\r\nb>)\r\n") },
	{ "(BINARY.SIZE[2] BINARY.SIZE[9])", SPAN("BINARY.SIZE[2] 5 BINARY.SIZE[9] 0)\r\n") },
	{ "BINARY.PEEK[9]", SPAN("BINARY[9] NIL)\r\n") },
	{ "BINARY.PEEK[4]", SPAN("BINARY[4] NIL)\r\n") },
};

struct fixture {
	char folder[64];
	struct store *store;
	struct store_message message;
	struct fetch_kept *kept;
};

static void
append(struct fixture *fixture, struct span text)
{
	struct store_arrival arrival = { .pieces = &text, .piece_count = 1, .flags = STORE_FLAG_SEEN,
		.internal_date_s = 86400, .envelope = SPAN("(env)"), .body = SPAN("(body)"),
		.bodystructure = SPAN("(bs)") };
	struct arena *arena = arena_new();
	struct store_mailbox inbox;
	struct mime_tree tree;
	struct buffer parts = { 0 };

	mime_tree_init(&tree, text);
	mime_parts_write(&tree, &parts);
	arrival.header_length = tree.parts[0].header_length;
	arrival.parts = buffer_span(&parts);
	assert_int_equal(store_mailbox_find(fixture->store, SPAN("INBOX"), arena, &inbox), STORE_OK);
	assert_int_equal(store_begin(fixture->store, STORE_LAZY), STORE_OK);
	assert_int_equal(store_append(fixture->store, inbox.id, &arrival, &fixture->message), STORE_OK);
	assert_int_equal(store_end(fixture->store, STORE_OK), STORE_OK);
	mime_tree_fini(&tree);
	buffer_free(&parts);
	arena_free(&arena);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	char path[128];

	folder_make(fixture.folder, sizeof fixture.folder, "imapd-fetch");
	snprintf(path, sizeof path, "%s/user/mail.db", fixture.folder);
	assert_int_equal(store_open(path, true, &fixture.store), STORE_OK);
	append(&fixture, SPAN(MULTIPART));
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	store_close(&fixture->store);
	snprintf(command, sizeof command, "rm -r %s", fixture->folder);
	return system(command);
}

static struct imap_command_line *
parse(const char *items)
{
	struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
	struct buffer text = { 0 };
	struct imap_event event;
	struct span input;

	buffer_printf(&text, "a FETCH 3 %s\r\n", items);
	input = buffer_span(&text);
	assert_int_equal(imap_parser_feed(parser, &input, &event), IMAP_EVENT_COMMAND);
	buffer_free(&text);
	imap_parser_free(&parser);
	return event.command;
}

/* Render entries in pieces of piece_octets, a step at a time where they are the smallest. */
static void
render(struct fixture *fixture, const char *items, size_t piece_octets, struct buffer *out,
    bool *has_unknown_cte_out)
{
	struct imap_command_line *line = parse(items);
	struct fetch_entry entry = { .number = 3, .message = fixture->message };
	uint64_t until_us = piece_octets == 1 ? 0 : UINT64_MAX;
	struct fetch_render render;

	fetch_render_init(&render, &line->fetch, 1);
	fetch_render_add(&render, &entry);
	while (!fetch_render_is_done(&render)) {
		struct buffer piece = { 0 };

		render.kept = fixture->kept;
		assert_int_equal(fetch_render(&render, fixture->store, piece_octets, until_us, &piece), STORE_OK);
		buffer_add_span(out, buffer_span(&piece));
		buffer_free(&piece);
	}
	*has_unknown_cte_out = render.has_unknown_cte;
	fetch_render_fini(&render);
	imap_command_free(&line);
}

static void
check_items(struct fixture *fixture)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 16, 64, 128 * 1024 };
	bool has_unknown_cte;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t p = 0; p < COUNT_OF(pieces); p++) {
			struct buffer out = { 0 };
			struct span rest;

			render(fixture, cases[i].items, pieces[p], &out, &has_unknown_cte);
			assert_true(span_starts_with(buffer_span(&out), SPAN(FIRST_LINE)));
			rest = span_from(buffer_span(&out), strlen(FIRST_LINE));
			if (!span_equals(rest, cases[i].expected))
				fail_msg("%s in pieces of %zu: %.*s", cases[i].items, pieces[p], SPAN_ARGS(rest));
			assert_int_equal(has_unknown_cte, strstr(cases[i].items, "[4]") != NULL);
			buffer_free(&out);
		}
}

static void
test_items(void **state)
{
	check_items(*state);
}

/* What is kept is what would have been rendered; of other items, and of other contents, it is not taken. */
static void
test_kept(void **state)
{
	struct fixture fixture = *(struct fixture *)*state;
	struct buffer out = { 0 };
	struct span text;
	bool has_unknown_cte;

	fixture.kept = fetch_kept_new();
	check_items(&fixture);
	check_items(&fixture);
	render(&fixture, "(ENVELOPE BODY.PEEK[HEADER.FIELDS (subject)])", 1, &out, &has_unknown_cte);
	assert_true(fetch_kept_find(fetch_kept_item(fixture.kept, SPAN("ENVELOPE")), fixture.message.content_id, &text));
	assert_true(span_equals(text, SPAN("ENVELOPE (env)")));
	assert_true(fetch_kept_find(fetch_kept_item(fixture.kept, SPAN("BODY[HEADER.FIELDS (subject)]")),
	    fixture.message.content_id, &text));
	assert_false(fetch_kept_find(fetch_kept_item(fixture.kept, SPAN("BODY[HEADER.FIELDS (to)]")),
	    fixture.message.content_id, &text));
	assert_false(fetch_kept_find(fetch_kept_item(fixture.kept, SPAN("ENVELOPE")), fixture.message.content_id + 1, &text));
	fetch_kept_free(fixture.kept);
	buffer_free(&out);
}

/* Ids in any order, far from each other and side by side; no more items than a mailbox may have. */
static void
test_kept_places(void **state)
{
	struct fetch_kept *kept = fetch_kept_new();
	struct fetch_kept_item *item = fetch_kept_item(kept, SPAN("ENVELOPE"));
	char name[32], long_text[8000] = { 0 };
	struct span text;

	(void)state;
	for (uint64_t id = 3000; id > 0; id--) {
		snprintf(name, sizeof name, "%d", (int)id);
		fetch_kept_note(item, id * id % 3001 << id % 20, span_from_string(name));
	}
	for (uint64_t id = 1; id <= 3000; id++) {
		snprintf(name, sizeof name, "%d", (int)id);
		fetch_kept_note(item, id, span_from_string(name));
	}
	for (uint64_t id = 1; id <= 3000; id++) {
		snprintf(name, sizeof name, "%d", (int)id);
		assert_true(fetch_kept_find(item, id, &text));
		assert_true(span_equals(text, span_from_string(name)));
	}
	assert_int_equal(fetch_kept_note(item, 5000, span_of(long_text, sizeof long_text)), 0);
	assert_false(fetch_kept_find(item, 5000, &text));
	for (int i = 1; i < FETCH_KEPT_ITEMS; i++) {
		snprintf(name, sizeof name, "item %d", i);
		assert_non_null(fetch_kept_item(kept, span_from_string(name)));
	}
	assert_null(fetch_kept_item(kept, SPAN("one too many")));
	assert_ptr_equal(fetch_kept_item(kept, SPAN("ENVELOPE")), item);
	fetch_kept_free(kept);
}

/* What is larger than a chunk of the store comes in pieces of the size asked for; no NUL in a plain literal. */
static void
test_large(void **state)
{
	struct fixture fixture = *(struct fixture *)*state;
	struct buffer message = { 0 }, out = { 0 };
	bool has_unknown_cte;

	buffer_add_string(&message, "A: b\r\n\r\n");
	for (int i = 0; i < 700000; i++)
		buffer_add_octet(&message, (uint8_t)(i * 7 >> 3));
	append(&fixture, buffer_span(&message));
	render(&fixture, "BODY.PEEK[]", 50000, &out, &has_unknown_cte);
	for (size_t i = 0; i < message.length; i++)
		if (message.at[i] == 0)
			message.at[i] = 0x80;
	assert_true(span_equals(span_slice(buffer_span(&out), strlen(FIRST_LINE "BODY[] {700008}\r\n"), 700008),
	    buffer_span(&message)));
	assert_true(span_equals(span_from(buffer_span(&out), out.length - 3), SPAN(")\r\n")));
	buffer_free(&message);
	buffer_free(&out);
}

/* RFC 3501 section 6.4.5: a flag that was set on the way is told, once. */
static void
test_added_flags(void **state)
{
	struct fixture *fixture = *state;
	static const struct { const char *items, *expected; } lines[] = {
		{ "UID", "* 3 FETCH (UID 1 FLAGS (\\Seen))\r\n" },
		{ "(FLAGS UID)", "* 3 FETCH (FLAGS (\\Seen) UID 1)\r\n" },
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct imap_command_line *line = parse(lines[i].items);
		struct fetch_entry entry = { .number = 3, .adds_flags = true, .message = fixture->message };
		struct fetch_render render;
		struct buffer out = { 0 };

		fetch_render_init(&render, &line->fetch, 1);
		fetch_render_add(&render, &entry);
		assert_int_equal(fetch_render(&render, fixture->store, 1000, UINT64_MAX, &out), STORE_OK);
		assert_string_equal(buffer_string(&out), lines[i].expected);
		buffer_free(&out);
		fetch_render_fini(&render);
		imap_command_free(&line);
	}
}

/* ---- octets that stay in memory ---------------------------------------------------------------------------- */

/* A block as a worker leaves it: between 10 and 20 octets of its own there are length of a content, and behind it more. */
static struct fetch_block *
new_block(uint64_t content_id, uint64_t at, size_t length, size_t beyond)
{
	struct fetch_notes notes = { 0 };
	struct buffer piece = { 0 };
	struct fetch_block *block;

	buffer_add_string(&piece, "0123456789");
	for (size_t i = 0; i < length; i++)
		buffer_add_octet(&piece, (uint8_t)(content_id + at + i));
	for (size_t i = length; i < length + beyond; i++)
		buffer_add_octet(&notes.beyond, (uint8_t)(content_id + at + i));
	fetch_notes_add(&notes, &(struct fetch_extent){ .content_id = content_id, .header_length = 7, .at = at, .place = 10, .length = length });
	fetch_notes_add(&notes, &(struct fetch_extent){ .content_id = content_id, .header_length = 7, .at = at + length, .length = beyond,
	    .is_beyond = true });
	buffer_add_string(&piece, "0123456789");
	block = fetch_block_new(&piece, &notes);
	assert_int_equal(fetch_block_reply(block).length, 20 + length);
	fetch_notes_fini(&notes);
	return block;
}

static void
keep(struct state_cache *cache, struct state *state, uint64_t content_id, uint64_t at, size_t length, size_t beyond)
{
	struct fetch_block *block = new_block(content_id, at, length, beyond);

	fetch_bodies_keep(cache, state, block);
	fetch_block_release(NULL, 0, block);
}

static void
assert_taken(struct state *state, uint64_t content_id, uint64_t at, uint64_t length)
{
	struct fetch_block *block;

	assert_true(fetch_bodies_cover(state, content_id, at, length));
	for (struct span octets; length > 0; at += octets.length, length -= octets.length) {
		octets = fetch_bodies_take(state, content_id, at, length, &block);
		assert_true(octets.length > 0 && octets.length <= length);
		for (size_t i = 0; i < octets.length; i++)
			assert_int_equal(octets.at[i], (uint8_t)(content_id + at + i));
		fetch_block_release(octets.at, octets.length, block);
	}
}

static void
test_bodies(void **state_ignored)
{
	struct state first = { 0 }, second = { 0 };
	struct state_cache cache;
	struct fetch_block *block;
	uint32_t header_length;
	struct span octets, parts;

	(void)state_ignored;
	state_cache_init(&cache, 20000, 2);
	assert_false(fetch_bodies_know(&first, 5, &header_length, &parts));
	assert_false(fetch_bodies_cover(&first, 5, 0, 1));
	keep(&cache, &first, 5, 0, 1000, 300);
	keep(&cache, &first, 5, 1300, 500, 0);
	keep(&cache, &second, 5, 0, 10, 0);
	assert_true(fetch_bodies_know(&first, 5, &header_length, &parts) && header_length == 7);
	assert_false(fetch_bodies_know(&first, 6, &header_length, &parts));
	assert_taken(&first, 5, 0, 1800);
	assert_taken(&first, 5, 999, 302);
	assert_false(fetch_bodies_cover(&first, 5, 0, 1801));
	assert_false(fetch_bodies_cover(&second, 5, 5, 6));
	assert_true(fetch_bodies_cover(&second, 7, 5, 0));

	/* Others drive out what was used longest ago; what is being sent stays until it has been. */
	octets = fetch_bodies_take(&first, 5, 1300, 500, &block);
	for (unsigned id = 10; id < 30; id++) {
		assert_taken(&second, 5, 0, 10);
		keep(&cache, &first, id, 0, 1000, 0);
	}
	assert_true(cache.octets <= 20000);
	assert_false(fetch_bodies_cover(&first, 5, 1300, 1));
	assert_false(fetch_bodies_know(&first, 5, &header_length, &parts));
	assert_taken(&first, 29, 0, 1000);
	assert_int_equal(octets.at[499], (uint8_t)(5 + 1799));
	fetch_block_release(octets.at, octets.length, block);

	/* What nobody wants goes after a while, and all with the state. */
	octets = fetch_bodies_take(&first, 29, 0, 1000, &block);
	first.extras[STATE_BODIES]->on_gone(first.extras[STATE_BODIES]);
	assert_int_equal(octets.at[7], 29 + 7);
	fetch_block_release(octets.at, octets.length, block);
	for (unsigned i = 0; i < 3; i++)
		state_cache_sweep(&cache);
	assert_int_equal(cache.octets, 0);
	assert_false(fetch_bodies_cover(&second, 5, 0, 1));
	second.extras[STATE_BODIES]->on_gone(second.extras[STATE_BODIES]);
}

/* However the pieces come and lie over each other, what is covered is taken as it is. */
static void
test_bodies_in_any_order(void **state_ignored)
{
	enum { OCTETS = 3000, PIECES = 400 };
	uint8_t is_there[OCTETS] = { 0 };
	struct state state = { 0 };
	struct state_cache cache;
	uint32_t drawn = 1;

	(void)state_ignored;
	state_cache_init(&cache, 10000000, 2);
	for (unsigned i = 0; i < PIECES; i++) {
		size_t at = (drawn = drawn * 1103515245 + 12345) / 65536 % (OCTETS - 50);
		size_t length = (drawn = drawn * 1103515245 + 12345) / 65536 % 50 + 1, covered = 0;

		keep(&cache, &state, 5, at, length, 0);
		memset(is_there + at, 1, is_there[at] ? 0 : length);
		at = (drawn = drawn * 1103515245 + 12345) / 65536 % OCTETS;
		while (at + covered < OCTETS && is_there[at + covered])
			covered++;
		assert_taken(&state, 5, at, covered);
		assert_false(fetch_bodies_cover(&state, 5, at, covered + 1));
	}
	state.extras[STATE_BODIES]->on_gone(state.extras[STATE_BODIES]);
}

/* Who reads octet by octet gets a part of that from memory: looking for one among all of them would take longer and longer. */
static void
test_bodies_of_many_pieces(void **state_ignored)
{
	struct state state = { 0 };
	struct state_cache cache;
	size_t kept = 0;

	(void)state_ignored;
	state_cache_init(&cache, 10000000, 2);
	for (uint64_t at = 0; at < 5000; at++)
		keep(&cache, &state, 5, at, 1, 0);
	for (uint64_t at = 0; at < 5000; at++)
		kept += fetch_bodies_cover(&state, 5, at, 1);
	assert_int_equal(kept, 1024);
	assert_taken(&state, 5, 0, kept);
	keep(&cache, &state, 6, 0, 10, 0);
	assert_taken(&state, 6, 0, 10);
	state.extras[STATE_BODIES]->on_gone(state.extras[STATE_BODIES]);
}

enum { SENT = 1000 };

static void *
release_sent(void *block)
{
	for (unsigned i = 0; i < SENT; i++)
		fetch_block_release(NULL, 0, block);
	return NULL;
}

/* A worker that deflates lets go of what it has read, while the loop sends it to others: ThreadSanitizer looks on. */
static void
test_bodies_let_go_by_workers(void **state_ignored)
{
	struct state state = { 0 };
	struct state_cache cache;
	struct fetch_block *block;
	pthread_t worker;

	(void)state_ignored;
	state_cache_init(&cache, 10000000, 2);
	keep(&cache, &state, 5, 0, 1000, 0);
	for (unsigned i = 0; i < SENT; i++)
		fetch_bodies_take(&state, 5, 0, 1000, &block);
	assert_int_equal(pthread_create(&worker, NULL, release_sent, block), 0);
	for (unsigned i = 0; i < SENT; i++)
		assert_taken(&state, 5, 0, 1000);
	state.extras[STATE_BODIES]->on_gone(state.extras[STATE_BODIES]);
	assert_int_equal(pthread_join(worker, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_places),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_added_flags),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_bodies_in_any_order),
		cmocka_unit_test(test_bodies_of_many_pieces),
		cmocka_unit_test(test_bodies_let_go_by_workers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
