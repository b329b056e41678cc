/*
 * The fields that whoever makes the final delivery puts before a message: RFC 5321 section 4.4 (Return-Path,
 * Received) with RFC 2033 section 1 and RFC 6531 section 4.3, and Delivered-To (RFC 9228), which names the
 * recipient with its detail.  Pure; any thread.
 */
#ifndef LMTP_TRACE_H
#define LMTP_TRACE_H

#include "base/buffer.h"

/* What is known of a message beside its octets and its recipients.  Addresses are without angle brackets. */
struct lmtp_trace {
	struct span sender;		/* of MAIL, as written; empty for "<>" */
	struct span client_name;	/* of LHLO, as written */
	const char *client_address;	/* stream_peer_address() */
	struct span hostname;
	const char *sid;
	bool is_utf8;			/* MAIL said SMTPUTF8 */
	int64_t received_s;		/* since 1970 UTC */
};

/*
 * Append the fields for one recipient.  An address stands on one line, of fewer than 998 octets (RFC 5322
 * section 2.1.1) and without a place to fold it; Received is folded.
 *
 *	recipient	of RCPT, as written
 */
void lmtp_trace_write(const struct lmtp_trace *trace, struct span recipient, struct buffer *out);

/*
 * The message as it is to stand behind the fields: without Return-Path fields of its own, and, when it has no
 * field at all, with the empty line that makes it a body.  Everything else is kept as it is.
 *
 *	message	borrowed; may be empty
 *	copy	empty; holds what is given when that is no part of message
 */
struct span lmtp_trace_message(struct span message, struct buffer *copy);

#endif
