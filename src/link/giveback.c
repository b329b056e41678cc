/*
 * A client that is nobody's any more goes back to the cas: README, "The way back".  What its mailbox role has not read,
 * and what was under way to it, is sent back in order.  So is one whose session goes on at another mailbox server.  Loop
 * thread.
 */
#include <stdlib.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "internal.h"
#include "net/deflate.h"

#define OUTPUT_MAX ((size_t)64 * 1024)	/* sent back and not yet taken */
#define FLUSH_MS   10000
#define LOOK_MS	   5			/* whether the client's flush has come */
#define LOOKS_MAX  2000

struct given {
	struct list link;
	struct stream *stream;
	struct buffer said;		/* not yet: the word, and what belongs to it */
	struct timer timer;
	unsigned looks;
	bool has_ended;			/* the other end has ended its side */
};

static void
release(struct given *given)
{
	list_remove(&given->link);
	timer_stop(&given->timer);
	buffer_free(&given->said);
	stream_free(&given->stream);
	free(given);
}

static void
advance(struct given *given)
{
	struct stream *stream = given->stream;

	if (given->said.length > 0)
		return;
	while (stream_has_input(stream) && stream_output_length(stream) < OUTPUT_MAX) {
		struct span piece = stream_input(stream);

		stream_write(stream, piece);
		stream_consume(stream, piece.length);
	}
	if (!given->has_ended || stream_has_input(stream))
		return;
	stream_close_after_flush(&given->stream, FLUSH_MS);
	release(given);
}

static void
on_input(struct stream *stream, void *context)
{
	(void)stream;
	advance(context);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct given *given = context;

	(void)stream;
	if (reason != STREAM_EOF) {
		release(given);
		return;
	}
	given->has_ended = true;
	advance(given);
}

static const struct stream_events events = { on_input, on_input, on_end };

/*
 * Once the cas has the word it takes what comes from the client as it is: the rest of a flush that comes in another packet
 * than the command before it has to come here first.
 */
static void
say(void *context)
{
	struct given *given = context;

	if (stream_awaits_flush(given->stream) && given->looks++ < LOOKS_MAX && !given->has_ended) {
		timer_start_ms(&given->timer, LOOK_MS);
		return;
	}
	stream_write_buffer(given->stream, &given->said);
	buffer_free(&given->said);
	advance(given);
}

/* NUL stands in no line of IMAP, so that no line looks as if it ended in the beginning of a word. */
void
link_write_word(struct buffer *out, struct span word)
{
	size_t length = word.length < LINK_WORD_MAX ? word.length : LINK_WORD_MAX - 1;

	buffer_add_octet(out, 0);
	buffer_add_span(out, span_slice(word, 0, length == 0 ? 0 : length - 1));
}

static void
give(struct link *link, struct stream **stream, struct buffer *said)
{
	struct given *given = NEW(struct given);

	given->stream = *stream;
	*stream = NULL;
	list_push_back(&link->given, &given->link);
	given->said = *said;
	timer_init(&given->timer, link->loop, say, given);
	stream_set_low_mark(given->stream, 0);
	stream_set_events(given->stream, &events, given);
	say(given);
}

void
link_give_back(struct link *link, struct stream **stream, struct span word)
{
	struct buffer said = { 0 };

	link_write_word(&said, word);
	buffer_add_span(&said, span_slice(word, said.length - 1, 1));
	give(link, stream, &said);
}

void
link_hand_over(struct link *link, struct stream **stream, struct span word, struct span state)
{
	struct buffer said = { 0 };

	link_write_word(&said, word);
	buffer_add_octet(&said, LINK_CARRIED);
	base64_encode(state, &said);
	buffer_add_string(&said, "\r\n");
	give(link, stream, &said);
}

void
given_free(struct link *link)
{
	LIST_FOREACH(&link->given, place)
		release(LIST_ENTRY(place, struct given, link));
}
