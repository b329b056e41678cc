/*
 * APPEND with a window: batches that were filled, sent and not yet answered stand in one list, and an
 * answer finds its batch by the tag (RFC 9051 section 5.5).
 */
#include "appender.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "imap/date.h"
#include "imap/writer.h"

#define BATCH_MESSAGES	50
#define BATCH_OCTETS	((size_t)1 << 20)
#define WINDOW_BATCHES	4
#define WINDOW_OCTETS	((size_t)8 << 20)
#define ANSWER_TIMEOUT_MS (10 * 60 * 1000)
#define REPLY_LINE_MAX	65536

struct item {
	struct buffer octets, keywords, origin;
	struct imap_date_time date;
	bool has_date;
	unsigned flags;
};

struct batch {
	struct list link;
	struct buffer mailbox;
	struct item items[BATCH_MESSAGES];
	size_t count, octets;
	uint32_t tag;
};

struct appender {
	int descriptor;
	struct batch *filling;		/* NULL: none */
	struct list sent;		/* struct batch, not answered yet */
	size_t sent_count, sent_octets;
	struct buffer out, in;
	size_t out_done;		/* octets at the front of out that are written */
	uint32_t next_tag;
	uint64_t confirmed;
	struct buffer last_mailbox;	/* known to be there */
	struct buffer trouble;
	appender_refused *on_refused;
	void *context;
};

static void
batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		buffer_free(&batch->items[i].octets);
		buffer_free(&batch->items[i].keywords);
		buffer_free(&batch->items[i].origin);
	}
	buffer_free(&batch->mailbox);
	free(batch);
}

struct appender *
appender_new(int descriptor, appender_refused *on_refused, void *context)
{
	struct appender *appender = NEW(struct appender);

	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	appender->descriptor = descriptor;
	appender->on_refused = on_refused;
	appender->context = context;
	list_init(&appender->sent);
	return appender;
}

void
appender_free(struct appender **appender)
{
	struct list *link;

	if (*appender == NULL)
		return;
	close((*appender)->descriptor);
	while ((link = list_pop_front(&(*appender)->sent)) != NULL)
		batch_free(LIST_ENTRY(link, struct batch, link));
	if ((*appender)->filling != NULL)
		batch_free((*appender)->filling);
	buffer_free(&(*appender)->out);
	buffer_free(&(*appender)->in);
	buffer_free(&(*appender)->last_mailbox);
	buffer_free(&(*appender)->trouble);
	free(*appender);
	*appender = NULL;
}

uint64_t
appender_count(const struct appender *appender)
{
	return appender->confirmed;
}

const char *
appender_trouble(struct appender *appender)
{
	return buffer_string(&appender->trouble);
}

static bool
lose(struct appender *appender, const char *why)
{
	if (appender->trouble.length == 0)
		buffer_add_string(&appender->trouble, why);
	return false;
}

/* Without its CRLF; modified UTF-7 is printable ASCII, so quoting is enough. */
static void
add_quoted(struct buffer *out, struct span text)
{
	buffer_add_octet(out, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, text.at[i]);
	}
	buffer_add_octet(out, '"');
}

static void
add_flags(struct buffer *out, unsigned flags, struct span keywords)
{
	static const char *const names[] = { "\\Answered", "\\Flagged", "\\Deleted", "\\Seen",
		"\\Draft", "$Forwarded" };
	const char *space = "";

	buffer_add_octet(out, '(');
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if ((flags & (1u << i)) == 0)
			continue;
		buffer_add_string(out, space);
		buffer_add_string(out, names[i]);
		space = " ";
	}
	if (keywords.length > 0)
		buffer_add_string(out, space);
	buffer_add_span(out, keywords);
	buffer_add_string(out, ") ");
}

/* NUL may stand in literal8 alone: RFC 9051 section 9. */
static void
add_item(struct buffer *out, const struct item *item)
{
	struct span octets = buffer_span(&item->octets);
	bool has_nul = span_find(octets, 0) < octets.length;

	buffer_add_octet(out, ' ');
	if (item->flags != 0 || item->keywords.length > 0)
		add_flags(out, item->flags, buffer_span(&item->keywords));
	if (item->has_date) {
		imap_date_time_write(out, item->date);
		buffer_add_octet(out, ' ');
	}
	buffer_printf(out, "%s{%zu+}\r\n", has_nul ? "~" : "", octets.length);
	buffer_add_span(out, octets);
}

/* Put the command for a batch behind what waits to be written, and the batch into the list. */
static void
send_batch(struct appender *appender, struct batch *batch)
{
	struct buffer *out = &appender->out;

	batch->tag = ++appender->next_tag;
	buffer_printf(out, "a%u APPEND ", batch->tag);
	add_quoted(out, buffer_span(&batch->mailbox));
	for (size_t i = 0; i < batch->count; i++)
		add_item(out, &batch->items[i]);
	buffer_add_string(out, "\r\n");
	list_push_back(&appender->sent, &batch->link);
	appender->sent_count++;
	appender->sent_octets += batch->octets;
}

/* The answers have tags of another kind and are not waited for: an APPEND behind it shows all. */
static void
ensure_mailbox(struct appender *appender, struct span mailbox)
{
	static const char *const commands[] = { "c CREATE ", "c SUBSCRIBE " };

	if (span_equals(mailbox, buffer_span(&appender->last_mailbox)))
		return;
	buffer_clear(&appender->last_mailbox);
	buffer_add_span(&appender->last_mailbox, mailbox);
	if (span_equals_nocase(mailbox, SPAN("INBOX")))
		return;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		buffer_add_string(&appender->out, commands[i]);
		add_quoted(&appender->out, mailbox);
		buffer_add_string(&appender->out, "\r\n");
	}
}

static struct batch *
batch_new(struct span mailbox)
{
	struct batch *batch = NEW(struct batch);

	list_init(&batch->link);
	buffer_add_span(&batch->mailbox, mailbox);
	return batch;
}

/* Hand an item over from where it was. */
static void
batch_take(struct batch *batch, struct item *item)
{
	batch->octets += item->octets.length;
	batch->items[batch->count++] = *item;
	*item = (struct item){ 0 };
}

/* Send the messages of a refused command one by one, so that only the bad ones stay out. */
static void
split(struct appender *appender, struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch *single = batch_new(buffer_span(&batch->mailbox));

		batch_take(single, &batch->items[i]);
		send_batch(appender, single);
	}
}

static struct batch *
find_batch(const struct appender *appender, struct span tag)
{
	uint64_t number;

	if (!span_to_number(tag, UINT32_MAX, &number))
		return NULL;
	LIST_FOREACH(&appender->sent, link) {
		struct batch *batch = LIST_ENTRY(link, struct batch, link);

		if (batch->tag == number)
			return batch;
	}
	return NULL;
}

static void
on_answer(struct appender *appender, struct batch *batch, struct span rest)
{
	list_remove(&batch->link);
	appender->sent_count--;
	appender->sent_octets -= batch->octets;
	if (span_starts_with(rest, SPAN("OK ")))
		appender->confirmed += batch->count;
	else if (batch->count > 1)
		split(appender, batch);
	else
		appender->on_refused(buffer_span(&batch->items[0].origin), rest, appender->context);
	batch_free(batch);
}

static bool
on_line(struct appender *appender, struct span line)
{
	size_t space = span_find(line, ' ');
	struct batch *batch;

	if (span_starts_with(line, SPAN("* BYE"))) {
		buffer_add_string(&appender->trouble, "the server said: ");
		buffer_add_span(&appender->trouble, span_from(line, 2));
		return false;
	}
	if (line.length == 0 || line.at[0] != 'a')	/* untagged, or about CREATE */
		return true;
	batch = find_batch(appender, span_slice(line, 1, space - 1));
	if (batch == NULL)
		return lose(appender, "the server's answer does not fit the question");
	on_answer(appender, batch, span_from(line, space + 1));
	return true;
}

static bool
take_lines(struct appender *appender)
{
	struct span input = buffer_span(&appender->in);
	size_t end, done = 0;

	while ((end = span_find(span_from(input, done), '\n')) < input.length - done) {
		struct span line = span_slice(input, done, end);

		if (line.length > 0 && line.at[line.length - 1] == '\r')
			line.length--;
		if (!on_line(appender, line))
			return false;
		done += end + 1;
	}
	buffer_consume(&appender->in, done);
	return appender->in.length < REPLY_LINE_MAX ||
	    lose(appender, "the server's answer has no end");
}

static bool
receive(struct appender *appender)
{
	ssize_t got = recv(appender->descriptor, buffer_reserve(&appender->in, 16384), 16384, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got < 0)
		return lose(appender, strerror(errno));
	if (got == 0)
		return lose(appender, "the server ended the connection");
	appender->in.length += (size_t)got;
	return take_lines(appender);
}

static bool
transmit(struct appender *appender)
{
	struct span rest = span_from(buffer_span(&appender->out), appender->out_done);
	ssize_t sent = send(appender->descriptor, rest.at, rest.length, MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (sent < 0)
		return lose(appender, strerror(errno));
	appender->out_done += (size_t)sent;
	if (appender->out_done == appender->out.length) {
		buffer_clear(&appender->out);
		appender->out_done = 0;
	}
	return true;
}

/* Write and read once, when the socket is ready for it. */
static bool
step(struct appender *appender)
{
	struct pollfd wait = { .fd = appender->descriptor, .events = POLLIN };
	int ready;

	if (appender->out.length > 0)
		wait.events |= POLLOUT;
	ready = poll(&wait, 1, ANSWER_TIMEOUT_MS);
	if (ready < 0 && errno == EINTR)
		return true;
	if (ready <= 0)
		return lose(appender, ready == 0 ? "the server does not answer" : strerror(errno));
	if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(appender))
		return false;
	return (wait.revents & POLLOUT) == 0 || appender->out.length == 0 || transmit(appender);
}

/* Wait until no more than so much is under way. */
static bool
wait_for_window(struct appender *appender, size_t batches, size_t octets)
{
	while (appender->sent_count > batches || appender->sent_octets > octets) {
		if (!step(appender))
			return false;
	}
	return true;
}

static bool
flush(struct appender *appender)
{
	struct batch *batch = appender->filling;

	if (batch == NULL)
		return true;
	appender->filling = NULL;
	ensure_mailbox(appender, buffer_span(&batch->mailbox));
	send_batch(appender, batch);
	return wait_for_window(appender, WINDOW_BATCHES, WINDOW_OCTETS);
}

static bool
fits(const struct batch *batch, struct span mailbox, size_t octets)
{
	return span_equals(buffer_span(&batch->mailbox), mailbox) &&
	    batch->count < BATCH_MESSAGES && batch->octets + octets <= BATCH_OCTETS;
}

bool
appender_add(struct appender *appender, struct span mailbox, struct message *message)
{
	struct item item = { .octets = message->octets, .flags = message->flags,
		.has_date = message->has_date, .date = { message->date_s, 0 } };

	if (appender->filling != NULL && !fits(appender->filling, mailbox, item.octets.length) &&
	    !flush(appender))
		return false;
	if (appender->filling == NULL)
		appender->filling = batch_new(mailbox);
	message->octets = (struct buffer){ 0 };
	buffer_add_span(&item.keywords, buffer_span(&message->keywords));
	buffer_add_span(&item.origin, buffer_span(&message->origin));
	batch_take(appender->filling, &item);
	return true;
}

bool
appender_finish(struct appender *appender)
{
	return flush(appender) && wait_for_window(appender, 0, 0);
}
