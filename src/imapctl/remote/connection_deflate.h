/*
 * DEFLATE in both directions (RFC 4978: RFC 1951 without the header of zlib), on buffers.
 */
#ifndef IMAPCTL_CONNECTION_DEFLATE_H
#define IMAPCTL_CONNECTION_DEFLATE_H

#include "base/buffer.h"

struct connection_deflate;

struct connection_deflate *connection_deflate_new(void);

/* Accepts NULL, leaves NULL behind. */
void connection_deflate_free(struct connection_deflate **state);

/* Compress, so that the other end can read all of it when it arrives. */
void connection_deflate_pack(struct connection_deflate *state, struct span plain, struct buffer *packed_out);

/*
 * Append what is in packed, up to limit octets: more may be left, and then packed is not empty or *has_more_out is true.
 * False: it is no DEFLATE.
 */
bool connection_deflate_unpack(struct connection_deflate *state, struct buffer *packed, size_t limit, struct buffer *plain_out,
    bool *has_more_out);

#endif
