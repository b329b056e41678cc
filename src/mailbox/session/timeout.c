/*
 * How long a client may say nothing, what it hears meanwhile in IDLE, and when it is sent away.  Loop thread.
 */
#include "timeout.h"

#include "../shared/role.h"
#include "config/config.h"

#define STILL_HERE_MS	120000
#define AUTHENTICATE_MS	30000

static uint64_t
timeout_ms(const struct session *session)
{
	if (session->account == NULL)
		return AUTHENTICATE_MS;
	return session->role->parts.config->idle_timeout_s * 1000;
}

/* When it must leave, that may be before. */
static uint64_t
sooner_ms(const struct session *session, uint64_t left_ms)
{
	uint64_t now_us = loop_now_us(session->role->parts.loop), cut_ms;

	if (session->cut_us == 0)
		return left_ms;
	cut_ms = session->cut_us > now_us ? (session->cut_us - now_us) / 1000 : 0;
	return cut_ms < left_ms ? cut_ms : left_ms;
}

void
timeout_start(struct session *session)
{
	uint64_t idle_ms = (loop_now_us(session->role->parts.loop) - session->active_us) / 1000;
	uint64_t limit_ms = timeout_ms(session);
	uint64_t left_ms = idle_ms >= limit_ms ? 0 : limit_ms - idle_ms;

	if (session->is_idling && left_ms > STILL_HERE_MS)
		left_ms = STILL_HERE_MS;
	left_ms = sooner_ms(session, left_ms);
	timer_start_ms(&session->timer, left_ms + 1);
}

void
timeout_note_activity(struct session *session)
{
	if (session_is_closing(session))
		return;
	session->active_us = loop_now_us(session->role->parts.loop);
	if (session->is_idling || session->account == NULL || !timer_is_running(&session->timer))
		timeout_start(session);
}

void
timeout_on_timer(void *context)
{
	struct session *session = context;
	uint64_t now_us = loop_now_us(session->role->parts.loop), idle_us = now_us - session->active_us;

	if (session->cut_us != 0 && now_us >= session->cut_us) {
		session_bye(session, session->end_reason, NULL, session->farewell);
		return;
	}
	if (idle_us >= timeout_ms(session) * 1000 && session->phase != SESSION_RUNNING) {
		session_bye(session, METRIC_TIMEOUT, NULL, "idle for too long");
		return;
	}
	if (session->phase == SESSION_RUNNING)
		session->active_us += idle_us;
	if (session->is_idling && session->phase == SESSION_LISTENING) {	/* else within what NOTIFY fetches */
		buffer_add_string(&session->out, "* OK still here\r\n");
		session_flush(session);
	}
	timeout_start(session);
}

void
session_leave_within(struct session *session, uint64_t ms, const char *text)
{
	session_leave(session, METRIC_KICKED, NULL, text);
	session->cut_us = loop_now_us(session->role->parts.loop) + ms * 1000;
	timeout_start(session);
}
