/*
 * A client of the cas, as the files of this room share it: its states, and which file does what.
 *
 *	client.c	states, input, closing
 *	commands.c	what a client may say before login
 *	capability.c	... and what it is told of that
 *	mask.c		what it does not get
 *	login.c		who it is: SASL
 *	mechanisms.c	... the mechanisms it may use
 *	claim.c		... whom it names
 *	proof.c		... asking the directory, checking the password
 *	bearer.c	... checking a token
 *	admission.c	... opening the session
 *	referral.c	... or sending it to another host
 *	relay.c		... or logging in where its user still lives
 *	relays.c	... of which servers this is known
 *	learning.c	... of which the password is kept
 *	verdict.c	... saying that it failed, after a delay
 *	pipe.c		the time after login
 *	returning.c	what comes back from it, and why
 *	carry.c		... a session that goes on at another mailbox server
 *	unauthenticate.c	... and the way back from there
 *	moves.h		users on their way to another mailbox server
 *	renames.h	users who get another name
 *	leftovers.c	... and of both what another process has left
 *	drain.c		sending everybody away, politely
 *	ports.c		where clients come in, and how many may
 *	guide.c		where programs ask that set themselves up
 *	guests.c	... how often they may
 *	guidance.c	... and what they are told
 *	visitor.c	balancers that have not said yet whom they bring
 *	denied.c	who cannot log in
 *	users.c		sending those away who may not stay
 *	ending.c	the end of the role
 *	counts.c	how many there are of each address and user
 *	facts.c		what the operator is told of them
 *	sessions.c	... one after the other; kicking them
 *	onlook.c	... and shown of what they say
 *	protocol.c	... and finds in the protocol log
 */
#ifndef CAS_CLIENT_H
#define CAS_CLIENT_H

#include "auth/cache.h"
#include "auth/sasl.h"
#include "auth/throttle.h"
#include "base/list.h"
#include "base/log.h"
#include "cas/cas.h"
#include "config/config.h"
#include "control/trace.h"
#include "directory/directory.h"
#include "imap/command.h"
#include "imap/parser.h"
#include "imap/writer.h"
#include "link/relay.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "net/stream.h"
#include "net/tls.h"

#define SID_LENGTH 12
#define RETURN_WORD_LENGTH 32		/* hexadecimal: nobody guesses it */
#define RETURNED_MAX ((size_t)1024 * 1024)	/* octets that were under way when it came back */
#define BAD_COMMANDS_MAX 3		/* as Dovecot; QUALITY of service for strangers */
#define INPUT_BEFORE_LOGIN (16 * 1024)
#define OUTPUT_BEFORE_LOGIN (16 * 1024)
#define FLUSH_MS 5000
#define STOP_GRACE_MS 5000		/* for the last replies to go through the pipes */

struct counts;
struct map;
struct move;

struct cas {
	struct cas_parts parts;
	struct list ports;
	struct guide *guide;		/* for programs that set themselves up; NULL: nobody asked for it */
	struct list visitors;		/* connections without their PROXY header */
	uint64_t visitor_count;
	struct list strangers, users;	/* clients before and after login, oldest first */
	uint64_t joined;		/* how often one came into either */
	struct map *by_address, *by_user;	/* counts.c */
	struct map *denied;		/* denied.c */
	struct list relays;		/* struct relay_server, relays.c */
	size_t relay_count;
	struct imap_limits limits;	/* of parsers */
	struct auth_cache *cache;
	struct throttle *throttle;
	uint8_t secret[32];		/* for sasl_new() */
	unsigned mechanisms;		/* that the configuration and the directory permit, as sasl.h's sets */
	unsigned verifying;		/* passwords waiting for a worker */
	struct cas_status status;
	size_t clients;			/* those that wait for their jobs included */
	struct list moves;		/* users on their way, moves.h; and questions to the directory about them */
	unsigned asking_moves;
	bool are_moves_closed;
	struct list renames;		/* users who get another name, renames.c; their questions count as those about moves */
	struct timer leftovers_retry;	/* leftovers.c */
	void (*on_move_news)(struct move *move);	/* of move_verbs.c, like the next; NULL: nobody asks */
	void (*on_move_gone)(struct move *move);
	bool is_stopping;
	struct timer grace;		/* when stopping: how long pipes may finish */
	struct timer drain;		/* when draining: who leaves next */
	uint64_t drain_end_us, drain_share;
	struct deferred gone;
	cas_stopped *on_stopped;
	void *stopped_context;
};

enum client_state {
	GREETED,	/* waits for a command */
	SHAKING,	/* the TLS handshake runs */
	ANSWERING,	/* waits for an answer to a SASL challenge */
	VERIFYING,	/* the directory or a worker is asked */
	DELAYED,	/* a failure is not yet told */
	LINKING,	/* the mailbox role is asked */
	FORWARDING,	/* a pipe */
	RETURNING,	/* the mailbox role gives back what it has not read */
	MOVING,		/* the session waits for another mailbox server */
	CLOSING,	/* waits for jobs to come home, then freed */
};

struct cas_client;

/* What happens to a client, for those that know what to do: commands.c. */
struct client_events {
	void (*on_command)(struct cas_client *client, struct imap_command_line *line);
	void (*on_line)(struct cas_client *client, struct span line);	/* the answer to a challenge */
	void (*on_delay_over)(void *client);
	void (*on_free)(struct cas_client *client);
	void (*on_ready)(struct cas_client *client);	/* the channel is there, with its TLS: greet */
	void (*on_overdue)(struct cas_client *client);	/* it was to leave, and has not: close it */
	void (*on_given_back)(struct cas_client *client);	/* the mailbox role has let go of it; behind the word */
};

struct cas_client {
	struct list link;		/* in strangers or users */
	uint64_t place;			/* rises along either list */
	struct cas *cas;
	const struct client_events *events;
	char sid[SID_LENGTH + 1];
	char *address;			/* numeric, for counts and log */
	enum client_state state;
	struct stream *stream;		/* NULL: closed */
	struct stream *mailbox;		/* FORWARDING, RETURNING: the link's near end */
	struct link_attempt *attempt;	/* LINKING */
	struct link_relay *relay;	/* LINKING, in the place of attempt */
	struct relay_server *server;	/* where it is logged in by a relay; NULL: by the link */
	struct imap_parser *parser;
	struct deferred again;		/* advance(), or free */
	struct timer patience_timer;	/* until it has logged in, or has left after all */
	struct timer delay_timer;
	unsigned bad_commands;
	unsigned jobs;			/* not yet home */

	struct buffer id;		/* values of its ID; imap/id.h */
	unsigned ids_logged;
	unsigned ttl;			/* of LINK_RELAY_TTL, as the proxy that is this client has it */
	struct imap_capabilities masked;	/* by capability-mask, like the next */
	unsigned masked_mechanisms;

	size_t command;			/* that is answered next, as metrics name it */
	uint64_t command_us;		/* when it came */
	struct buffer tag;		/* of the LOGIN or AUTHENTICATE under way */
	struct sasl *sasl;
	enum sasl_mechanism mechanism;
	enum sasl_event event;		/* what sasl waits for while VERIFYING */
	struct directory_name user;	/* whose mail; empty: nobody can have the name given */
	struct directory_name prover;	/* who proves it; empty: nobody */
	char prover_id[DIRECTORY_ID_LENGTH + 1];	/* mailbox id of the prover: who has the name later is another one */
	bool is_acting;			/* user is somebody else than prover */
	bool is_master;			/* as a master user */
	struct buffer home;		/* the user's mailbox server; empty: the one of link_server_of() */
	bool is_elsewhere;		/* home is that of a server of another kind */
	bool has_no_password;		/* the user has none in the directory here */
	struct buffer refusal;		/* DELAYED: what is told in the place of the usual words */
	struct buffer unshown;		/* lines of onlook.c that somebody may still want to see */
	bool hides_tag;			/* of what is answered: it may be anything */
	struct buffer said;		/* the command under way, for protocol.c, as the next */
	uint64_t told_in, told_out;	/* octets, up to the last answer */
	bool is_greeted;
	bool is_logged_in;		/* counted by user */
	bool is_denied;			/* by deny-users; looks like nobody */
	bool is_leaving;		/* its link was half closed: BYE follows the last reply */
	const char *farewell_code, *farewell;	/* of this BYE; static */
	enum metric_reason farewell_reason;
	uint64_t seen_octets;		/* of its input, when it was last asked to leave */
	uint64_t began_us;		/* of connection, then of login */
	uint64_t asked_us;		/* when it was begun to check the password; 0: it was not */
	char return_word[RETURN_WORD_LENGTH + 1];	/* with which the mailbox role gives it back */
	uint64_t octets_in, octets_out;	/* of its stream, when it came back last */
	struct buffer carried;		/* of its session, for another mailbox server; since when */
	uint64_t carried_us;
	struct timer carry_timer;
};

/* Who acts as the user; empty: the user.  Borrowed. */
static inline struct span
client_acting(const struct cas_client *client)
{
	return client->is_acting ? directory_name_span(&client->prover) : (struct span){ NULL, 0 };
}

/* client.c */
struct cas_client *client_new(struct cas *cas, struct stream *stream, bool is_tls,
    const struct client_events *events);
void client_enter(struct cas_client *client, enum client_state next);

/* Come last into strangers or users, out of where it is. */
void client_join(struct cas_client *client, struct list *list);

/* Run again in the next turn. */
void client_wake(struct cas_client *client);

/* Close; what was written still leaves.  The client is freed once its jobs are home. */
void client_close(struct cas_client *client, enum metric_reason why, const char *reason);

/* As client_close() with a farewell: "* BYE text". */
void client_bye(struct cas_client *client, enum metric_reason why, const char *code, const char *text);

/* Whether somebody looks on, at this client or others: onlook.c. */
bool client_is_looked_on(const struct cas_client *client);

/* Write a line, which is no secret; takes the buffer's memory.  client_write_text(): copies. */
void client_write(struct cas_client *client, struct buffer *line);
void client_write_text(struct cas_client *client, struct span text);

/* Write lines of the mailbox server, none perhaps. */
void client_write_untagged(struct cas_client *client, struct span lines);

/* Write "tag OK [code] text"; code may be NULL. */
void client_reply(struct cas_client *client, struct span tag, enum imap_condition condition,
    const char *code, const char *text);

/* A command was answered: for who writes the reply without client_reply(). */
void client_note_answer(const struct cas_client *client, enum imap_condition condition);

/* A login has ended so. */
void client_note_login(const struct cas_client *client, enum metric_login result);

/* Count a command that was BAD; true: it was one too many, and the client is closed. */
bool client_is_one_too_many(struct cas_client *client);

/* Its input is commands from now on. */
void client_listen(struct cas_client *client);

/* It is no longer counted as its user's session. */
void client_leave_users(struct cas_client *client);

/* capability.c: append "IMAP4rev1 ...". */
void capability_write(struct cas_client *client, struct buffer *out);

/* commands.c: make a client; it is greeted. */
struct cas_client *commands_begin(struct cas *cas, struct stream *stream, bool is_tls);

/* login.c */
void login_with_password(struct cas_client *client, const struct imap_command_line *line);
void login_with_mechanism(struct cas_client *client, const struct imap_command_line *line,
    enum sasl_mechanism mechanism);
void login_answer(struct cas_client *client, struct span line);

/* mechanisms.c, as sets of auth/sasl.h.  Those that the configuration and the directory permit; */
unsigned mechanisms_permitted(const struct cas *cas);
/* ... those that show nothing here to who listens; those that this client may use now, LOGIN the command among them. */
unsigned mechanisms_private(const struct cas_client *client);
unsigned mechanisms_offered(const struct cas_client *client);
bool mechanisms_have_login(const struct cas_client *client);

/* mask.c: what is known of the client, or the configuration, has changed: find out anew what is masked. */
void mask_find(struct cas_client *client);
void mask_find_all(struct cas *cas);

/* verdict.c: the delay is over; forget what was said to log in. */
void verdict_on_delay_over(void *context);
void verdict_forget(struct cas_client *client);

/* pipe.c; pipe_leave(): no more commands, and BYE when the mailbox role has answered those under way; the texts are
 * static, code may be NULL. */
void pipe_open(struct cas_client *client);
/* ... again, with another link. */
void pipe_join(struct cas_client *client);
void pipe_log_end(const struct cas_client *client, const char *event, const char *reason);
/* ... the session ends while it has no link: as client_bye(). */
void pipe_end(struct cas_client *client, enum metric_reason why, const char *code, const char *text);
void pipe_leave(struct cas_client *client, enum metric_reason why, const char *code, const char *text);

/* Who was to leave has not: the end. */
void pipe_cut(struct cas_client *client);

/* The mailbox server is gone, though the link still looks alive. */
void pipe_lost(struct cas_client *client);

/* returning.c: the link holds what the mailbox role has not read, and before it why. */
void returning_begin(struct cas_client *client);

/* carry.c: ... because its session is handed over. */
void carry_begin(struct cas_client *client);

/* unauthenticate.c: ... because nobody is logged in; the link holds what the mailbox role has not read; or is gone, as above. */
void unauthenticate_begin(struct cas_client *client);
void unauthenticate_lost(struct cas_client *client);

/* Somebody has gone: the role may have stopped. */
static inline void
cas_check_gone(struct cas *cas)
{
	if (cas->is_stopping && cas->clients == 0 && cas->asking_moves == 0)
		deferred_schedule(cas->parts.loop, &cas->gone);
}

/* ending.c; cas_close(): stop accepting, and send away who has not logged in. */
void cas_close(struct cas *cas);
void cas_on_grace_over(void *context);
void cas_on_gone(void *context);

/* ports.c; ports_reload(): as the configuration is now; lines of what cannot be opened. */
void ports_reload(struct cas *cas, struct buffer *problems_out);
void ports_close(struct cas *cas);

/* guide.c: autoconfig-listen, likewise. */
bool guide_open(struct cas *cas, char **error_out);
void guide_close(struct cas *cas);
void guide_reload(struct cas *cas, struct buffer *problems_out);

/* visitor.c */
struct visitor {
	struct list link;
	struct cas *cas;
	struct stream *stream;
	bool is_tls;
	struct timer limit;
	void (*on_introduced)(struct cas *cas, struct stream *stream, bool is_tls);	/* takes the stream */
};

void visitor_new(struct cas *cas, struct stream *stream, bool is_tls,
    void (*on_introduced)(struct cas *cas, struct stream *stream, bool is_tls));
void visitor_free(struct visitor *visitor);

/* relays.c: of a server that users are relayed to: the record of it, which stays; logins and sessions there. */
struct relay_server {
	struct list link;
	char *name;			/* "imaps://old.example.org:993" */
	struct cas_relay figures;
};
struct relay_server *relays_find(struct cas *cas, const struct link_home *home);
void relays_note_failure(struct relay_server *server, const char *reason);
void relays_note_login(struct relay_server *server);
/* After a reload: there may be nobody any more who logs in there.  What is wrong still is noted again by the next who does. */
void relays_forget_failures(struct cas *cas);
void relays_free(struct cas *cas);

/* outage.c: a login failed without its fault; its cause is over.  outage_note(): of any cause. */
void outage_note(struct cas_outage *outage, const char *reason);
void outage_note_directory(struct cas *cas, const char *reason);
void outage_note_server(struct cas *cas, struct span home, const char *reason);
void outage_end(struct cas *cas, enum cas_outage_cause cause);

/* denied.c */
void denied_load(struct cas *cas);
bool denied_client(const struct cas_client *client);

/* facts.c */
struct session_facts client_facts(const struct cas_client *client);

/*
 * onlook.c, when somebody looks on at all (control/trace.h): what the client says, and is answered.  onlook_octets(): so many
 * in place of an answer; onlook_begin(), onlook_end(): it is relayed from now on, or has gone.
 */
void onlook_event(struct cas_client *client, const struct imap_event *event, size_t octets);
void onlook_reply(struct cas_client *client, struct span line);
void onlook_octets(struct cas_client *client, const char *before, size_t octets);
void onlook_begin(struct cas_client *client);
void onlook_end(struct cas_client *client);

/* protocol.c, when there is a protocol log: it begins, something has come, it is answered, it is over. */
static inline bool
client_has_protocol(const struct cas_client *client)
{
	return client->cas->parts.protocol_log != NULL;
}
void protocol_begin(struct cas_client *client);
void protocol_event(struct cas_client *client, const struct imap_event *event, size_t octets);
void protocol_answer(struct cas_client *client, struct span line);
void protocol_end(struct cas_client *client);

/* users.c */
void users_send_denied_away(struct cas *cas);

/* drain.c */
void cas_drain_on_due(void *context);

/* counts.c: a map of names to how often; count_up() returns the new count. */
uint64_t count_up(struct map *counts, struct span name);
void count_down(struct map *counts, struct span name);

#endif
