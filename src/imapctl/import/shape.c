/*
 * Nobody waits for these answers: a mailbox that is there already keeps its use, and one that cannot be made shows when
 * messages come.  Making a mailbox subscribes it, so that unsubscribing comes last.
 */
#include "shape.h"

#include "imap/writer.h"

static void
add_command(struct buffer *out, const char *command, struct span mailbox)
{
	buffer_add_string(out, command);
	imap_write_quoted(out, mailbox);
}

bool
shape_take(struct shape *shape, struct dialog *dialog, struct span mailbox, const struct message *message, bool takes_use)
{
	struct buffer *out = dialog_out(dialog);

	if (message->is_no_mailbox) {
		add_command(out, "c SUBSCRIBE ", mailbox);
		buffer_add_string(out, "\r\n");
		return false;
	}
	if (takes_use && message->use.length > 0) {	/* RFC 6154 section 3 */
		add_command(out, "c CREATE ", mailbox);
		buffer_printf(out, " (USE (%.*s))\r\n", SPAN_ARGS(buffer_span(&message->use)));
	}
	if (message->is_unsubscribed) {
		add_command(&shape->afterwards, "c UNSUBSCRIBE ", mailbox);
		buffer_add_string(&shape->afterwards, "\r\n");
	}
	return true;
}

static bool
on_answer(struct span reply, void *context)
{
	struct shape *shape = context;

	(void)reply;
	shape->is_answered = true;
	return true;
}

bool
shape_finish(struct shape *shape, struct dialog *dialog)
{
	if (shape->afterwards.length == 0)
		return true;
	dialog_listen(dialog, 's', on_answer, shape);
	buffer_add_span(dialog_out(dialog), buffer_span(&shape->afterwards));
	buffer_add_string(dialog_out(dialog), "s NOOP\r\n");
	while (!shape->is_answered) {
		if (!dialog_step(dialog))
			return false;
	}
	return true;
}

void
shape_free(struct shape *shape)
{
	buffer_free(&shape->afterwards);
}
