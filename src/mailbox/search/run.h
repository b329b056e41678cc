/*
 * A search under way, for the commands that begin with one, ESEARCH with many: SEARCH, SORT, THREAD.  Each message is first tested with
 * what the packed state knows, and what earlier searches have found out, a slice a turn, when the index was asked.  Those left open are tested by workers, in jobs of some milliseconds:
 * the user's other jobs come in between.  Loop thread.
 */
#ifndef MAILBOX_SEARCH_RUN_H
#define MAILBOX_SEARCH_RUN_H

#include "../session/session.h"
#include "consult.h"
#include "match.h"
#include "result.h"

/* The first member of what session->running points to, zeroed, in the line's arena. */
struct search_run {
	struct session_job job;
	const struct view *view;	/* of the mailbox that is searched; borrowed */
	struct search_program program;
	struct search_result result;
	uint32_t next;			/* message number; behind the end, see is_at_end() */
	uint32_t limit;			/* of messages to look at: then it goes from the last to the first; 0: none */
	uint32_t looked_at;		/* so far, of those that the sets of the keys leave */
	uint32_t last_uid;		/* of the last of them */
	uint32_t lowest_uid;		/* where the limit has ended the run; 0: nowhere */
	uint64_t before, total;		/* for progress: messages of mailboxes searched before, and of all; 0: only this one */
	unsigned phases;		/* so many times the command looks at each message, first here; 0: once */
	bool is_begun;			/* all of this is there, to be freed */
	bool is_reading;		/* account_begin_reading() */
	uint8_t *scratch;
	void (*on_found)(struct session *session, enum reply reply);

	struct search_recall recall;
	struct search_consult consult;
	bool is_consulted;		/* written by the worker */
	struct search_matcher matcher;	/* the worker's */
	struct search_message *open;
	uint8_t *truths;		/* of these */
	size_t open_count;
	size_t prefetched, tested;	/* of them */
};

/*
 * Search for what the session's command says, its texts converted to UTF-8 before.
 *
 *	view		the mailbox to look at, the selected one or another; borrowed until the run is finished
 *	on_found	comes once, maybe before this returns.  REPLY_DONE: run->result is whole; else what the command
 *			is to be ended with
 */
void search_run_begin(struct session *session, struct search_run *run, const struct view *view,
    void (*on_found)(struct session *session, enum reply reply));

/* Keep what was found for "$", reduced to what is kept of it. */
void search_run_save(struct session *session);

/* Free what the run holds: it is as new, for another mailbox. */
void search_run_fini(struct search_run *run);

/* The same, and end the command. */
void search_run_finish(struct session *session, enum reply reply);

#endif
