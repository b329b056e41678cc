/*
 * What the files of room net share: a stream's parts.
 *
 * Octets go   [deflate: plain ->] output -> [tls: encrypt -> tls wire] -> socket or peer
 *             socket or peer -> [tls received -> decrypt] -> [deflate: received -> inflate] -> input
 * and stream_advance() moves all of it, then tells the owner.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include <event2/buffer.h>

#include "loop/loop.h"
#include "net/stream.h"

#define STREAM_TAIL 4			/* octets: the end of a flush of DEFLATE, RFC 1951 section 3.2.4 */

struct deflate;
struct splice;
struct tls;

struct stream {
	struct loop *loop;
	const struct stream_events *events;
	void *context;
	struct evbuffer *input, *output;
	size_t input_limit, low_mark;
	uint64_t octets_in, octets_out;
	uint64_t active_us;		/* when the socket had octets last */
	struct deferred step;		/* stream_advance() in the next turn */
	struct timer stall;
	struct timer lingering;		/* bounds stream_close_after_flush() */
	struct leftover leftover;	/* the loop ends before */
	uint64_t stall_ms;
	size_t stall_length;		/* output left when the stall timer was started */

	bool is_paused;
	bool is_input_new;		/* not yet announced */
	bool is_established_new;	/* TLS has been established, and this is not yet announced */
	bool was_above_mark;
	bool has_ended, is_end_told;
	bool is_wire_ended;		/* nothing more comes from the socket or the peer */
	enum stream_end end;
	bool is_ending_output;		/* asked for */
	bool is_output_ended;		/* done */
	bool is_closing;		/* the owner has let go; flush, then free */
	bool is_dead;			/* closed; memory waits for busy to fall to 0 */
	unsigned busy;			/* callbacks and advances on the stack */

	int descriptor;			/* -1: one end of a pair */
	struct watch watch;
	struct stream *peer;		/* of a pair; NULL: it has gone */
	bool has_peer_closed;		/* after its last word: what is written for it is thrown away, as by a socket */
	struct tls *tls;
	struct deflate *deflate;
	struct splice *splice;
	uint8_t tail[STREAM_TAIL];	/* what a splice has brought out last */
	bool was_deflate;		/* as far as that tells */

	uint8_t counted_as;		/* 0: not at all; enum metric_listener and 1 */
	char peer_address[64], local_address[64];
	uint16_t peer_port, local_port;
};

struct stream *stream_new(struct loop *loop);

/* Move octets and tell the owner; the stream may be gone afterwards. */
void stream_advance(struct stream *stream);

/* stream_advance() in the next turn. */
void stream_advance_later(struct stream *stream);

/* No more octets come from the socket or the peer; TLS may hold some still. */
void stream_note_eof(struct stream *stream);

/* Note the end; told by stream_advance(). */
void stream_note_end(struct stream *stream, enum stream_end reason);

/* Octets have come, without TLS: they are input, or DEFLATE makes input of them. */
struct evbuffer *stream_arrived(const struct stream *stream);
void stream_note_arrived(struct stream *stream);

/* Where received octets go, and what is to be sent. */
struct evbuffer *stream_received(struct stream *stream);
struct evbuffer *stream_wire(const struct stream *stream);

/* Is there room for more input, and for more from the socket or the peer? */
bool stream_wants_input(const struct stream *stream);
bool stream_wants_wire(const struct stream *stream);

/* It is being closed, and what the peer still sends is thrown away. */
bool stream_is_lingering(const struct stream *stream);

/* Socket and pair. */
void socket_receive(struct stream *stream);
void socket_send(struct stream *stream);
void socket_end_output(struct stream *stream);
void pair_send(struct stream *stream);
void pair_end_output(struct stream *stream);
void pair_leave(struct stream *stream);

/* TLS: move what can be moved. */
void tls_advance(struct stream *stream);
struct evbuffer *tls_received(struct tls *tls);
struct evbuffer *tls_wire(const struct tls *tls);

/* Plaintext on its way through a worker. */
size_t tls_pending(const struct tls *tls);

/* More output could be encrypted at once. */
bool tls_has_work(const struct stream *stream);

/* close_notify is still to be written, before our side of the wire ends. */
bool tls_owes_farewell(const struct stream *stream);

/* The handshake is neither done nor given up. */
bool tls_is_shaking(const struct stream *stream);
void tls_leave(struct stream *stream);

/* DEFLATE: output before TLS, the rest behind it. */
void deflate_advance_output(struct stream *stream);
void deflate_advance(struct stream *stream);
bool deflate_has_input(const struct deflate *layer);

/* Where received octets go that are to be inflated, and written ones before or behind the end; NULL: not here. */
struct evbuffer *deflate_received(struct deflate *layer);
struct evbuffer *deflate_plain(const struct deflate *layer);

/* Octets on their way to output. */
size_t deflate_pending(const struct deflate *layer);
void deflate_leave(struct stream *stream);

/* Splice: move what has come; the owner may be told of an end. */
void splice_advance(struct stream *stream);
void splice_leave(struct stream *stream);

/* The stream that this one is joined with, or NULL. */
struct stream *splice_other(const struct stream *stream);

/* Addresses as text, for sockets. */
void address_describe(struct stream *stream);

#endif
