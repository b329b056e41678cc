/*
 * How much CPU one command may cost, on workers and on the loop together.  It is measured by the clock of the thread that
 * works, so that a machine which is busy with others does not make a command dearer.  Past command-cpu-limit a command
 * that goes step by step ends with LIMIT: "The operation ran up against an implementation limit of some kind" (RFC 9051
 * section 7.1, RFC 5530 section 3).  Not for what no client has asked for, NOTIFY's FETCH, nor for the operator.
 *
 * The first turn and the first job of a command, bounded as each is, are not measured: most commands have no others, and
 * asking the kernel for the time of a thread is a tenth of what they cost.  Loop thread.
 */
#include "budget.h"

#include "../shared/role.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"

void
budget_begin(struct session *session)
{
	session->cpu_us = 0;
	session->has_stepped = false;
}

bool
budget_is_step(struct session *session)
{
	bool is_step = session->has_stepped;

	session->has_stepped = true;
	return is_step;
}

void
budget_note_turn(struct session *session, uint64_t since_us)
{
	session->cpu_us += clock_thread_us() - since_us;
}

void
budget_note_job(struct session *session, uint64_t cpu_us)
{
	session->cpu_us += cpu_us;
}

enum reply
session_reason_to_stop(const struct session *session)
{
	bool is_limited = !session->is_unasked && !session->is_operators;

	if (session->phase == SESSION_CLOSING)
		return REPLY_CANCELLED;
	if (session->view != NULL && view_is_revoked(session->view))
		return REPLY_DENIED;
	if (is_limited && session->cpu_us > session->role->parts.config->command_cpu_limit_ms * 1000)
		return REPLY_CPU_LIMIT;
	return REPLY_DONE;
}

void
budget_log(const struct session *session)
{
	log_warning("command-limit", log_text("sid", session->sid), log_text("user", session->user),
	    log_text("command", imap_commands[session->line->verb].name),
	    log_number("ms", (int64_t)(session->cpu_us / 1000)));
}
