/*
 * Sessions in numbers.  What the cas says on the link before its user is logged in is no client's command.
 */
#include "counting.h"

#include "../shared/role.h"
#include "base/clock.h"

_Static_assert((int)METRIC_BAD == IMAP_BAD && IMAP_COMMAND_COUNT < METRIC_COMMANDS_MAX, "as metrics count them");

/* Those that are no failure of the client or the server, but a limit. */
static void
count_limit(enum reply reply)
{
	static const struct {
		enum reply reply;
		enum metric_limit limit;
	} limits[] = {
		{ REPLY_OVER_QUOTA, METRIC_QUOTA },
		{ REPLY_TOO_BIG, METRIC_MESSAGE_SIZE },
		{ REPLY_CPU_LIMIT, METRIC_COMMAND_CPU },
		{ REPLY_SEARCHED_IN_PART, METRIC_COMMAND_CPU },
		{ REPLY_BEYOND_LIMIT, METRIC_MESSAGE_LIMIT },
		{ REPLY_LIMIT, METRIC_LIMIT_OTHER },
		{ REPLY_KEYWORD_LIMIT, METRIC_LIMIT_OTHER },
	};

	for (size_t i = 0; reply != REPLY_DONE && i < COUNT_OF(limits); i++) {
		if (limits[i].reply == reply)
			metric_count(METRIC_LIMIT_HITS, limits[i].limit, 0);
	}
}

/* What was stored is counted where it is. */
static void
count_refused(enum reply reply)
{
	bool is_temporary = reply == REPLY_DISK_FULL || reply == REPLY_UNAVAILABLE || reply == REPLY_CORRUPT ||
	    reply == REPLY_MISSING;

	if (reply != REPLY_DONE)
		metric_count(METRIC_APPENDS, is_temporary ? METRIC_TEMPORARY : METRIC_PERMANENT, 0);
}

void
count_reply(const struct session *session, enum imap_verb verb, enum reply reply)
{
	if (session->account == NULL)
		return;
	metric_count(METRIC_COMMANDS, verb + 1, reply_words(reply)->condition);
	count_limit(reply);
	if (verb == IMAP_APPEND || verb == IMAP_REPLACE)
		count_refused(reply);
}

void
count_answer(const struct session *session, enum reply reply)
{
	enum imap_verb verb = session->line->verb;

	if (session->account == NULL || verb == IMAP_AUTHENTICATE)
		return;
	count_reply(session, verb, reply);
	if (verb != IMAP_IDLE)		/* which ends when its client wants it to */
		metric_observe_us(METRIC_COMMAND_DURATION, verb + 1, clock_monotonic_us() - session->command_us);
}

void
count_untold(struct session *session, bool has_untold_news)
{
	if (has_untold_news != session->has_untold_news)
		session->role->untold_count += has_untold_news ? 1 : UINT64_MAX;
	session->has_untold_news = has_untold_news;
}

void
count_begin(struct session *session)
{
	session->role->sessions_in[session->counted_as]++;
}

void
count_end(struct session *session)
{
	count_untold(session, false);
	session->role->sessions_in[session->counted_as]--;
	metric_count(METRIC_CONNECTIONS_CLOSED, METRIC_MAILBOX, session->end_reason);
}

static enum metric_state
state_of(const struct session *session)
{
	if (session->account == NULL)
		return METRIC_PRELOGIN;
	if (session->is_idling)
		return METRIC_IDLE;
	return session->view != NULL ? METRIC_SELECTED : METRIC_AUTHENTICATED;
}

void
count_state(struct session *session)
{
	uint64_t *sessions_in = session->role->sessions_in;
	enum metric_state now = state_of(session);

	sessions_in[session->counted_as]--;
	sessions_in[now]++;
	session->counted_as = now;
}
