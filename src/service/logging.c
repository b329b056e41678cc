/*
 * The verbs about the log: its last lines, those that come, and how much is logged.  Loop thread.
 */
#include <sysexits.h>

#include "base/log.h"
#include "control/words.h"
#include "internal.h"

#define LOG_LINES 50	/* when nobody says how many */

static void
tell_line(struct span line, void *context)
{
	control_reply(context, line);
}

static void
on_log(struct control_call *call, void *context)
{
	uint64_t count = LOG_LINES;

	(void)context;
	if (control_call_count(call) > 0 &&
	    !span_to_number(control_call_word(call, 0), LOG_RECENT_MAX, &count)) {
		control_finish(call, EX_USAGE, "log takes a number of lines, at most 200");
		return;
	}
	log_recent(count, tell_line, call);
	control_finish(call, EX_OK, NULL);
}

/*
 * What has come since: who follows the log asks again and again, so that nobody who reads slowly is waited for.  The lines,
 * and then `next count:=N lost:=N`, the count being the word to ask with.
 */
static void
on_follow(struct control_call *call, void *context)
{
	uint64_t after, lost, next;

	(void)context;
	if (control_call_count(call) != 1 || !span_to_number(control_call_word(call, 0), UINT64_MAX, &after)) {
		control_finish(call, EX_USAGE, "log follow takes the count that it told last, or the greatest there is");
		return;
	}
	next = log_recent_after(after, &lost, tell_line, call);
	control_replyf(call, "next count:=%llu lost:=%llu", (unsigned long long)next, (unsigned long long)lost);
	control_finish(call, EX_OK, NULL);
}

static void
tell_level(const struct service *service, struct control_call *call)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("log-level"));
	control_add_field(&line, "level", span_from_string(log_level_name(log_get_level())));
	control_add_field(&line, "configured", span_from_string(log_level_name((enum log_level)service->config->log_level)));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
	control_finish(call, EX_OK, NULL);
}

static void
on_level(struct control_call *call, void *context)
{
	tell_level(context, call);
}

/* Until the next reload or start.  Said at both levels, so that the log tells why it has more or less from here on. */
static void
on_set_level(struct control_call *call, void *context)
{
	enum log_level level;

	if (control_call_count(call) != 1 || !log_find_level(control_call_word(call, 0), &level)) {
		control_finish(call, EX_USAGE, "there are the levels error, warning, info and debug");
		return;
	}
	log_warning("log-level", log_text("peer", control_call_peer(call)), log_text("level", log_level_name(level)));
	log_set_level(level);
	tell_level(context, call);
}

void
logging_register(struct service *service)
{
	control_register(service->control, "log", CONTROL_VIEW, on_log, service);
	control_register(service->control, "log follow", CONTROL_VIEW, on_follow, service);
	control_register(service->control, "log level", CONTROL_VIEW, on_level, service);
	control_register(service->control, "log set-level", CONTROL_CHANGE, on_set_level, service);
}
