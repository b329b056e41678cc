/*
 * What DATA carries: lines with one dot more at their start where they began with one, ended by a dot alone.
 * RFC 5321 section 4.5.2.  Only CR LF ends a line: an LF, or a CR, alone is an octet like others and never
 * brings the end nearer, so that nobody can smuggle a second message behind it.  Pure.
 */
#ifndef LMTP_DOTS_H
#define LMTP_DOTS_H

#include "base/span.h"

/* A zeroed one stands at the start of a message. */
struct lmtp_dots {
	enum {
		DOTS_LINE_START,	/* behind CR LF, or at the very start */
		DOTS_IN_LINE,
		DOTS_CR,		/* behind CR in a line */
		DOTS_DOT,		/* behind a dot that begins a line */
		DOTS_DOT_CR,		/* and a CR */
		DOTS_END,
	} state;
};

/*
 * Eat input up to the next octets of the message; call again until it returns false.
 *
 *	input		moved behind what was eaten: with state DOTS_END what is left is the next command
 *	octets_out	a part of the input, or a constant; may be empty
 *
 * False: all input is eaten or the message has ended.
 */
bool lmtp_dots_next(struct lmtp_dots *dots, struct span *input, struct span *octets_out);

#endif
