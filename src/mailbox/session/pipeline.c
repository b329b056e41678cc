/*
 * The commands behind the one under way: a list of those that have begun, and one event of the parser that has to wait.
 * Loop thread.
 */
#include "pipeline.h"

#include <assert.h>
#include <string.h>

#include "../shared/role.h"
#include "base/clock.h"
#include "budget.h"
#include "ground.h"
#include "net/deflate.h"
#include "net/stream.h"

#define FOLLOWERS_MAX	64	/* until all are answered */
#define FOLLOWER_OCTETS 4096	/* of a command: what waits is bounded */

void
session_lead(struct session *session)
{
	session->pipeline.is_open = true;
	session->pipeline.verb = session->line->verb;
}

void
session_follow(struct session *session, struct session_follower *follower)
{
	list_push_back(&session->pipeline.followers, &follower->link);
	follower->began_us = clock_monotonic_us();
	session->pipeline.taken++;
	session->pipeline.octets += follower->octets;
}

bool
session_may_follow(const struct session *session, size_t octets)
{
	return octets <= SESSION_BATCH_OCTETS - session->pipeline.octets;
}

bool
session_set_init_behind(const struct session *session, struct view_set *set, struct imap_command_line *line,
    const struct imap_sequence *sequence, size_t messages_max)
{
	struct imap_sequence *copy = ARENA_NEW(line->arena, struct imap_sequence);

	if (session->is_uid_only && imap_command_has_numbers(line))
		return false;
	*copy = *sequence;
	copy->ranges = arena_alloc_array(line->arena, copy->count + 1, sizeof copy->ranges[0]);
	memcpy(copy->ranges, sequence->ranges, copy->count * sizeof copy->ranges[0]);
	return view_set_init(set, session->view, copy, line->is_uid, &session->saved) && view_set_bound(set) <= messages_max;
}

bool
pipeline_may_read(const struct session *session)
{
	return session->pipeline.is_open && !session->pipeline.is_holding && !session->is_leaving &&
	    session->pipeline.taken < FOLLOWERS_MAX;
}

static bool
begins_behind(struct session *session, const struct imap_event *event)
{
	const struct session_commands *commands = session->commands;

	switch (event->kind) {
	case IMAP_EVENT_NEED_MORE:
	case IMAP_EVENT_MESSAGE_ENDS:
		return true;
	case IMAP_EVENT_MESSAGE_BEGINS:
		return session->pipeline.verb == IMAP_APPEND && commands->message_follows(session, &event->message);
	case IMAP_EVENT_MESSAGE_OCTETS:
		commands->message_octets(session, event->octets);
		return true;
	case IMAP_EVENT_COMMAND:
		return event->command->verb == session->pipeline.verb && event->command->raw.length <= FOLLOWER_OCTETS &&
		    commands->followers[event->command->verb](session, event->command);
	default:
		return false;
	}
}

void
pipeline_take(struct session *session, const struct imap_event *event)
{
	if (begins_behind(session, event))
		return;
	session->pipeline.event = *event;
	session->pipeline.is_holding = true;
	/* Behind UNAUTHENTICATE nothing is inflated any more: RFC 8437 section 4.1. */
	if (session->stream != NULL && stream_is_deflated(session->stream))
		stream_pause_input(session->stream);
}

bool
pipeline_is_holding(const struct session *session)
{
	return session->pipeline.is_holding;
}

struct imap_event
pipeline_give(struct session *session)
{
	session->pipeline.is_holding = false;
	if (session->stream != NULL)
		stream_resume_input(session->stream);
	return session->pipeline.event;
}

static bool
has_followers(const struct session *session)
{
	return !list_is_empty(&session->pipeline.followers);
}

bool
pipeline_keeps_numbers(const struct session *session)
{
	return has_followers(session) && imap_commands[session->pipeline.verb].numbers == IMAP_NUMBERS_MUST_STAY;
}

void
pipeline_close(struct session *session)
{
	if (!has_followers(session))
		session->pipeline.is_open = false;
}

static void
begin_turn(struct session *session)
{
	struct session_follower *follower =
	    LIST_ENTRY(list_pop_front(&session->pipeline.followers), struct session_follower, link);

	session->pipeline.octets -= follower->octets;
	session_begin_line(session, follower->line);
	session->command_us = follower->began_us;
	if (follower->is_home)
		follower->answer(session, follower);
	else
		session_flush(session);
}

bool
pipeline_go_on(struct session *session)
{
	if (!has_followers(session)) {
		session->pipeline.taken = 0;
		return false;
	}
	if (session_has_room(session))
		begin_turn(session);
	else
		session_when_room(session, begin_turn);
	return true;
}

void
pipeline_fini(struct session *session)
{
	if (session->pipeline.is_holding && session->pipeline.event.kind == IMAP_EVENT_COMMAND)
		imap_command_free(&session->pipeline.event.command);
}
