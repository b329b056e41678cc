/*
 * Octets in both directions, over TCP, a Unix socket, TLS on either, or a pair inside this process:
 * callers cannot tell which.  Loop thread.
 *
 * Callbacks come from the loop, never from inside a function of this door.  A stream holds at most
 * its input limit unread; it then stops reading until input is consumed.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/span.h"
#include "metrics/metrics.h"

#define STREAM_INPUT_LIMIT (64 * 1024)

struct loop;
struct stream;
struct tls_context;

enum stream_end {
	STREAM_EOF,		/* the peer has ended its side, all input was announced before */
	STREAM_ERROR,		/* connection lost, or TLS failed */
	STREAM_TIMEOUT,		/* the TLS handshake took too long, or output was not taken */
};

/* Each may be NULL.  on_end comes at most once and last; the stream is then only good for freeing
 * (after EOF also for writing: the peer may still listen). */
struct stream_events {
	void (*on_input)(struct stream *stream, void *context);		/* more octets are there; or TLS is now
									 * established, perhaps without any */
	void (*on_drained)(struct stream *stream, void *context);	/* output fell to the low mark: taken, or lost
									 * with a peer that had ended its side before */
	void (*on_end)(struct stream *stream, enum stream_end reason, void *context);
};

/*
 * Say who listens from now on.
 *
 *	events	borrowed for the stream's life: a static table
 *
 * Input that is there already, and an end that was not yet told, are announced (again) in the next turn:
 * so a stream can change owners.
 */
void stream_set_events(struct stream *stream, const struct stream_events *events, void *context);

/* One contiguous piece of the input, empty when there is none; more may follow once it is consumed.
 * Borrowed until the next call on this stream. */
struct span stream_input(struct stream *stream);

/* All input as one piece: moves it together, so for lines, not for bulk. */
struct span stream_input_whole(struct stream *stream);

/* Drop octets from the front of the input. */
void stream_consume(struct stream *stream, size_t length);

/* Drop all input there is. */
void stream_discard_input(struct stream *stream);

/* Put all input of another stream before what there is: it is counted as come in here. */
void stream_take_input(struct stream *stream, struct stream *other);

bool stream_has_input(const struct stream *stream);
size_t stream_input_length(const struct stream *stream);

/* Hold at most about this many octets unread (default STREAM_INPUT_LIMIT, at least 4096). */
void stream_set_input_limit(struct stream *stream, size_t octets);

/* No on_input until resumed, and no reading: what the peer sends piles up at its end.  Resuming announces
 * input that is there.  While paused, an end may go unnoticed. */
void stream_pause_input(struct stream *stream);
void stream_resume_input(struct stream *stream);

/*
 * Say that what has come ends within something: a command, a message.  The peer may hold the rest back until this
 * much is acknowledged (RFC 896, "Nagle"), and the kernel would wait 40 ms for an answer of ours that could carry
 * the acknowledgement: so it is sent now, unless there is such an answer.  At the end of a pair that is spliced, the other
 * stream's peer is meant.
 */
void stream_await_more(struct stream *stream);

/* Send; copies.  After an error, drops.  All that is written in a turn leaves together. */
void stream_write(struct stream *stream, struct span octets);

/* Send; takes the buffer's memory and leaves the buffer empty. */
void stream_write_buffer(struct stream *stream, struct buffer *buffer);

/*
 * Send octets that stay where they are until release is called, once, from this call or later; others may send them, too.
 * What is short is copied.  A worker that has encrypted or deflated the octets is who calls: release may run on any thread, at
 * the same time as others.
 */
typedef void stream_release(const void *octets, size_t length, void *context);
void stream_write_shared(struct stream *stream, struct span octets, stream_release *release, void *context);

/* Octets written and not yet taken by the kernel or the other end of the pair. */
size_t stream_output_length(const struct stream *stream);

/* Count what comes and goes by its socket from now on as a listener's. */
void stream_count_as(struct stream *stream, enum metric_listener listener);

/* on_drained comes when the output falls to this or below after having been above (default 0). */
void stream_set_low_mark(struct stream *stream, size_t octets);

/* End with STREAM_TIMEOUT when output waits and nothing of it is taken for this long (default 5 min). */
void stream_set_stall_timeout(struct stream *stream, uint64_t ms);

/*
 * How soon a peer that has vanished is noticed, over TCP: it is asked after half of silent_s seconds without
 * traffic, and given up when octets, or these questions, were not taken for untaken_s.
 */
void stream_set_peer_timeout(struct stream *stream, unsigned silent_s, unsigned untaken_s);

/* Send what was written and end our side; the peer's side stays open.  A TLS peer gets close_notify. */
void stream_end_output(struct stream *stream);

/*
 * Forget the stream: what was written is still sent, for at most within_ms, then it is closed and freed.
 * No callback comes any more.  Accepts NULL, leaves NULL behind.
 *
 * A socket to which something was written is closed when its peer has ended its side, too: what the peer sends is thrown
 * away till then, from now on, within_ms at most.  TCP would answer it with a reset (RFC 9293 section 3.6.1), which keeps a
 * peer that is still sending from reading why it was sent away; and a peer that reads when it has sent all would never
 * come to it.
 */
void stream_close_after_flush(struct stream **stream, uint64_t within_ms);

/* Close at once; unsent output is lost.  No callback comes any more.  Also good inside the stream's own
 * callbacks.  Accepts NULL, leaves NULL behind. */
void stream_free(struct stream **stream);

/*
 * Join two streams: what comes in at one leaves at the other, without copying, at most 256 KiB held in
 * each direction.  Takes over the events of both; input already there moves first.
 *
 *	a	the client's: who reads at the far end of a socket b cannot call stream_await_more(), so all that
 *		comes from the client is acknowledged at once
 *
 * When one side ends, what it had sent is flushed to the other (for at most 10 s), then on_end comes
 * once, for the side that ended.  Both streams stay the owner's, who then frees them; also before.
 */
typedef void stream_spliced_end(struct stream *ended, enum stream_end reason, void *context);
void stream_splice(struct stream *a, struct stream *b, stream_spliced_end *on_end, void *context);

/*
 * Let b give itself back.  What it sends before a word still goes to a; then the splice is undone and on_word comes in
 * place of on_end, with the same context.  What stands behind the word is b's input.
 *
 *	word	1 to STREAM_WORD_MAX octets that b sends for nothing else, copied
 *
 * While the end of what b has sent looks like the beginning of the word, that much of it waits for more.
 */
#define STREAM_WORD_MAX 64
typedef void stream_spliced_word(void *context);
void stream_splice_until(struct stream *b, struct span word, stream_spliced_word *on_word);

/* Undo it, before on_end: set_events() then says who listens to each. */
void stream_unsplice(struct stream *stream);

/*
 * What a splice has brought out of this stream has ended as a flush of DEFLATE does (RFC 1951 section 3.2.4), and no
 * line does, or is part of what follows it: who writes to it now writes what the peer cannot inflate.
 */
bool stream_was_spliced_deflate(const struct stream *stream);

/* Octets that have come in and gone out since the start, without TLS's own. */
uint64_t stream_octets_in(const struct stream *stream);
uint64_t stream_octets_out(const struct stream *stream);

/* When octets have come from the socket last, TLS's own included; 0: none have. */
uint64_t stream_active_us(const struct stream *stream);

/* Two ends inside this process: what is written to one is the input of the other. */
void stream_pair(struct loop *loop, struct stream **a_out, struct stream **b_out);

/* Take a connected socket: makes it non-blocking and close-on-exec. */
struct stream *stream_from_socket(struct loop *loop, int descriptor);

/* Addresses as text without port, "127.0.0.1", "2001:db8::1", "unix" or "pair"; borrowed for life. */
const char *stream_peer_address(const struct stream *stream);
const char *stream_local_address(const struct stream *stream);
uint16_t stream_peer_port(const struct stream *stream);
uint16_t stream_local_port(const struct stream *stream);

/* Somebody trusted has said who the peer is: numeric address and port, from now on. */
void stream_set_peer(struct stream *stream, const char *address, uint16_t port);

/* Who is at the other end of a Unix socket (SO_PEERCRED).  False: not a Unix socket. */
bool stream_peer_credentials(const struct stream *stream, uid_t *uid_out, gid_t *gid_out,
    pid_t *pid_out);

#endif
