/*
 * A session that goes on here: its user has moved, and the front end brings what the mailbox server before has said of it
 * (src/link/README, "Moving a user").  The client notices nothing: nothing is told before the next thing happens.  Loop
 * thread.
 */
#include "../session/carry.h"
#include "../shared/role.h"
#include "base/base64.h"
#include "base/log.h"
#include "commands.h"
#include "idle.h"

struct carry {
	struct role_lookup lookup;
	struct state_waiter waiter;
	struct session *session;
	struct carried carried;
};

static void
fail(struct carry *carry, enum reply reply, const char *why)
{
	struct session *session = carry->session;

	log_warning("carry-failed", log_text("sid", session->sid), log_span("user", directory_name_span(&carry->lookup.names[0])),
	    log_text("reason", why));
	buffer_free(&carry->lookup.groups);
	session_finish(session, reply);
	session_end_wait(session);
}

static void
go_on(struct carry *carry)
{
	struct session *session = carry->session;
	bool is_idling = carry->carried.is_idling;
	struct arena *arena = arena_new();
	struct carried wire = { .is_deflated = carry->carried.is_deflated, .window = arena_copy(arena, carry->carried.window),
		.unread = arena_copy(arena, carry->carried.unread) };
	struct span tag = arena_copy(arena, carry->carried.idle_tag);

	session_finish(session, REPLY_DONE);	/* the line, and with it all of this, is gone */
	session_take_wire(session, &wire);
	if (is_idling && !session_is_closing(session))
		idle_resume(session, tag);
	arena_free(&arena);
	session_end_wait(session);
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	struct carry *carry = CONTAINER_OF(waiter, struct carry, waiter);

	if (session_is_closing(carry->session)) {
		state_release(&state);
		fail(carry, REPLY_CANCELLED, "the client has gone");
	} else if (session_take_view(carry->session, &carry->carried, state)) {
		go_on(carry);
	} else {
		fail(carry, REPLY_BAD_STATE, "the mailbox is not as it was");
	}
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct carry *carry = CONTAINER_OF(lookup, struct carry, lookup);
	struct session *session = carry->session;

	if (session_is_closing(session) || lookup->status != DIRECTORY_OK) {
		fail(carry, lookup->status == DIRECTORY_NOT_FOUND ? REPLY_NO_USER : REPLY_UNAVAILABLE,
		    directory_status_text(lookup->status));
		return;
	}
	if (!span_equals(span_from_string(lookup->mailbox_id), carry->carried.account)) {
		fail(carry, REPLY_NO_USER, "the name is another user's by now");
		return;
	}
	session_take_words(session, &carry->carried);
	session_login(session, directory_name_span(&lookup->found), lookup->mailbox_id, buffer_span(&lookup->groups),
	    directory_name_span(&lookup->former));
	buffer_free(&lookup->groups);
	session_take_manner(session, &carry->carried);
	carry->waiter.on_ready = on_ready;
	if (carry->carried.mailbox_id == 0)
		go_on(carry);
	else
		state_hold_for(session->account, carry->carried.mailbox_id, NULL, &carry->waiter);
}

/* The user, NUL, the state. */
static bool
read_message(struct carry *carry, struct span text)
{
	struct buffer message = { 0 };
	struct span user;
	bool is_good = base64_decode(text, &message);

	user = span_slice(buffer_span(&message), 0, span_find(buffer_span(&message), 0));
	is_good = is_good && directory_prepare_name(user, &carry->lookup.names[0]) &&
	    carried_read(span_from(buffer_span(&message), user.length + 1), carry->session->line->arena, &carry->carried);
	buffer_free(&message);
	return is_good;
}

void
cmd_carry(struct session *session)
{
	struct carry *carry = ARENA_NEW(session->line->arena, struct carry);

	carry->session = session;
	session_begin_wait(session);
	if (!read_message(carry, session->line->authenticate.initial)) {
		fail(carry, REPLY_BAD_ARGUMENT, "it is not understood here");
		return;
	}
	carry->lookup.name_count = 1;
	carry->lookup.is_login = true;
	carry->lookup.may_be_shared = session->prover != NULL;
	carry->lookup.may_be_disabled = session->is_master;
	carry->lookup.done = on_looked_up;
	role_look_up(session->role, &carry->lookup);
}
