/*
 * What the operator may ask about clients: who, kick.
 */
#include <sysexits.h>

#include "client.h"
#include "control/control.h"
#include "control/words.h"

static void
tell(struct control_call *call, const struct cas_client *client, uint64_t now_us)
{
	struct buffer line = { 0 };
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	control_add_word(&line, SPAN("session"));
	control_add_field(&line, "sid", span_from_string(client->sid));
	control_add_field(&line, "user", directory_name_span(&client->user));
	control_add_field(&line, "by", client_acting(client));
	control_add_field(&line, "address", span_from_string(client->address));
	control_add_field(&line, "relay", span_from_string(client->server == NULL ? "" : client->server->name));
	control_add_field(&line, "tls", span_from_string(tls.version == NULL ? "no" : tls.version));
	control_add_number(&line, "seconds", (now_us - client->began_us) / 1000000);
	control_add_number(&line, "in", stream_octets_in(client->stream) - client->octets_in);
	control_add_number(&line, "out", stream_octets_out(client->stream) - client->octets_out);
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static bool
is_meant(const struct cas_client *client, struct span word)
{
	return span_equals(directory_name_span(&client->user), word) ||
	    span_equals(span_from_string(client->sid), word);
}

static void
on_who(struct control_call *call, void *context)
{
	struct cas *cas = context;
	bool wants_all = control_call_count(call) == 0;

	LIST_FOREACH(&cas->users, link) {
		const struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (wants_all || is_meant(client, control_call_word(call, 0)))
			tell(call, client, loop_now_us(cas->parts.loop));
	}
	control_finish(call, EX_OK, NULL);
}

static void
on_kick(struct control_call *call, void *context)
{
	struct cas *cas = context;
	uint64_t count = 0;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "kick needs a user or a session id");
		return;
	}
	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (client->is_leaving || !is_meant(client, control_call_word(call, 0)))
			continue;
		timer_start_ms(&client->patience_timer, STOP_GRACE_MS);
		pipe_leave(client, METRIC_KICKED, NULL, "The operator has ended this session");
		count++;
	}
	control_replyf(call, "kicked sessions:=%llu", (unsigned long long)count);
	if (count > 0)
		control_finish(call, EX_OK, NULL);
	else
		control_finish(call, 1, "nobody is logged in by that name");
}

void
cas_register(struct cas *cas, struct control *control)
{
	control_register(control, "who", CONTROL_VIEW, on_who, cas);
	control_register(control, "kick", CONTROL_CHANGE, on_kick, cas);
}
