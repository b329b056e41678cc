/*
 * DEFLATE on a stream (RFC 1951, without the header of zlib), above TLS where there is TLS: what RFC 4978 wants
 * of IMAP COMPRESS.  Loop thread.
 *
 * Both directions have a window and a state of their own, about 270 KiB while octets move and 40 KiB for what
 * comes in; stream_rest_deflate() gives them back.
 */
#ifndef NET_DEFLATE_H
#define NET_DEFLATE_H

#include <stdbool.h>

#include "base/span.h"

#define DEFLATE_WINDOW_MAX 32768	/* octets that the peer may refer to */

struct buffer;
struct stream;
struct workers;

/*
 * Compress what is written from now on, and take all input that is not yet consumed for compressed.  What was
 * written before leaves as it is.  Once for a stream, never on one that is spliced.
 *
 *	compute	where much output is compressed
 *
 * What the owner writes in a turn can be inflated by the peer when it arrives.  Input that is no DEFLATE, or that
 * says to be the end of it though the owner does not, ends the stream with STREAM_EOF: the peer can still be told.
 */
void stream_start_deflate(struct stream *stream, struct workers *compute);

/*
 * End it in one direction, once both are asked for in any order: in what comes, behind the flush, or the last block,
 * that ends what the owner has taken last; in what goes, behind what was written so far, with a last block.  Octets
 * behind these points are no longer deflated.  Ask for the former in the callback that has taken that input.  Does
 * nothing on other streams.
 */
void stream_end_deflated_input(struct stream *stream);
void stream_end_deflated_output(struct stream *stream);

/* Whether more of the flush that brought the last input is still to come: it is neither to be taken nor to be left behind. */
bool stream_awaits_flush(const struct stream *stream);

bool stream_is_deflated(const struct stream *stream);

/*
 * Let somebody else go on with it: what is written from now on, and what comes, is as it is on the wire.  Between two
 * flushes of the peer's, and when nothing waits to be deflated.
 *
 *	window_out	gets what the peer may refer to
 *	unread_out	gets input that was inflated and not consumed
 *
 * False: it cannot be just now, and nothing was done; also on other streams.
 */
bool stream_take_deflate(struct stream *stream, struct buffer *window_out, struct buffer *unread_out);

/* Go on with it, as stream_start_deflate(), in both directions; copies. */
void stream_resume_deflate(struct stream *stream, struct workers *compute, struct span window, struct span unread);

/*
 * While it rests, the memory is given back whenever all has moved, but for what the peer may still refer to (up to
 * 32 KiB of what it has sent).  The next octet in either direction takes it again.  Does nothing on other streams.
 */
void stream_rest_deflate(struct stream *stream, bool is_resting);

#endif
