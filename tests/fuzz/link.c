/*
 * What a cas says on the link when it carries a session or moves or renames a user, of any octets: the mailbox role answers
 * in lines, ends when the cas does, and goes on.  What it takes for a carried session says nothing to the client that a
 * session could not say.
 *
 * Inputs are lines.  The first octet chooses:
 *
 *	's' (or any other) and the text of a session of alice: mailbox/session/carried.h; in it "@" stands for the UIDVALIDITY
 *	    of INBOX
 *	'm' and words of a wish: op, name, what else; then lines to say, where "@" at the beginning stands for pages of a user's
 *	    file: behind it the number of the first one, how many, and octets that the last one begins with instead
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/config.h"
#include "directory/directory.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "mailbox/mailbox.h"
#include "net/stream.h"
#include "store/mark.h"
#include "store/message.h"
#include "store/pages.h"

#define PATIENCE_MS  60000
#define RUNS	     300	/* of one role: moves leave rows in its directory */
#define MESSAGES     5
#define MOVE_ID	     "0123456789abcdef0123456789abcdef"
#define FRAME_PAGES  60

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static struct world {
	char folder[64];
	unsigned runs;
	struct loop *loop;
	struct workers *storage, *compute;
	struct config config;
	struct directory *directory;
	struct mailbox_role *role;
	struct timer patience;
	bool is_stopped;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* of alice */
	uint32_t uidvalidity;		/* of INBOX */
	struct buffer pages;		/* of a file */
} world;

struct client {
	struct stream *stream;
	struct buffer in;
	bool has_ended;
};

static void
must(bool is_good)
{
	if (!is_good)
		abort();
}

/* ---- the role --------------------------------------------------------------------------------------------- */

static void
on_patience_over(void *context)
{
	(void)context;
	abort();
}

static void
drop_line(enum log_level level, struct span line, void *context)
{
	(void)level;
	(void)line;
	(void)context;
}

static void
remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", world.folder);
	must(world.folder[0] == '\0' || system(command) == 0);
}

static void
append(struct store *store, uint64_t mailbox_id)
{
	struct span piece = SPAN("Subject: x\r\n\r\ntext\r\n");

	must(store_append(store, mailbox_id, &(struct store_arrival){ .pieces = &piece, .piece_count = 1, .header_length = 14,
	    .flags = STORE_FLAG_SEEN, .envelope = SPAN("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)") }, NULL) == STORE_OK);
}

/* Messages 1 to 5, of which the third is gone; a mark, as the role would have written it. */
static void
fill(const char *mailbox_id)
{
	struct buffer path = { 0 };
	struct arena *arena = arena_new();
	struct store *store = NULL;
	struct store_mailbox inbox;
	uint32_t gone = 3, expunged;
	uint64_t modseq;
	size_t count;

	buffer_printf(&path, "mkdir -p %s/data/%.2s/%s", world.folder, mailbox_id, mailbox_id);
	must(system(buffer_string(&path)) == 0);
	buffer_clear(&path);
	buffer_printf(&path, "%s/data/%.2s/%s/mail.db", world.folder, mailbox_id, mailbox_id);
	must(store_open(buffer_string(&path), true, &store) == STORE_OK && store_begin(store, STORE_DURABLE) == STORE_OK);
	must(store_mailbox_find(store, SPAN("INBOX"), arena, &inbox) == STORE_OK);
	for (unsigned i = 0; i < MESSAGES; i++)
		append(store, inbox.id);
	must(store_expunge(store, inbox.id, &gone, 1, NULL, &expunged, &count, &modseq) == STORE_OK);
	must(store_end(store, STORE_OK) == STORE_OK && store_close(&store) == STORE_OK);
	world.uidvalidity = inbox.uidvalidity;
	arena_free(&arena);
	buffer_free(&path);
}

/* A file of somebody who moves here. */
static void
make_pages(void)
{
	char path[128];
	struct store *store = NULL;
	int descriptor;
	off_t size;

	snprintf(path, sizeof path, "%s/other/mail.db", world.folder);
	must(store_open(path, true, &store) == STORE_OK && store_close(&store) == STORE_OK);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	size = lseek(descriptor, 0, SEEK_END);
	buffer_clear(&world.pages);
	must(size > 0 && pread(descriptor, buffer_reserve(&world.pages, (size_t)size), (size_t)size, 0) == size);
	world.pages.length = (size_t)size;
	close(descriptor);
}

static void
make_users(void)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	char path[128];

	snprintf(path, sizeof path, "%s/directory.db", world.folder);
	must(directory_open_sqlite(path, &world.directory) == DIRECTORY_OK);
	must(directory_add(world.directory, SPAN("alice"), SPAN("secret")) == DIRECTORY_OK);
	must(directory_lookup(world.directory, SPAN("alice"), arena, &user) == DIRECTORY_OK);
	memcpy(world.mailbox_id, user.mailbox_id, sizeof world.mailbox_id);
	fill(world.mailbox_id);
	arena_free(&arena);
}

static void
begin(void)
{
	const char *where = getenv("TMPDIR");
	struct mailbox_parts parts;
	char *error = NULL;

	snprintf(world.folder, sizeof world.folder, "%s/fuzz-link.XXXXXX", where == NULL ? "/tmp" : where);
	must(mkdtemp(world.folder) != NULL);
	make_users();
	make_pages();
	world.loop = loop_new();
	timer_init(&world.patience, world.loop, on_patience_over, NULL);
	world.storage = workers_new(world.loop, "storage", 1);
	world.compute = workers_new(world.loop, "compute", 1);
	world.config = (struct config){ .hostname = (char *)"test", .data_directory = world.folder,
		.namespace_others = (char *)"Others", .namespace_shared = (char *)"Shared",
		.max_command_size_octets = 65536, .idle_timeout_s = 1800, .command_cpu_limit_ms = 60000,
		.message_size_limit_octets = 1 << 20, .open_databases = 2 };
	parts = (struct mailbox_parts){ .loop = world.loop, .storage = world.storage, .compute = world.compute,
		.directory = world.directory, .config = &world.config };
	must((world.role = mailbox_role_new(&parts, &error)) != NULL);
	world.is_stopped = false;
	world.runs = 0;
}

static void
on_stopped(void *context)
{
	(void)context;
	world.is_stopped = true;
}

static void
turn_until(const bool *is_over)
{
	timer_start_ms(&world.patience, PATIENCE_MS);
	while (!*is_over)
		loop_turn(world.loop, true);
	timer_stop(&world.patience);
}

static void
end(void)
{
	if (world.role == NULL)
		return;
	mailbox_role_stop(world.role, on_stopped, NULL);
	turn_until(&world.is_stopped);
	mailbox_role_free(&world.role);
	workers_free(&world.storage);
	workers_free(&world.compute);
	loop_free(&world.loop);
	directory_close(&world.directory);
	remove_folder();
}

/* ---- a cas ------------------------------------------------------------------------------------------------ */

static void
on_input(struct stream *stream, void *context)
{
	struct client *client = context;

	while (stream_has_input(stream)) {
		struct span input = stream_input(stream);

		buffer_add_span(&client->in, input);
		stream_consume(stream, input.length);
	}
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	((struct client *)context)->has_ended = true;
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
client_open(struct client *client)
{
	struct stream *server;

	*client = (struct client){ .stream = NULL };
	stream_pair(world.loop, &client->stream, &server);
	stream_set_events(client->stream, &events, client);
	mailbox_role_accept(world.role, server);
}

/* Say that there is no more, and wait for the other end to do so. */
static void
client_end(struct client *client)
{
	stream_end_output(client->stream);
	turn_until(&client->has_ended);
}

static void
client_fini(struct client *client)
{
	stream_free(&client->stream);
	buffer_free(&client->in);
}

static void
add_authenticate(struct buffer *said, const char *mechanism, struct span message)
{
	buffer_printf(said, "L2 AUTHENTICATE %s ", mechanism);
	base64_encode(message, said);
	buffer_add_string(said, "\r\n");
}

/* ---- sessions --------------------------------------------------------------------------------------------- */

static bool
is_line_of_server(struct span line, bool may_be_idle)
{
	static const struct span begins[] = { SPAN("* "), SPAN("+ "), SPAN("L2 "), SPAN("a1 "), SPAN("a2 "), SPAN("a3 "), SPAN("a4 "),
		SPAN("a5 "), SPAN("a6 ") };

	for (size_t i = 0; i < COUNT_OF(begins); i++)
		if (span_starts_with(line, begins[i]))
			return true;
	return may_be_idle && span_find(line, ' ') > 0 && span_find(line, ' ') < line.length;
}

/* One line may have a tag that we do not know: that of IDLE. */
static void
check_lines(struct span said)
{
	unsigned strange = 0;

	while (said.length > 0) {
		size_t end = span_find(said, '\n');
		struct span line = span_slice(said, 0, end);

		assert(end < said.length && end > 0 && said.at[end - 1] == '\r');
		if (!is_line_of_server(line, false)) {
			assert(is_line_of_server(line, true));
			strange++;
		}
		said = span_from(said, end + 1);
	}
	assert(strange <= 1);
}

static void
carry(struct span text)
{
	struct buffer message = { 0 }, said = { 0 };
	struct client client;

	buffer_add(&message, "alice\0session 1\naccount ", 24);
	base64_encode(span_from_string(world.mailbox_id), &message);
	buffer_add_octet(&message, '\n');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '@')
			buffer_add_number(&message, world.uidvalidity);
		else
			buffer_add_octet(&message, text.at[i]);
	}
	add_authenticate(&said, "X-IMAPD-CARRY", buffer_span(&message));
	buffer_add_string(&said, "DONE\r\na1 NOOP\r\na2 UID FETCH 1:* (FLAGS)\r\na3 UID SEARCH RETURN (COUNT) UID $\r\n"
	    "a4 UID STORE 1:* (UNCHANGEDSINCE 4) +FLAGS (\\Seen)\r\na5 FETCH 1:* (UID MODSEQ)\r\na6 LOGOUT\r\n");
	client_open(&client);
	stream_write(client.stream, buffer_span(&said));
	client_end(&client);
	if (memmem(text.at, text.length, "deflate", 7) == NULL)
		check_lines(buffer_span(&client.in));
	client_fini(&client);
	buffer_free(&message);
	buffer_free(&said);
}

/* ---- users ------------------------------------------------------------------------------------------------ */

static struct span
take_line(struct span *rest, uint8_t separator)
{
	struct span line = span_slice(*rest, 0, span_find(*rest, separator));

	*rest = span_from(*rest, line.length + 1);
	return line;
}

static void
add_wish(struct buffer *said, struct span words)
{
	struct buffer message = { 0 };

	for (size_t i = 0; words.length > 0; i++) {
		struct span word = take_line(&words, ' ');

		buffer_add_octet(&message, 0);
		buffer_add_span(&message, word);
		if (i == 1)
			buffer_add(&message, "\0" MOVE_ID, 1 + strlen(MOVE_ID));
	}
	add_authenticate(said, "X-IMAPD-MOVE", buffer_span(&message));
	buffer_free(&message);
}

/* Page after page, in one piece. */
static void
add_pages(struct buffer *said, struct span order)
{
	size_t count = world.pages.length / STORE_PAGE_OCTETS;
	size_t first = order.length > 0 ? order.at[0] % count : 0, pages = order.length > 1 ? order.at[1] % FRAME_PAGES + 1 : FRAME_PAGES;
	struct span patch = span_from(order, 2);

	pages = pages < count - first ? pages : count - first;
	buffer_printf(said, "data %zu\r\n", pages * STORE_PAGE_RECORD);
	for (size_t i = first; i < first + pages; i++) {
		buffer_add(said, (uint8_t[]){ 0, 0, 0, (uint8_t)(i + 1) }, 4);
		buffer_add_span(said, span_slice(buffer_span(&world.pages), i * STORE_PAGE_OCTETS, STORE_PAGE_OCTETS));
	}
	memcpy(said->at + said->length - STORE_PAGE_OCTETS, patch.at, patch.length < STORE_PAGE_OCTETS ? patch.length : STORE_PAGE_OCTETS);
}

/* Whether a line ends what was said before: the others are pages and facts. */
static bool
is_answer(struct span line)
{
	static const struct span words[] = { SPAN("L2 "), SPAN("ok"), SPAN("no "), SPAN("copied "), SPAN("frozen"), SPAN("busy"),
		SPAN("prepared"), SPAN("yielded"), SPAN("done") };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (span_starts_with(line, words[i]))
			return true;
	return false;
}

/* Take a line off what has come, with the octets that it announces.  False: it has not come yet. */
static bool
take_said(struct client *client, bool *is_answer_out)
{
	struct span in = buffer_span(&client->in), line = span_slice(in, 0, span_find(in, '\n'));
	uint64_t octets = 0;

	if (line.length == in.length)
		return false;
	if (span_starts_with(line, SPAN("data ")))
		must(span_to_number(span_without_line_end(span_from(line, 5)), SIZE_MAX, &octets));
	if (in.length - line.length - 1 < octets)
		return false;
	*is_answer_out = is_answer(line);
	buffer_consume(&client->in, line.length + 1 + (size_t)octets);
	return true;
}

static void
await_answer(struct client *client)
{
	bool has_come = false;

	timer_start_ms(&world.patience, PATIENCE_MS);
	while (!has_come && !client->has_ended)
		if (!take_said(client, &has_come))
			loop_turn(world.loop, true);
	timer_stop(&world.patience);
}

static void
say_line(struct client *client, struct span line)
{
	struct buffer said = { 0 };
	bool is_pages = line.length > 0 && line.at[0] == '@';

	if (is_pages) {
		add_pages(&said, span_from(line, 1));
	} else {
		buffer_add_span(&said, line);
		buffer_add_string(&said, "\r\n");
	}
	stream_write(client->stream, buffer_span(&said));
	if (!is_pages)
		await_answer(client);
	buffer_free(&said);
}

static void
order(struct span wish, struct span lines)
{
	struct buffer said = { 0 };
	struct client client;

	client_open(&client);
	add_wish(&said, wish);
	stream_write(client.stream, buffer_span(&said));
	await_answer(&client);		/* L2 OK; what the wish itself is answered with has not come yet */
	if (!client.has_ended)
		await_answer(&client);
	while (lines.length > 0 && !client.has_ended)
		say_line(&client, take_line(&lines, '\n'));
	client_end(&client);
	client_fini(&client);
	buffer_free(&said);
}

/* Take back what an order has begun, so that the next input finds everybody where they were. */
static void
take_back(struct span wish)
{
	static const char *const ops[] = { "stay %.*s", "drop %.*s", "rename-not %.*s other -" };
	struct span name;

	(void)take_line(&wish, ' ');
	name = take_line(&wish, ' ');
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		struct buffer words = { 0 };

		buffer_printf(&words, ops[i], SPAN_ARGS(name));
		order(buffer_span(&words), SPAN(""));
		buffer_free(&words);
	}
}

int
LLVMFuzzerInitialize(int *count, char ***words)
{
	(void)count;
	(void)words;
	log_set_sink(drop_line, NULL);
	atexit(remove_folder);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct span rest = span_of(octets, size), wish;

	if (size == 0)
		return 0;
	if (world.role != NULL && world.runs++ == RUNS)
		end();
	if (world.role == NULL)
		begin();
	rest = span_from(rest, 1);
	if (octets[0] != 'm') {
		carry(rest);
	} else {
		wish = take_line(&rest, '\n');
		order(wish, rest);
		take_back(wish);
	}
	return 0;
}
