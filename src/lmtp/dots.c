/*
 * The reader of dot-stuffed lines; dots.h has the rules.  Octets go by in spans of the input: only what was
 * held back from an earlier input, a CR behind a dot, comes from elsewhere.  Pure.
 */
#include "dots.h"

/* Go on in a line from at; returns the place behind the last octet that belongs to the message for sure. */
static size_t
scan(struct lmtp_dots *dots, struct span input, size_t at)
{
	const uint8_t *cr;

	while (at < input.length) {
		if (dots->state == DOTS_CR && input.at[at] == '\n') {
			dots->state = DOTS_LINE_START;
			at++;
			if (at < input.length && input.at[at] == '.')
				return at;
			if (at == input.length)
				return at;
		}
		cr = memchr(input.at + at, '\r', input.length - at);
		if (cr == NULL) {
			dots->state = DOTS_IN_LINE;
			return input.length;
		}
		dots->state = DOTS_CR;
		at = (size_t)(cr - input.at) + 1;
	}
	return at;
}

/* Decide what a dot at the start of a line was, with the octet behind it. */
static void
after_dot(struct lmtp_dots *dots, struct span *input, struct span *octets_out)
{
	uint8_t octet = input->at[0];

	if (dots->state == DOTS_DOT && octet == '\r') {
		dots->state = DOTS_DOT_CR;
		*input = span_from(*input, 1);
	} else if (dots->state == DOTS_DOT_CR && octet == '\n') {
		dots->state = DOTS_END;
		*input = span_from(*input, 1);
	} else if (dots->state == DOTS_DOT_CR) {
		*octets_out = SPAN("\r");
		dots->state = DOTS_CR;
	} else {
		dots->state = DOTS_IN_LINE;
	}
}

bool
lmtp_dots_next(struct lmtp_dots *dots, struct span *input, struct span *octets_out)
{
	size_t end;

	*octets_out = span_slice(*input, 0, 0);
	if (input->length == 0 || dots->state == DOTS_END)
		return false;
	if (dots->state == DOTS_DOT || dots->state == DOTS_DOT_CR) {
		after_dot(dots, input, octets_out);
	} else if (dots->state == DOTS_LINE_START && input->at[0] == '.') {
		dots->state = DOTS_DOT;
		*input = span_from(*input, 1);
	} else {
		end = scan(dots, *input, 0);
		*octets_out = span_slice(*input, 0, end);
		*input = span_from(*input, end);
	}
	return true;
}
