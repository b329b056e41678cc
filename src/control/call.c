/*
 * A call, for the handler of its verb: what was asked, and the answer.  Loop thread.
 */
#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"

size_t
control_call_count(const struct control_call *call)
{
	return call->word_count - call->verb_words;
}

struct span
control_call_word(const struct control_call *call, size_t index)
{
	return call->words[call->verb_words + index];
}

struct span
control_call_body(const struct control_call *call)
{
	return buffer_span(&call->body);
}

const char *
control_call_peer(const struct control_call *call)
{
	return call->peer.name;
}

void *
control_call_memory(struct control_call *call, size_t size)
{
	return arena_alloc(call->arena, size);
}

void
control_call_identity(const struct control_call *call, uid_t *uid_out, gid_t *gid_out)
{
	*uid_out = call->peer.uid;
	*gid_out = call->peer.gid;
}

bool
control_call_may(const struct control_call *call, enum control_right right)
{
	return peer_may(&call->peer, right);
}

void
control_when_room(struct control_call *call, control_room *on_room, void *context)
{
	call->on_room = on_room;
	call->room_context = context;
	deferred_schedule(call->control->loop, &call->again);
}

bool
control_call_is_gone(const struct control_call *call)
{
	return call->is_gone;
}

/* One line, whatever stands in the text. */
static void
write_line(struct control_call *call, char kind, struct span text)
{
	struct buffer line = { 0 };

	if (call->is_gone)
		return;
	text = span_slice(text, 0, CONTROL_LINE_MAX - 2);
	buffer_add_octet(&line, (uint8_t)kind);
	for (size_t i = 0; i < text.length; i++)
		buffer_add_octet(&line, text.at[i] < ' ' ? ' ' : text.at[i]);
	buffer_add_octet(&line, '\n');
	stream_write_buffer(call->stream, &line);
	buffer_free(&line);
}

void
control_reply(struct control_call *call, struct span line)
{
	write_line(call, '+', line);
}

void
control_replyf(struct control_call *call, const char *format, ...)
{
	char line[CONTROL_LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	control_reply(call, span_from_string(line));
}

void
call_write_status(struct control_call *call, int code, const char *text)
{
	struct buffer status = { 0 };

	buffer_printf(&status, "%d", code);
	if (text != NULL)
		buffer_printf(&status, " %s", text);
	write_line(call, '.', buffer_span(&status));
	buffer_free(&status);
}

/* Forget the request, keep the connection. */
static void
end_call(struct control_call *call, int code)
{
	if (call->verb != NULL && call->verb->right == CONTROL_CHANGE)
		log_info("control", log_text("peer", call->peer.name), log_text("verb", call->verb->name),
		    log_number("code", code));
	call->is_running = call->has_line = call->has_turn = false;
	call->on_room = NULL;
	call->verb = NULL;
	if (call->body.at != NULL)
		memory_wipe(call->body.at, call->body.capacity);
	buffer_clear(&call->body);
	arena_reset(call->arena);
	deferred_schedule(call->control->loop, &call->again);
}

void
control_finish(struct control_call *call, int code, const char *text)
{
	call_write_status(call, code, text);
	end_call(call, code);
}

static const struct stream_events nobody = { NULL, NULL, NULL };

struct stream *
control_take_stream(struct control_call *call)
{
	struct stream *stream = call->stream;

	call_write_status(call, EX_OK, NULL);
	end_call(call, EX_OK);
	if (call->is_gone)
		return NULL;
	stream_set_events(stream, &nobody, NULL);
	call->stream = NULL;
	return stream;
}
