/*
 * Two streams joined: what comes in at one goes out at the other.  A side's input moves only while the
 * other side's output is short, so that a slow reader stops a fast writer.  Loop thread.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define OUTPUT_MAX     ((size_t)64 * 1024)
#define FLUSH_LIMIT_MS 10000

struct splice {
	struct stream *sides[2];
	stream_spliced_end *on_end;
	void *context;
	uint8_t word[STREAM_WORD_MAX];	/* of the second side, with which it gives itself back */
	size_t word_length;		/* 0: it never does */
	bool is_word_said;
	stream_spliced_word *on_word;
	struct stream *ended;		/* whose end will be told, once its octets have left */
	struct timer flush;
};

static void
dissolve(struct splice *splice)
{
	timer_stop(&splice->flush);
	splice->sides[0]->splice = NULL;
	splice->sides[1]->splice = NULL;
	free(splice);
}

static void
tell_end(struct splice *splice)
{
	struct stream *ended = splice->ended;
	stream_spliced_end *on_end = splice->on_end;
	void *context = splice->context;

	dissolve(splice);
	on_end(ended, ended->end, context);
}

static void
tell_word(struct splice *splice)
{
	stream_spliced_word *on_word = splice->on_word;
	void *context = splice->context;

	dissolve(splice);
	on_word(context);
}

static void
on_flush_limit(void *context)
{
	tell_end(context);
}

/*
 * Remember how what leaves ends.  A piece of DEFLATE may leave in parts, of which only the last ends as a flush does:
 * it is DEFLATE until something ends as a line does.
 */
static void
note_tail(struct stream *to, struct evbuffer *moved, size_t length)
{
	size_t count = length < STREAM_TAIL ? length : STREAM_TAIL;
	struct evbuffer_ptr at;

	memmove(to->tail, to->tail + count, STREAM_TAIL - count);
	evbuffer_ptr_set(moved, &at, length - count, EVBUFFER_PTR_SET);
	evbuffer_copyout_from(moved, &at, to->tail + STREAM_TAIL - count, count);
	if (memcmp(to->tail, "\x00\x00\xff\xff", STREAM_TAIL) == 0)
		to->was_deflate = true;
	else if (memcmp(to->tail + STREAM_TAIL - 2, "\r\n", 2) == 0)
		to->was_deflate = false;
}

bool
stream_was_spliced_deflate(const struct stream *stream)
{
	return stream->was_deflate;
}

/* The last octets of the pieces looked at, fewer than the word has: what may be its beginning. */
struct seam {
	uint8_t octets[2 * STREAM_WORD_MAX];
	size_t length;
};

/* Where a word begins in the seam and this piece behind it, from the seam's first octet on; SIZE_MAX: nowhere. */
static size_t
find_word(const struct splice *splice, struct seam *seam, struct span piece)
{
	size_t most = splice->word_length - 1, head = piece.length < most ? piece.length : most;
	const uint8_t *found;

	memcpy(seam->octets + seam->length, piece.at, head);
	found = memmem(seam->octets, seam->length + head, splice->word, splice->word_length);
	if (found != NULL)
		return (size_t)(found - seam->octets);
	found = memmem(piece.at, piece.length, splice->word, splice->word_length);
	return found != NULL ? seam->length + (size_t)(found - piece.at) : SIZE_MAX;
}

static void
take_end(const struct splice *splice, struct seam *seam, struct span piece)
{
	size_t most = splice->word_length - 1;

	if (piece.length >= most) {
		seam->length = most;
		memcpy(seam->octets, piece.at + piece.length - most, most);
		return;
	}
	seam->length += piece.length;	/* find_word() has put it there */
	if (seam->length > most) {
		memmove(seam->octets, seam->octets + seam->length - most, most);
		seam->length = most;
	}
}

/* How many octets at the end are the beginning of the word. */
static size_t
length_of_part(const struct splice *splice, const struct seam *seam)
{
	for (size_t i = 0; i < seam->length; i++) {
		if (memcmp(seam->octets + i, splice->word, seam->length - i) == 0)
			return seam->length - i;
	}
	return 0;
}

/* How much stands before the word, or before what may be its beginning. */
static size_t
length_before_word(struct splice *splice, const struct stream *from)
{
	struct seam seam = { .length = 0 };
	struct evbuffer_iovec piece;
	struct evbuffer_ptr at;
	size_t begin = 0;

	evbuffer_ptr_set(from->input, &at, 0, EVBUFFER_PTR_SET);
	while (evbuffer_peek(from->input, -1, &at, &piece, 1) > 0 && piece.iov_len > 0) {
		struct span octets = span_of(piece.iov_base, piece.iov_len);
		size_t found = find_word(splice, &seam, octets);

		splice->is_word_said = found != SIZE_MAX;
		if (splice->is_word_said)
			return begin - seam.length + found;
		take_end(splice, &seam, octets);
		begin += piece.iov_len;
		if (evbuffer_ptr_set(from->input, &at, piece.iov_len, EVBUFFER_PTR_ADD) != 0)
			break;
	}
	return from->has_ended ? begin : begin - length_of_part(splice, &seam);
}

/* How much of a side's input is for the other one. */
static size_t
length_to_move(struct splice *splice, const struct stream *from)
{
	if (splice->is_word_said)
		return 0;
	if (from == splice->sides[0] || splice->word_length == 0)
		return evbuffer_get_length(from->input);
	return length_before_word(splice, from);
}

static void
move(struct stream *from, struct stream *to)
{
	size_t length;

	if (to->has_ended && to->end != STREAM_EOF) {
		stream_consume(from, evbuffer_get_length(from->input));
		return;
	}
	if (stream_output_length(to) >= OUTPUT_MAX || (length = length_to_move(from->splice, from)) == 0)
		return;
	if (from == from->splice->sides[0] && to->descriptor >= 0)
		stream_await_more(from);
	note_tail(to, from->input, length);
	if (length == evbuffer_get_length(from->input))
		evbuffer_add_buffer(to->output, from->input);
	else
		evbuffer_remove_buffer(from->input, to->output, length);
	from->octets_in += length;
	to->octets_out += length;
	stream_advance_later(to);
	stream_advance_later(from);
	if (from->peer != NULL)
		stream_advance_later(from->peer);
}

static bool
is_flushed(const struct stream *ended, const struct stream *other)
{
	if (other->has_ended && other->end != STREAM_EOF)
		return true;
	return evbuffer_get_length(ended->input) == 0 && stream_output_length(other) == 0;
}

void
splice_advance(struct stream *stream)
{
	struct splice *splice = stream->splice;
	struct stream **sides = splice->sides;

	move(sides[0], sides[1]);
	move(sides[1], sides[0]);
	if (splice->is_word_said) {
		stream_consume(sides[1], splice->word_length);
		tell_word(splice);
		return;
	}
	if (splice->ended == NULL && stream->has_ended) {
		splice->ended = stream;
		timer_start_ms(&splice->flush, FLUSH_LIMIT_MS);
	}
	if (splice->ended != NULL &&
	    is_flushed(splice->ended, splice_other(splice->ended)))
		tell_end(splice);
}

void
stream_splice(struct stream *a, struct stream *b, stream_spliced_end *on_end, void *context)
{
	struct splice *splice = NEW(struct splice);

	assert(a != b && a->splice == NULL && b->splice == NULL);
	splice->sides[0] = a;
	splice->sides[1] = b;
	splice->on_end = on_end;
	splice->context = context;
	timer_init(&splice->flush, a->loop, on_flush_limit, splice);
	a->splice = b->splice = splice;
	a->events = b->events = NULL;
	a->was_deflate = b->was_deflate = false;
	stream_resume_input(a);
	stream_resume_input(b);
	stream_advance_later(a);
	stream_advance_later(b);
}

void
stream_splice_until(struct stream *b, struct span word, stream_spliced_word *on_word)
{
	struct splice *splice = b->splice;

	assert(splice != NULL && b == splice->sides[1] && word.length > 0 && word.length <= STREAM_WORD_MAX);
	memcpy(splice->word, word.at, word.length);
	splice->word_length = word.length;
	splice->on_word = on_word;
}

void
splice_leave(struct stream *stream)
{
	if (stream->splice != NULL)
		dissolve(stream->splice);
}

struct stream *
splice_other(const struct stream *stream)
{
	const struct splice *splice = stream->splice;

	return splice == NULL ? NULL : splice->sides[splice->sides[0] == stream ? 1 : 0];
}

void
stream_unsplice(struct stream *stream)
{
	splice_leave(stream);
}
