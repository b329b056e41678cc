/*
 * Reading a request: its line, and its body.  Loop thread.
 */
#include "call.h"

#include <sysexits.h>

/* Take ` {N}` off the end of the line; false when N is too large. */
static bool
take_body_length(struct control_call *call, struct span *line)
{
	size_t open = line->length;
	uint64_t length;

	call->body_length = 0;
	if (line->length == 0 || line->at[line->length - 1] != '}')
		return true;
	while (open > 0 && line->at[open - 1] != '{')
		open--;
	if (open < 2 || line->at[open - 2] != ' ' ||
	    !span_to_number(span_slice(*line, open, line->length - open - 1), CONTROL_BODY_MAX, &length))
		return false;
	call->body_length = length;
	line->length = open - 2;
	return true;
}

/* The framing is lost with a bad line: say so and go. */
void
request_give_up(struct control_call *call, const char *why)
{
	call_write_status(call, EX_USAGE, why);
	call->is_at_end = true;
	stream_discard_input(call->stream);
}

/* Read the line of the next request; false when there is none yet, or never will be. */
bool
request_take_line(struct control_call *call)
{
	struct span input = stream_input_whole(call->stream);
	size_t end = span_find(input, '\n');
	struct span line = span_slice(input, 0, end);

	if (end > CONTROL_LINE_MAX) {
		request_give_up(call, "the request is too long");
		return false;
	}
	if (end == input.length)
		return false;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (!take_body_length(call, &line) ||
	    !control_split_words(line, call->arena, call->words, CONTROL_WORDS_MAX,
		&call->word_count)) {
		request_give_up(call, "the request cannot be understood");
		return false;
	}
	stream_consume(call->stream, end + 1);
	return true;
}

bool
request_take_body(struct control_call *call)
{
	if (stream_input_length(call->stream) < call->body_length)
		return false;
	if (call->body_length > 0) {
		buffer_add_span(&call->body,
		    span_slice(stream_input_whole(call->stream), 0, call->body_length));
		stream_consume(call->stream, call->body_length);
	}
	return true;
}
