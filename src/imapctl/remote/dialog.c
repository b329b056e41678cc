/*
 * Replies are cut from what comes in: a line, or several with literals between them (RFC 9051 section 4.3).
 */
#include "dialog.h"

#include <assert.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "base/memory.h"

#define LINE_OCTETS_MAX	((size_t)64 << 20)	/* between two literals: a SEARCH over millions of messages is one line */
#define REPLY_OCTETS_MAX ((uint64_t)64 << 20)	/* lines and literals, beside the one that may be as long as a taker says */
#define KEPT_OCTETS_MAX	((uint64_t)1 << 30)	/* of one literal where there is no taker */
#define LISTENERS_MAX 8
#define TAKEN_MAX 64
#define SENT_OCTETS_MAX ((size_t)1 << 20)	/* kept at the front of out before it is moved up */

struct listener {
	uint8_t first;
	dialog_listener *call;
	void *context;
};

struct dialog {
	struct connection *connection;
	struct buffer out, in;
	size_t out_done;	/* octets at the front of out that are written */
	size_t begin;		/* of the reply at the front of in, behind those that were handed over */
	size_t scanned;		/* octets of it that are known to belong to it */
	size_t searched;	/* octets behind those that hold no line end */
	uint64_t kept;		/* octets of literals in it */
	uint64_t taking;	/* octets of a literal still to come, behind scanned, that go to the taker */
	size_t taken[TAKEN_MAX];	/* where literals were taken out of it */
	size_t taken_count;
	struct dialog_taker taker;
	bool has_taker;
	bool expects_bye;	/* LOGOUT was sent */
	bool is_paused;
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct listener on_stray;
	struct buffer trouble;
};

struct dialog *
dialog_new(struct connection *connection)
{
	struct dialog *dialog = NEW(struct dialog);

	dialog->connection = connection;
	return dialog;
}

void
dialog_free(struct dialog **dialog)
{
	if (*dialog == NULL)
		return;
	connection_free(&(*dialog)->connection);
	buffer_free(&(*dialog)->out);
	buffer_free(&(*dialog)->in);
	buffer_free(&(*dialog)->trouble);
	free(*dialog);
	*dialog = NULL;
}

struct connection *
dialog_connection(struct dialog *dialog)
{
	return dialog->connection;
}

void
dialog_listen(struct dialog *dialog, uint8_t first, dialog_listener *listener, void *context)
{
	size_t i = 0;

	while (i < dialog->listener_count && dialog->listeners[i].first != first)
		i++;
	assert(i < LISTENERS_MAX);
	if (i == dialog->listener_count)
		dialog->listener_count++;
	dialog->listeners[i] = (struct listener){ first, listener, context };
}

void
dialog_on_stray(struct dialog *dialog, dialog_listener *listener, void *context)
{
	dialog->on_stray = (struct listener){ 0, listener, context };
}

void
dialog_set_taker(struct dialog *dialog, const struct dialog_taker *taker)
{
	dialog->has_taker = taker != NULL;
	if (taker != NULL)
		dialog->taker = *taker;
}

struct imap_reply_text
dialog_text(const struct dialog *dialog, struct span reply)
{
	return (struct imap_reply_text){ reply, dialog->taken, dialog->taken_count };
}

struct buffer *
dialog_out(struct dialog *dialog)
{
	return &dialog->out;
}

void
dialog_wipe_out(struct dialog *dialog)
{
	if (dialog->out.length == 0 && dialog->out.at != NULL)
		memory_wipe(dialog->out.at, dialog->out.capacity);
}

void
dialog_expect_bye(struct dialog *dialog)
{
	dialog->expects_bye = true;
}

void
dialog_pause(struct dialog *dialog)
{
	dialog->is_paused = true;
}

int
dialog_start_tls(struct dialog *dialog, struct buffer *trouble_out)
{
	dialog->is_paused = false;
	if (dialog->in.length > 0) {
		buffer_add_string(trouble_out, "the server, or somebody in between, sends more in plain text behind STARTTLS");
		return EX_PROTOCOL;
	}
	return connection_start_tls(dialog->connection, trouble_out);
}

void
dialog_start_deflate(struct dialog *dialog)
{
	dialog->is_paused = false;
	connection_start_deflate(dialog->connection, buffer_span(&dialog->in));
	buffer_clear(&dialog->in);
}

bool
dialog_lose(struct dialog *dialog, const char *why)
{
	if (dialog->trouble.length == 0)
		buffer_add_string(&dialog->trouble, why);
	return false;
}

const char *
dialog_trouble(struct dialog *dialog)
{
	return buffer_string(&dialog->trouble);
}

/* The size of the literal that a line announces at its end, "{42}"; false if it announces none. */
static bool
announces(struct span line, uint64_t *size_out)
{
	size_t digits = 0;

	if (line.length < 3 || line.at[line.length - 1] != '}')
		return false;
	while (digits + 1 < line.length && ascii_is_digit(line.at[line.length - 2 - digits]))
		digits++;
	return digits + 1 < line.length && line.at[line.length - 2 - digits] == '{' &&
	    span_to_number(span_slice(line, line.length - 1 - digits, digits), INT64_MAX, size_out);
}

/* Texts for people end as they like: only "*" has literals, and not where it says how things are. */
static bool
may_have_literals(struct span reply)
{
	static const char *const texts[] = { "* OK ", "* NO ", "* BAD ", "* BYE ", "* PREAUTH " };

	if (!span_starts_with(reply, SPAN("* ")))
		return false;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (span_starts_with_nocase(reply, span_from_string(texts[i])))
			return false;
	return true;
}

/* What has come of the reply at the front. */
static struct span
front(const struct dialog *dialog)
{
	return span_from(buffer_span(&dialog->in), dialog->begin);
}

/* Give the octets of a literal that have come to the taker, and take them out of in; false when it makes no sense. */
static bool
take(struct dialog *dialog)
{
	struct span octets = span_from(front(dialog), dialog->scanned);
	size_t behind = dialog->begin + dialog->scanned;
	bool is_alive = true;

	if (octets.length > dialog->taking)
		octets = span_slice(octets, 0, (size_t)dialog->taking);
	if (octets.length == 0)
		return true;
	if (dialog->has_taker && dialog->taker.on_octets != NULL)
		is_alive = dialog->taker.on_octets(octets, dialog->taker.context);
	dialog->taking -= octets.length;
	dialog->in.length -= octets.length;
	memmove(dialog->in.at + behind, dialog->in.at + behind + octets.length, dialog->in.length - behind);
	return is_alive;
}

/* A literal has been announced: it stays in its reply, or goes to the taker.  False: it is too long for either. */
static bool
begin_literal(struct dialog *dialog, uint64_t size)
{
	struct dialog_taker *taker = &dialog->taker;

	if (size <= (dialog->has_taker ? taker->kept_octets : KEPT_OCTETS_MAX)) {
		dialog->kept += size;
		if (dialog->kept > (dialog->has_taker ? taker->kept_octets : KEPT_OCTETS_MAX) + REPLY_OCTETS_MAX)
			return dialog_lose(dialog, "the server's answer has no end");
		dialog->scanned += (size_t)size;
		return true;
	}
	if (!dialog->has_taker || dialog->taken_count == TAKEN_MAX)
		return dialog_lose(dialog, "the server sends more than can be taken");
	dialog->taken[dialog->taken_count++] = dialog->scanned;
	if (taker->on_literal != NULL)
		taker->on_literal(span_slice(front(dialog), 0, dialog->scanned), size, taker->context);
	dialog->taking = size;
	return take(dialog);
}

enum found { FOUND_END, FOUND_NONE, FOUND_NONSENSE };

/*
 * Find the end of the reply that begins at the front: *length_out octets, line end included.
 */
static enum found
find_end(struct dialog *dialog, size_t *length_out)
{
	for (;;) {
		struct span rest, line;
		uint64_t size;
		size_t lf;

		if (dialog->taking > 0 || front(dialog).length <= dialog->scanned)
			return FOUND_NONE;
		rest = span_from(front(dialog), dialog->scanned);
		lf = dialog->searched + span_find(span_from(rest, dialog->searched), '\n');
		if (lf == rest.length) {
			dialog->searched = lf;
			return lf > LINE_OCTETS_MAX && !dialog_lose(dialog, "the server's answer has no end") ?
			    FOUND_NONSENSE : FOUND_NONE;
		}
		dialog->searched = 0;
		line = span_without_line_end(span_slice(rest, 0, lf + 1));
		dialog->scanned += lf + 1;
		if (!announces(line, &size) || !may_have_literals(front(dialog))) {
			*length_out = dialog->scanned;
			return FOUND_END;
		}
		if (!begin_literal(dialog, size))
			return FOUND_NONSENSE;
	}
}

static bool
hand_over(struct dialog *dialog, struct span reply)
{
	if (span_starts_with_nocase(reply, SPAN("* BYE")) && !dialog->expects_bye) {
		buffer_add_string(&dialog->trouble, "the server said: ");
		buffer_add_span(&dialog->trouble, span_from(reply, 2));
		return false;
	}
	for (size_t i = 0; i < dialog->listener_count; i++) {
		struct listener *listener = &dialog->listeners[i];

		if (reply.length > 0 && listener->first == reply.at[0] && listener->call != NULL)
			return listener->call(reply, listener->context);
	}
	return dialog->on_stray.call == NULL || dialog->on_stray.call(reply, dialog->on_stray.context);
}

static bool
take_replies(struct dialog *dialog)
{
	enum found found = FOUND_NONE;
	bool is_alive = dialog->taking == 0 || take(dialog);
	size_t length;

	while (is_alive && !dialog->is_paused && (found = find_end(dialog, &length)) == FOUND_END) {
		is_alive = hand_over(dialog, span_without_line_end(span_slice(front(dialog), 0, length)));
		dialog->begin += length;
		dialog->scanned = 0;
		dialog->kept = 0;
		dialog->taken_count = 0;
	}
	buffer_consume(&dialog->in, dialog->begin);
	dialog->begin = 0;
	return is_alive && found != FOUND_NONSENSE;
}

static struct connection_wait
wait_for(struct dialog *dialog)
{
	return (struct connection_wait){ .connection = dialog->connection,
		.out = span_from(buffer_span(&dialog->out), dialog->out_done) };
}

/* Write and read once, if it is ready. */
static bool
move(struct dialog *dialog, const struct connection_wait *wait)
{
	const char *why = "";
	size_t sent;
	bool is_alive;

	if (!wait->is_ready)
		return true;
	is_alive = connection_move(wait, &sent, &dialog->in, &why);
	dialog->out_done += sent;
	if (dialog->out_done == dialog->out.length || dialog->out_done > SENT_OCTETS_MAX) {
		buffer_consume(&dialog->out, dialog->out_done);
		dialog->out_done = 0;
	}
	return take_replies(dialog) && (is_alive || dialog_lose(dialog, why));
}

bool
dialog_step(struct dialog *dialog)
{
	struct connection_wait wait = wait_for(dialog);

	if (dialog->trouble.length > 0)
		return false;
	if (connection_wait(&wait))
		return move(dialog, &wait);
	return dialog_lose(dialog, interrupt_came() ? "interrupted" : DIALOG_SILENCE);
}
