/*
 * One client after login, at the end of a stream: it reads commands, hands each to its handler in cmd/, and
 * writes what the handler says, in order.  Loop thread.
 *
 * A handler gets the session with session->line, the command as parsed, and ends it by session_finish(),
 * at once or from a job's done().  Whatever it needs until then lives in session->line->arena.  A session
 * whose client has gone stays until the command is finished: what is written then is dropped, so handlers
 * need not ask.
 */
#ifndef SESSION_H
#define SESSION_H

#include "imap/command.h"
#include "imap/parser.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "net/stream.h"
#include "reply.h"
#include "store/acl.h"
#include "view.h"

struct map;
struct onlooker;
struct mailbox_role;
struct notify;
struct session;

/* Called with the command legal in this state of the session. */
typedef void session_handler(struct session *session);

/*
 * A command that has begun behind others of its kind, and is answered in its turn: pipeline.h.  Lives in the arena of its
 * line.
 */
struct session_follower {
	struct list link;
	struct imap_command_line *line;
	bool is_home;			/* what it has done is known */
	size_t octets;			/* about so many of its reply wait until then */
	uint64_t began_us;		/* private to pipeline.c: when it came */
	/* Its turn has come, and it is home: writes and finishes as a handler does. */
	void (*answer)(struct session *session, struct session_follower *follower);
};

/*
 * Begin a command although others of its kind are under way, by session_follow(): takes the line.  False: it has to wait
 * until they are answered, and nothing of it has been done.  Its result may depend on them in what its job finds in the
 * store, and in nothing else.
 */
typedef bool session_follow_handler(struct session *session, struct imap_command_line *line);

/* What sessions can do; the rooms above fill it in. */
struct session_commands {
	session_handler *handlers[IMAP_COMMAND_COUNT];	/* NULL: not spoken on the link */
	session_follow_handler *followers[IMAP_COMMAND_COUNT];	/* for verbs that call session_lead() */
	/* APPEND while its messages come in: incoming/append.h. */
	void (*message_begins)(struct session *session, const struct imap_append_message *message);
	void (*message_octets)(struct session *session, struct span octets);
	bool (*message_follows)(struct session *session, const struct imap_append_message *message);	/* behind others */
	bool (*is_congested)(const struct session *session);	/* read no more octets now */
	void (*forget_message)(struct session *session);
};

#define SESSION_OUTPUT_MAX  (256 * 1024)	/* octets that wait for the client */
#define SESSION_OUTPUT_LOW  (64 * 1024)		/* below this the next batch is asked for */
#define SESSION_NEWS_OCTETS 4096		/* what is announced in one turn */
#define SESSION_BATCH_OCTETS (128 * 1024)	/* what a batch of replies should not exceed by much */

enum session_phase {
	SESSION_READY,		/* waits for a command */
	SESSION_RUNNING,	/* a command is under way; input waits */
	SESSION_APPENDING,	/* octets of a message are coming in */
	SESSION_LISTENING,	/* the command waits for a line: AUTHENTICATE, IDLE */
	SESSION_CLOSING,	/* freed when its last job has come home */
	SESSION_PHASE_COUNT
};

struct session {
	struct list link;		/* in role->sessions */
	uint64_t place;			/* rises along them */
	struct mailbox_role *role;
	const struct session_commands *commands;
	struct stream *stream;		/* NULL once closing */
	struct imap_parser *parser;
	enum session_phase phase;
	char sid[64];			/* for the log */
	char *user;			/* NULL before login */
	char *prover;			/* who acts as the user; NULL: the user */
	bool is_master;			/* as a master user */
	bool is_operators;		/* imapctl's: it came by a call, and there is one for each user */
	char *address;			/* of the client, as the cas says; or NULL; so with the next */
	char *port, *tls, *cipher;
	char *return_word, *return_capability;	/* link/link.h; NULL: there is no way back */
	bool may_carry;			/* that way leads to another mailbox server, too: carry.h */
	struct buffer id;		/* values of the client's ID; imap/id.h */
	unsigned ids_logged;
	struct imap_capabilities masked;	/* by capability-mask, and what this session does not have */
	uint32_t message_limit, save_limit;	/* as configured when it began; 0: none.  See session_message_limit() */
	struct account *account;	/* NULL before login */
	struct store_identity identity;	/* who the user is, for the rights that others give: the name first; owned */
	bool has_former_name;		/* among them, until no file says it any more */
	struct map *visited;		/* accounts of others, held, by their ids; NULL: none */
	struct view *view;		/* NULL: no mailbox is selected */
	unsigned selections;		/* rises when a view goes */
	struct span selected_name;	/* of the view's mailbox, owned */
	bool is_rev2;			/* ENABLE IMAP4rev2: UTF-8 names, ESEARCH, UIDs with flags, no RECENT */
	bool has_utf8;			/* ENABLE UTF8=ACCEPT, RFC 6855: UTF-8 names in IMAP4rev1, too */
	bool has_condstore;		/* CONDSTORE-aware, RFC 7162 section 3.1: MODSEQ in every FETCH that is told */
	bool has_qresync;		/* ENABLE QRESYNC */
	bool is_uid_only;		/* ENABLE UIDONLY, RFC 9586: message numbers are neither taken nor told */
	struct imap_command_line *line;	/* the command under way */
	bool is_line_kept;		/* somebody else frees it */
	bool is_unasked;		/* no client has sent it: nothing is tagged */
	struct imap_command_line *idle_line;	/* IDLE, while something unasked is under way */
	struct notify *notify;		/* NULL: NOTIFY was never used; notify.h */
	void *incoming;			/* the APPEND that comes in, of incoming/append.c */
	struct list whole;		/* those that have come in and are not answered yet */
	struct {
		enum reply reply;
		struct span code;	/* in the line's arena */
		uint32_t lowest_uid;	/* of session_stop_at_limit(), or 0 */
	} ending;			/* the tagged reply, while much is announced before it */
	struct {			/* private to pipeline.c */
		struct list followers;	/* in the order of their commands */
		unsigned taken;		/* so many since nothing was under way */
		size_t octets;		/* of replies that wait for their turn, about */
		enum imap_verb verb;
		bool is_open;		/* commands may begin behind the one under way */
		bool is_holding;	/* an event that has to wait */
		struct imap_event event;
	} pipeline;
	void *running;			/* what the handler of the command under way keeps, in the line's arena */
	struct buffer out;		/* not yet handed to the stream */
	struct imap_sequence saved;	/* UIDs that SEARCH RETURN (SAVE) has left; ranges on the heap */
	struct span appended_name;	/* where APPEND put its last message, on the heap, and the id of that mailbox */
	uint64_t appended_id;
	bool may_expunge;		/* the command's replies may change numbers */
	unsigned jobs;			/* out on their way */
	unsigned bad_commands;
	bool is_reading;		/* account_begin_reading() */
	bool has_ended;			/* the client has sent its last octet */
	bool is_leaving;		/* BYE once no command is under way */
	const char *farewell_code, *farewell;	/* of this BYE; static */
	uint64_t cut_us;		/* when it leaves in any case; 0: it need not */
	bool is_idling;			/* IDLE: what happens is told at once */
	void (*on_room)(struct session *session);
	void (*on_answered)(struct session *session);		/* session_then() */
	void (*on_line)(struct session *session, struct span line);	/* LISTENING */
	struct timer timer;		/* autologout, and "still here" of IDLE */
	struct deferred deferred;	/* advance */
	struct deferred news;		/* announce in IDLE */
	uint64_t cpu_us;		/* what the command under way has cost so far; budget.h, like the next */
	bool has_stepped;		/* it has submitted a job */
	uint64_t progress_us;		/* when the command under way began, or told its progress last */
	uint64_t active_us;		/* when the client last did something */
	uint64_t began_us;		/* of the login, as the next */
	uint64_t octets_in, octets_out;	/* that the login has taken */
	enum imap_verb verb;		/* of the last command; IMAP_COMMAND_COUNT: there was none */
	uint64_t command_us;		/* when the command under way came */
	enum metric_reason end_reason;	/* CLOSING */
	enum metric_state counted_as;	/* among the role's sessions */
	bool has_untold_news;		/* which its client does not read; counted */
	struct onlooker *onlooker;		/* onlook.h; NULL: nobody looks on */
	uint64_t told_in, told_out;	/* octets up to the last answer, for the protocol log: protocol.h */
	bool is_onlooker_due;		/* somebody wants to, from the next command on */
};

/*
 * A job of the command under way; allocate it in session->line->arena, as first member of what it works on.
 */
struct session_job {
	struct account_job job;
	struct session *session;
	/* Worker.  May touch the job and what it owns, the line included, never the session. */
	enum store_status (*work)(struct store *store, struct session_job *job);
	/* Loop.  Always comes: applies the results to the state, then writes and finishes or submits more. */
	void (*done)(struct session *session, struct session_job *job, enum store_status status);
	bool is_measured;		/* private to ground.c, as the next */
	uint64_t cpu_us;		/* what work() has cost */
};

/* Submit on the session's account.  work and done are set by the caller. */
void session_submit(struct session *session, struct session_job *job, enum account_kind kind);

/* The same on another account: one that a state, a view or a door has. */
void session_submit_to(struct session *session, struct session_job *job, struct account *account,
    enum account_kind kind);

/*
 * All that the command under way has to do is in its job: commands of the same kind may begin behind it.
 */
void session_lead(struct session *session);

/*
 * A command has begun behind the one under way.  It must be home in time: at once, or when its job comes home.  line and
 * answer are set by the caller.
 */
void session_follow(struct session *session, struct session_follower *follower);

/* Whether replies of so many octets more may wait for their turn. */
bool session_may_follow(const struct session *session, size_t octets);

/*
 * The set of a command that is to begin behind others.  The one in the line stays as it was sent.  False: it is none, or
 * may have more than so many messages.
 */
bool session_set_init_behind(const struct session *session, struct view_set *set, struct imap_command_line *line,
    const struct imap_sequence *sequence, size_t messages_max);

/*
 * Where replies go: append to it, then session_flush() when a batch is whole; session_finish() flushes, too.
 */
struct buffer *session_out(struct session *session);
void session_flush(struct session *session);

/* Send a whole batch; takes the buffer's memory. */
void session_write_buffer(struct session *session, struct buffer *batch);

/* The same of octets that others may be sent, too: as stream_write_shared(). */
void session_write_shared(struct session *session, struct span octets, stream_release *release, void *context);

/* Call back, never before it returns, when less than SESSION_OUTPUT_LOW waits for the client. */
void session_when_room(struct session *session, void (*on_room)(struct session *session));

bool session_has_room(const struct session *session);

/* Whether another batch has room beside what waits for the client. */
bool session_has_room_ahead(const struct session *session);

/* An account that the session has to do with is about to move elsewhere: no command is begun, and in the end none is read
 * further.  account.h. */
bool session_is_halted(const struct session *session);

/* Only a part of a command has come. */
bool session_is_within_command(const struct session *session);

/* Whether the session has to do with an account. */
bool session_knows(const struct session *session, const struct account *account);

/* Between two commands, or where the command under way waits for its client: nothing is being done. */
bool session_is_at_rest(const struct session *session);

/* A client that has gone: a long command may stop at its next step, and finish. */
bool session_is_closing(const struct session *session);

/*
 * What a long command asks before each of its steps, where nothing of it is half: REPLY_DONE, go on; else what it is to be
 * ended with: REPLY_CANCELLED, the client has gone; REPLY_CPU_LIMIT, the command has cost more than command-cpu-limit.
 */
enum reply session_reason_to_stop(const struct session *session);

/*
 * End the command: what is to be announced, then the tagged reply.  The line and its arena must not be
 * touched afterwards.
 *
 *	code	for session_finish_with(): in the place of the reply's own, without brackets
 */
void session_finish(struct session *session, enum reply reply);
void session_finish_with(struct session *session, enum reply reply, struct span code);

/*
 * To how many messages the command under way may do something, and how many it may put into a mailbox; 0: any number.
 * RFC 9738 section 3.
 */
uint32_t session_message_limit(const struct session *session);
uint32_t session_save_limit(const struct session *session);

/*
 * The command has done what it has to do to as many messages as it may, and left others: the client is told with the
 * tagged reply.
 *
 *	lowest_uid	of the messages that it has dealt with
 */
void session_stop_at_limit(struct session *session, uint32_t lowest_uid);

/*
 * NO [MESSAGELIMIT]: there are more messages than the command may deal with, and it has done nothing.
 *
 *	lowest_uid	down to where it could have gone; 0: not known
 */
void session_finish_beyond_limit(struct session *session, uint32_t lowest_uid);

/* Call back once, when the tagged reply of the command under way is written; not for a client that has gone. */
void session_then(struct session *session, void (*on_answered)(struct session *session));

/*
 * The command under way has done so much of what it has to do: a client is told when it has waited for long, so that it
 * does not take the connection for dead.  Between whole replies only.  RFC 9585.
 */
void session_tell_progress(struct session *session, uint64_t done, uint64_t total);

/* session_finish(reply_for(status)), for what is STORE_OK or a failure. */
void session_finish_status(struct session *session, enum store_status status);

/* Keep the UIDs that SEARCH has found for "$" (RFC 5182); copies.  count 0: nothing is saved. */
void session_save_search(struct session *session, const struct imap_range *uids, size_t count);

/* Make the set of the command ready; false: finished with BAD. */
bool session_set_init(struct session *session, struct view_set *set, struct imap_sequence *sequence);

/*
 * Wait for a line that belongs to the command, of at most max_octets.  It comes once, without its end,
 * borrowed until return; the command is then running again.
 */
void session_expect_line(struct session *session, size_t max_octets,
    void (*on_line)(struct session *session, struct span line));

/*
 * The command is one that makes the client CONDSTORE-aware (RFC 7162 section 3.1).  The first time it is told
 * HIGHESTMODSEQ of the selected mailbox.
 */
void session_begin_condstore(struct session *session);

/* IDLE begins: what is new in the selected mailbox is told, and whatever happens from now on. */
void session_begin_idle(struct session *session);
void session_end_idle(struct session *session);

/*
 * Before anybody is logged in: let another protocol have the stream, which holds what was not read.  What the session has
 * written goes before.
 */
struct stream *session_take_stream(struct session *session);

/* Send what is written and close. */
void session_close(struct session *session, enum metric_reason why);

/* Send what is written, and give the client back to the other end of the link: nobody is logged in any more. */
void session_give_back(struct session *session);

/* Say BYE when the command under way has been answered, and read no other; the texts are static, code may be NULL. */
void session_leave(struct session *session, enum metric_reason why, const char *code, const char *text);

/* The same, but after so long in any case. */
void session_leave_within(struct session *session, uint64_t ms, const char *text);

/* Come last into role->sessions. */
void session_join(struct session *session);

/* Say BYE and close.  code: without brackets, may be NULL. */
void session_bye(struct session *session, enum metric_reason why, const char *code, const char *text);

/*
 * The client is user now: hold the account.
 *
 *	groups	that the user is in, as role_lookup has them
 */
void session_login(struct session *session, struct span user, const char *mailbox_id, struct span groups,
    struct span former);

/* What is known of the client, or the configuration, has changed: find out anew what is masked. */
void session_mask(struct session *session);

/* Whether replies may hold what belongs to a capability. */
static inline bool
session_can(const struct session *session, enum imap_capability capability)
{
	return !imap_capabilities_have(&session->masked, capability);
}

/* "[CAPABILITY ...]" as it is now, without brackets. */
void session_write_capability(const struct session *session, struct buffer *out);

/* Something of the session's own will come later that is no session_job: in pairs. */
void session_begin_wait(struct session *session);
void session_end_wait(struct session *session);

/* Begin on a stream, taken; then session_greet(), before or after session_login().  Borrows commands for life. */
struct session *session_new(struct mailbox_role *role, struct stream *stream,
    const struct session_commands *commands);
void session_greet(struct session *session);

/* APPEND: go on reading octets of messages; or answer it before it is whole, and skip the rest.  code as above. */
void session_resume_append(struct session *session);
void session_refuse_append(struct session *session, struct span tag, enum reply reply);
void session_refuse_append_with(struct session *session, struct span tag, enum reply reply, struct span code);

/* What a view of this session calls. */
void session_on_change(void *context);

/* Whether this mailbox is selected. */
static inline bool
session_has_selected(const struct session *session, const struct account *account, uint64_t mailbox_id)
{
	return session->view != NULL && session->view->state->account == account &&
	    session->view->state->mailbox_id == mailbox_id;
}

/* Leave the selected mailbox. */
void session_unselect(struct session *session);

/* Whether quoted strings may hold UTF-8, and names are told in it: RFC 9051 section 4.3, RFC 6855 section 3. */
static inline bool
session_is_utf8(const struct session *session)
{
	return session->is_rev2 || session->has_utf8;
}

/* Whether RECENT and \Recent are told. */
static inline bool
session_has_recent(const struct session *session)
{
	return !session->is_rev2;
}

#endif
