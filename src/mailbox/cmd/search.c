/*
 * SEARCH and UID SEARCH: RFC 9051 sections 6.4.4 and 6.4.9, RFC 3501 section 6.4.4, RFC 4731, RFC 5182,
 * RFC 7162 section 3.1.5, RFC 9394, RFC 9738.  Loop thread.
 */
#include "../search/run.h"
#include "commands.h"

#define LIST_OCTETS (64 * 1024)

/* "* SEARCH" may be long: a piece at a time. */
static void
write_list(struct session *session)
{
	struct search_run *run = session->running;
	struct buffer *out = session_out(session);

	if (session_is_closing(session) ||
	    search_result_write_list(&run->result, session->line, out->length + LIST_OCTETS, out)) {
		search_run_finish(session, REPLY_DONE);
		return;
	}
	session_flush(session);
	session_when_room(session, write_list);
}

static void
on_found(struct session *session, enum reply reply)
{
	const struct imap_search *program = &session->line->search;
	struct search_run *run = session->running;
	unsigned returns = program->has_return ? program->return_options : IMAP_RETURN_ALL;

	if (reply != REPLY_DONE) {
		search_run_finish(session, reply);
		return;
	}
	run->result.is_falling = run->lowest_uid != 0;
	session_stop_at_limit(session, run->lowest_uid);
	if (!program->has_return && !session->is_rev2) {
		write_list(session);
		return;
	}
	returns &= ~IMAP_RETURN_SAVE;
	if (returns != 0)		/* RFC 5182 section 2.1: SAVE alone is answered by nothing */
		search_result_write_esearch(&run->result, program, &(struct imap_esearch){ .tag = session->line->tag,
		    .is_uid = session->line->is_uid, .returns = returns, .partial = program->partial },
		    session_out(session));
	if (program->return_options & IMAP_RETURN_SAVE)
		search_run_save(session);
	search_run_finish(session, REPLY_DONE);
}

void
cmd_search(struct session *session)
{
	struct search_run *run = ARENA_NEW(session->line->arena, struct search_run);

	session->running = run;
	if (session->line->search.has_charset && session->has_utf8)	/* RFC 6855 section 3 */
		search_run_finish(session, REPLY_BAD_ARGUMENT);
	else
		search_run_begin(session, run, session->view, on_found);
}
