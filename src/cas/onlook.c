/*
 * Clients that an operator looks on, until they have logged in: what they say is shown without what may be a secret, and
 * whom they say that they are not at all.  Who looks on by a user's name sees how that one logs in, or tries to, from the
 * beginning: so the last lines of each client are kept while somebody looks on.  Loop thread.
 */
#include "base/base64.h"
#include "client.h"
#include "imap/redact.h"

#define UNSHOWN_MAX 8192	/* octets of lines that are kept for each client */

/* The name that is being proved, as the directory would have it. */
static struct session_facts
facts_with_claim(const struct cas_client *client, struct directory_name *name)
{
	struct session_facts facts = client_facts(client);

	if (client->sasl != NULL && directory_prepare_name(sasl_user(client->sasl), name))
		facts.claim = directory_name_span(name);
	return facts;
}

static void
say_unshown(struct cas_client *client, const struct session_facts *facts)
{
	struct span rest = buffer_span(&client->unshown);

	while (rest.length > 0) {
		size_t end = span_find(rest, '\n');

		traces_say(client->cas->parts.traces, facts, rest.at[0] == 'C' ? TRACE_CLIENT : TRACE_SERVER,
		    span_slice(rest, 1, end - 1));
		rest = span_from(rest, end + 1);
	}
	buffer_clear(&client->unshown);
}

static void
keep(struct cas_client *client, enum trace_from from, struct span text)
{
	if (from == TRACE_NOTE || client->unshown.length + text.length > UNSHOWN_MAX)
		return;
	buffer_add_octet(&client->unshown, from == TRACE_CLIENT ? 'C' : 'S');
	buffer_add_span(&client->unshown, text);
	buffer_add_octet(&client->unshown, '\n');
}

static void
say(struct cas_client *client, enum trace_from from, struct span text)
{
	struct directory_name name;
	struct session_facts facts;

	if (!traces_are_on(client->cas->parts.traces)) {
		buffer_clear(&client->unshown);
		return;
	}
	facts = facts_with_claim(client, &name);
	if (!traces_want(client->cas->parts.traces, &facts)) {
		keep(client, from, text);
		return;
	}
	say_unshown(client, &facts);
	traces_say(client->cas->parts.traces, &facts, from, text);
}

static void
say_octets(struct cas_client *client, enum trace_from from, const char *before, size_t octets, const char *after)
{
	struct buffer text = { 0 };

	buffer_add_string(&text, before);
	imap_redact_octets(octets, &text);
	buffer_add_string(&text, after);
	say(client, from, buffer_span(&text));
	buffer_free(&text);
}

static void
say_command(struct cas_client *client, const struct imap_command_line *line)
{
	struct buffer text = { 0 };

	imap_redact_stranger(line, &text);
	say(client, TRACE_CLIENT, buffer_span(&text));
	buffer_free(&text);
}

void
onlook_event(struct cas_client *client, const struct imap_event *event, size_t octets)
{
	switch (event->kind) {
	case IMAP_EVENT_COMMAND:
		say_command(client, event->command);
		break;
	case IMAP_EVENT_LINE:
		say_octets(client, TRACE_CLIENT, "", event->octets.length, "");
		break;
	case IMAP_EVENT_ERROR:
	case IMAP_EVENT_MESSAGE_BEGINS:
		say_octets(client, TRACE_CLIENT, "", octets, " that are not understood");
		break;
	default:
		break;
	}
}

void
onlook_reply(struct cas_client *client, struct span line)
{
	struct buffer text = { 0 };
	struct span shown = span_without_line_end(line);

	if (client->hides_tag && !span_starts_with(shown, SPAN("*"))) {
		buffer_add_octet(&text, '-');
		shown = span_from(shown, span_find(shown, ' '));
	}
	imap_redact_text(shown, &text);
	say(client, TRACE_SERVER, buffer_span(&text));
	buffer_free(&text);
}

void
onlook_octets(struct cas_client *client, const char *before, size_t octets)
{
	say_octets(client, TRACE_SERVER, before, octets, "");
}

void
onlook_begin(struct cas_client *client)
{
	say(client, TRACE_NOTE, client->server == NULL ?
	    SPAN("logged in; the mailbox service shows what follows") :
	    SPAN("logged in; what follows is relayed and cannot be shown"));
	buffer_free(&client->unshown);
}

void
onlook_end(struct cas_client *client)
{
	struct session_facts facts = client_facts(client);
	struct buffer text = { 0 };

	buffer_printf(&text, "the connection is over: %llu octets from the client, %llu to it",
	    (unsigned long long)facts.in, (unsigned long long)facts.out);
	say(client, TRACE_NOTE, buffer_span(&text));
	buffer_free(&text);
	traces_end_session(client->cas->parts.traces, &facts);
}

/* Nothing to find out before somebody says something: each line is asked about. */
void
cas_onlook(struct cas *cas)
{
	if (traces_are_on(cas->parts.traces))
		return;
	LIST_FOREACH(&cas->strangers, link)
		buffer_free(&LIST_ENTRY(link, struct cas_client, link)->unshown);
}
