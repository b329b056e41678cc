/*
 * The verbs who and kick: the sessions as both roles of this process see them.  What the cas knows of a client and what the
 * mailbox role knows of its session is one record.  Many sessions are looked at in slices.  Loop thread.
 */
#include <sysexits.h>

#include "base/clock.h"
#include "control/words.h"
#include "internal.h"
#include "whom.h"

#define SLICE 100	/* sessions looked at in a turn: about a millisecond */

enum part { PART_USERS, PART_STRANGERS, PART_MAILBOX, PART_COUNT };

struct who {
	struct service *service;
	struct control_call *call;
	struct whom whom;
	bool is_counting, shows_mailbox;
	enum part part;
	uint64_t after;			/* in that part */
	unsigned visited;		/* in this turn */
	uint64_t count;
};

static struct span
text_of(const char *text)
{
	return span_from_string(text == NULL ? "" : text);
}

static void
add_figures(struct buffer *line, const struct session_facts *facts, uint64_t now_us)
{
	status_add_time(line, "since", clock_calendar_s() - (int64_t)((now_us - facts->began_us) / 1000000));
	control_add_number(line, "seconds", (int64_t)((now_us - facts->began_us) / 1000000));
	control_add_number(line, "idle", (int64_t)((now_us - facts->active_us) / 1000000));
	control_add_number(line, "in", (int64_t)facts->in);
	control_add_number(line, "out", (int64_t)facts->out);
	control_add_field(line, "compressed", text_of(facts->is_compressed ? "yes" : "no"));
	control_add_number(line, "plain-in", (int64_t)facts->plain_in);
	control_add_number(line, "plain-out", (int64_t)facts->plain_out);
}

static void
tell(const struct who *who, const struct session_facts *facts)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("session"));
	control_add_field(&line, "sid", facts->sid);
	control_add_field(&line, "user", facts->user);
	control_add_field(&line, "by", facts->by);
	control_add_field(&line, "address", text_of(facts->address));
	control_add_number(&line, "port", (int64_t)facts->port);
	control_add_field(&line, "client", facts->client);
	control_add_field(&line, "state", text_of(facts->state));
	control_add_field(&line, "command", text_of(facts->command));
	control_add_field(&line, "busy", text_of(facts->is_busy ? "yes" : "no"));
	control_add_field(&line, "mailbox", who->shows_mailbox ? facts->mailbox : SPAN(""));
	control_add_field(&line, "mechanism", text_of(facts->mechanism));
	control_add_field(&line, "relay", text_of(facts->relay));
	control_add_field(&line, "tls", text_of(facts->tls == NULL ? "no" : facts->tls));
	control_add_field(&line, "roles", text_of(!facts->is_at_cas ? "mailbox" : facts->is_at_mailbox ? "cas mailbox" : "cas"));
	add_figures(&line, facts, loop_now_us(who->service->loop));
	control_reply(who->call, buffer_span(&line));
	buffer_free(&line);
}

/* True: the next one, in this turn still. */
static bool
on_session(const struct session_facts *known, void *context)
{
	struct who *who = context;
	struct session_facts facts = *known;

	if (facts.is_at_cas && who->service->mailbox != NULL)
		mailbox_role_add_facts(who->service->mailbox, &facts);
	if (whom_fits(&who->whom, &facts)) {
		who->count++;
		if (!who->is_counting)
			tell(who, &facts);
	}
	return ++who->visited < SLICE;
}

static uint64_t
walk(struct who *who)
{
	struct service *service = who->service;

	if (who->part == PART_MAILBOX)
		return service->mailbox == NULL ? SESSION_WALK_END :
		    mailbox_role_walk_sessions(service->mailbox, who->after, on_session, who);
	return service->cas == NULL ? SESSION_WALK_END :
	    cas_walk_sessions(service->cas, who->part == PART_USERS, who->after, on_session, who);
}

static void
go_on(struct control_call *call, void *context)
{
	struct who *who = context;

	who->visited = 0;
	while (who->part < PART_COUNT && !control_call_is_gone(call)) {
		who->after = walk(who);
		if (who->after != SESSION_WALK_END) {
			control_when_room(call, go_on, who);
			return;
		}
		who->after = 0;
		who->part++;
	}
	if (who->is_counting)
		control_replyf(call, "count sessions:=%llu", (unsigned long long)who->count);
	control_finish(call, EX_OK, NULL);
}

/* The words behind the first.  False: one is unknown. */
static bool
read_words(struct who *who)
{
	const struct span client = SPAN("client=");

	for (size_t i = 1; i < control_call_count(who->call); i++) {
		struct span word = control_call_word(who->call, i);

		if (span_equals(word, SPAN("strangers")))
			who->whom.takes_strangers = true;
		else if (span_equals(word, SPAN("count")))
			who->is_counting = true;
		else if (span_starts_with(word, client))
			who->whom.client = span_from(word, client.length);
		else
			return false;
	}
	return true;
}

static bool
is_anybody_there(const struct service *service, struct control_call *call)
{
	if (service->cas != NULL || service->mailbox != NULL)
		return true;
	control_finish(call, EX_UNAVAILABLE, "both services are stopped, and nobody is logged in; see `imapctl status`");
	return false;
}

static void
on_who(struct control_call *call, void *context)
{
	struct who *who = control_call_memory(call, sizeof *who);

	*who = (struct who){ .service = context, .call = call, .shows_mailbox = control_call_may(call, CONTROL_CHANGE) };
	if (!is_anybody_there(context, call))
		return;
	whom_init(&who->whom, control_call_count(call) > 0 ? control_call_word(call, 0) : SPAN(""));
	if (read_words(who))
		go_on(call, who);
	else
		control_finish(call, EX_USAGE, "who [NAME|SID|ADDRESS] [strangers] [count] [client=TEXT]");
}

/* Who is to be sent away: whoever was there when the operator asked, and not who has come back since. */
struct kicking {
	struct service *service;
	struct control_call *call;
	struct whom whom;
	uint64_t asked_us;
	enum part part;
	uint64_t after;			/* in that part */
	struct session_kick kick;
};

static bool
is_meant(const struct session_facts *facts, void *context)
{
	const struct kicking *kicking = context;

	return facts->began_us <= kicking->asked_us && whom_fits(&kicking->whom, facts);
}

static uint64_t
kick_some(struct kicking *kicking)
{
	struct service *service = kicking->service;

	kicking->kick.looks = SLICE;
	if (kicking->part == PART_MAILBOX)
		return service->mailbox == NULL ? SESSION_WALK_END :
		    mailbox_role_kick(service->mailbox, kicking->after, &kicking->kick);
	return service->cas == NULL ? SESSION_WALK_END :
	    cas_kick(service->cas, kicking->part == PART_USERS, kicking->after, &kicking->kick);
}

/* To its end, also when the operator has gone meanwhile. */
static void
go_on_kicking(struct control_call *call, void *context)
{
	struct kicking *kicking = context;

	while (kicking->part < PART_COUNT) {
		kicking->after = kick_some(kicking);
		if (kicking->after != SESSION_WALK_END) {
			control_when_room(call, go_on_kicking, kicking);
			return;
		}
		kicking->after = 0;
		kicking->part++;
	}
	control_replyf(call, "kicked sessions:=%llu", (unsigned long long)kicking->kick.count);
	if (kicking->kick.count > 0)
		control_finish(call, EX_OK, NULL);
	else
		control_finish(call, 1, "nobody has a session by that name, id or address");
}

static void
on_kick(struct control_call *call, void *context)
{
	struct kicking *kicking = control_call_memory(call, sizeof *kicking);

	if (!is_anybody_there(context, call))
		return;
	if (control_call_count(call) != 1 || control_call_word(call, 0).length == 0) {
		control_finish(call, EX_USAGE, "kick needs a user, a session id or an address");
		return;
	}
	*kicking = (struct kicking){ .service = context, .call = call, .asked_us = clock_monotonic_us(),
		.kick = { .is_meant = is_meant, .context = kicking } };
	whom_init(&kicking->whom, control_call_word(call, 0));
	go_on_kicking(call, kicking);
}

void
sessions_register(struct service *service)
{
	control_register(service->control, "who", CONTROL_VIEW, on_who, service);
	control_register(service->control, "kick", CONTROL_CHANGE, on_kick, service);
}
