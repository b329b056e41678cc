/*
 * The line ends of messages on a disk.  What reads them takes each LF for CRLF, unless it has its CR already: so CRLF
 * may become LF where that leads back to the same octets, and otherwise stays.  Pure.
 */
#ifndef IMAPCTL_LINE_ENDS_H
#define IMAPCTL_LINE_ENDS_H

#include "base/buffer.h"

/* Whether each LF has its CR, and none has two. */
bool line_ends_are_plain(struct span octets);

/* Append with LF for CRLF. */
void line_ends_add_lf(struct buffer *out, struct span octets);

/* How many octets there are with CRLF for each LF. */
uint64_t line_ends_virtual_size(struct span octets);

#endif
