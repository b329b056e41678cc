/*
 * Replies are cut from what comes in: a line, or several with literals between them (RFC 9051 section 4.3).
 */
#include "dialog.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

#define ANSWER_TIMEOUT_MS (10 * 60 * 1000)
#define LINE_OCTETS_MAX	65536		/* between two literals */
#define LISTENERS_MAX 4
#define PIECE_OCTETS 65536
#define SENT_OCTETS_MAX ((size_t)1 << 20)	/* kept at the front of out before it is moved up */

struct listener {
	uint8_t first;
	dialog_listener *call;
	void *context;
};

struct dialog {
	int descriptor;
	struct buffer out, in;
	size_t out_done;	/* octets at the front of out that are written */
	size_t scanned;		/* octets of in that are known to belong to one reply that is not whole */
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct buffer trouble;
};

struct dialog *
dialog_new(int descriptor)
{
	struct dialog *dialog = NEW(struct dialog);

	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	dialog->descriptor = descriptor;
	return dialog;
}

void
dialog_free(struct dialog **dialog)
{
	if (*dialog == NULL)
		return;
	close((*dialog)->descriptor);
	buffer_free(&(*dialog)->out);
	buffer_free(&(*dialog)->in);
	buffer_free(&(*dialog)->trouble);
	free(*dialog);
	*dialog = NULL;
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

struct buffer *
dialog_out(struct dialog *dialog)
{
	return &dialog->out;
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

void
dialog_add_quoted(struct buffer *out, struct span text)
{
	buffer_add_octet(out, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, text.at[i]);
	}
	buffer_add_octet(out, '"');
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
	    span_to_number(span_slice(line, line.length - 1 - digits, digits), UINT32_MAX, size_out);
}

/*
 * Find the end of the reply that begins at the front: *length_out octets, line end included.  False: it is
 * not whole yet.
 */
static bool
find_end(struct dialog *dialog, struct span input, size_t *length_out)
{
	for (;;) {
		struct span rest = span_from(input, dialog->scanned), line;
		size_t lf = span_find(rest, '\n');
		uint64_t size;

		if (lf == rest.length)
			return false;
		line = span_without_line_end(span_slice(rest, 0, lf + 1));
		if (!announces(line, &size)) {
			*length_out = dialog->scanned + lf + 1;
			return true;
		}
		if (rest.length - lf - 1 < size)
			return false;
		dialog->scanned += lf + 1 + (size_t)size;
	}
}

static bool
hand_over(struct dialog *dialog, struct span reply)
{
	if (span_starts_with(reply, SPAN("* BYE"))) {
		buffer_add_string(&dialog->trouble, "the server said: ");
		buffer_add_span(&dialog->trouble, span_from(reply, 2));
		return false;
	}
	for (size_t i = 0; i < dialog->listener_count; i++) {
		struct listener *listener = &dialog->listeners[i];

		if (reply.length > 0 && listener->first == reply.at[0] && listener->call != NULL)
			return listener->call(reply, listener->context);
	}
	return true;
}

static bool
take_replies(struct dialog *dialog)
{
	size_t done = 0, length;
	bool is_alive = true;

	while (is_alive && find_end(dialog, span_from(buffer_span(&dialog->in), done), &length)) {
		struct span reply = span_slice(buffer_span(&dialog->in), done, length);

		dialog->scanned = 0;
		is_alive = hand_over(dialog, span_without_line_end(reply));
		done += length;
	}
	buffer_consume(&dialog->in, done);
	return is_alive;
}

/* Whether the last line that came in is without end; a literal has one. */
static bool
is_endless(const struct dialog *dialog)
{
	struct span rest = span_from(buffer_span(&dialog->in), dialog->scanned);

	return rest.length > LINE_OCTETS_MAX && span_find(span_slice(rest, 0, LINE_OCTETS_MAX), '\n') == LINE_OCTETS_MAX;
}

static bool
receive(struct dialog *dialog)
{
	ssize_t got = recv(dialog->descriptor, buffer_reserve(&dialog->in, PIECE_OCTETS), PIECE_OCTETS, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got < 0)
		return dialog_lose(dialog, strerror(errno));
	if (got == 0)
		return dialog_lose(dialog, "the server ended the connection");
	dialog->in.length += (size_t)got;
	return take_replies(dialog) && (!is_endless(dialog) || dialog_lose(dialog, "the server's answer has no end"));
}

static bool
transmit(struct dialog *dialog)
{
	struct span rest = span_from(buffer_span(&dialog->out), dialog->out_done);
	ssize_t sent = send(dialog->descriptor, rest.at, rest.length, MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (sent < 0)
		return dialog_lose(dialog, strerror(errno));
	dialog->out_done += (size_t)sent;
	if (dialog->out_done == dialog->out.length || dialog->out_done > SENT_OCTETS_MAX) {
		buffer_consume(&dialog->out, dialog->out_done);
		dialog->out_done = 0;
	}
	return true;
}

bool
dialog_step(struct dialog *dialog)
{
	struct pollfd wait = { .fd = dialog->descriptor, .events = POLLIN };
	int ready;

	if (dialog->out.length > 0)
		wait.events |= POLLOUT;
	ready = poll(&wait, 1, ANSWER_TIMEOUT_MS);
	if (ready < 0 && errno == EINTR)
		return true;
	if (ready <= 0)
		return dialog_lose(dialog, ready == 0 ? "the server does not answer" : strerror(errno));
	if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(dialog))
		return false;
	return (wait.revents & POLLOUT) == 0 || dialog->out.length == 0 || transmit(dialog);
}
