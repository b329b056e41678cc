/*
 * Operators who look on what is said in sessions: lines that the roles have made fit for it (imap/redact.h) go to those who
 * asked for the session.  Who reads slowly loses lines, and is told how many.  Loop thread.
 */
#ifndef CONTROL_TRACE_H
#define CONTROL_TRACE_H

#include "base/list.h"
#include "control/session.h"

#define TRACES_MAX 16

struct stream;
struct trace;

struct traces {
	struct list all;
	size_t count;
	void (*on_change)(void *context);	/* one began or ended: who is traced has to be found out anew */
	void *context;
};

enum trace_from { TRACE_CLIENT, TRACE_SERVER, TRACE_NOTE };

/* Nobody is traced; ends all traces. */
void traces_init(struct traces *traces, void (*on_change)(void *context), void *context);
void traces_fini(struct traces *traces);

/* What is looked on. */
struct trace_wish {
	session_each *fits;			/* called for each session, and with the name that a client claims while it logs in */
	void (*on_over)(void *context);		/* the session is over, and trace_end() may wait for what is told elsewhere; NULL: it does not */
	void (*on_end)(void *context);		/* nobody looks on any more: the trace is gone */
	void *context;
	bool is_of_session;			/* it is of one session, and over with that */
};

/*
 * Send what is said in the sessions of which fits says so, until the other end closes the stream, or until the session
 * is over.
 *
 *	stream	taken; each line is `+line time=... sid=... from=client text="..."` and its kind
 */
struct trace *trace_begin(struct traces *traces, struct stream *stream, const struct trace_wish *wish);

/* Send a line that another host has told, of the same form. */
void trace_pass(struct trace *trace, struct span line);

/* Send a note that is of no session. */
void trace_note(struct trace *trace, struct span text);

/* Say that it is over, and end it. */
void trace_end(struct trace *trace);

/* Whether anybody looks on at all; NULL: there is nobody who could. */
static inline bool
traces_are_on(const struct traces *traces)
{
	return traces != NULL && traces->count > 0;
}

/* Whether somebody looks on this session. */
bool traces_want(const struct traces *traces, const struct session_facts *facts);

/* Tell those who do. */
void traces_say(struct traces *traces, const struct session_facts *facts, enum trace_from from, struct span text);

/* The session is over: traces of it alone end. */
void traces_end_session(struct traces *traces, const struct session_facts *facts);

#endif
