/*
 * What comes back from the mailbox role, and why: its user has said UNAUTHENTICATE, or goes on at another mailbox server.  The
 * octet behind the word tells which (link/link.h).  Loop thread.
 */
#include "client.h"
#include "link/link.h"

static void
on_input(struct stream *stream, void *context)
{
	struct cas_client *client = context;
	uint8_t octet;

	if (!stream_has_input(stream))
		return;
	octet = stream_input(stream).at[0];
	stream_consume(stream, 1);
	if (octet == LINK_CARRIED)
		carry_begin(client);
	else if (octet == (uint8_t)client->return_word[RETURN_WORD_LENGTH - 1])
		unauthenticate_begin(client);
	else
		unauthenticate_lost(client);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	unauthenticate_lost(context);
}

static const struct stream_events events = { on_input, NULL, on_end };

void
returning_begin(struct cas_client *client)
{
	client_enter(client, RETURNING);
	stream_pause_input(client->stream);
	client_listen(client);
	stream_set_input_limit(client->mailbox, RETURNED_MAX + 1);
	stream_set_events(client->mailbox, &events, client);
}
