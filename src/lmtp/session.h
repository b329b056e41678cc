/*
 * One LMTP session, shared by the files of this room: session.c has its life and its states, command.c the
 * commands, recipient.c who they are for, message.c the octets of a message and what becomes of it.  Loop thread.
 */
#ifndef LMTP_SESSION_H
#define LMTP_SESSION_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "dots.h"
#include "lmtp/lmtp.h"
#include "loop/loop.h"
#include "loop/spool.h"
#include "metrics/metrics.h"
#include "net/stream.h"
#include "path.h"

#define LMTP_LINE_MAX	    8192	/* octets with line end; RFC 5321 section 4.5.3.1.4 asks for 512 */
#define LMTP_RECIPIENTS_MAX 1000	/* RFC 5321 section 4.5.3.1.8 asks for 100 */
#define LMTP_ASKED_MAX	    16		/* of them are looked up at a time */
#define LMTP_ERRORS_MAX	    20		/* bad commands, then the end */
#define LMTP_OUTPUT_MAX	    (64 * 1024)	/* replies that wait for the client; above, no more commands */
#define LMTP_TURN_OCTETS    (256 * 1024)	/* what one session may eat before others are served */

enum lmtp_state {
	LMTP_GREETED,		/* no LHLO yet */
	LMTP_READY,		/* LHLO was said, no transaction */
	LMTP_MAIL,		/* a sender is known */
	LMTP_LOOKING_UP,	/* recipients are being looked up */
	LMTP_RECIPIENTS,	/* at least one recipient is known */
	LMTP_CHUNKED,		/* between two BDATs */
	LMTP_IN_DATA,		/* octets of a message come */
	LMTP_IN_CHUNK,		/* octets of a BDAT come */
	LMTP_DELIVERING,	/* the message is in, the replies are not yet out */
	LMTP_CLOSING,
};

#define LMTP_BIT(state) (1u << (state))

struct lmtp_answer {
	bool is_there;
	enum lmtp_outcome outcome;
	uint32_t uid;
};

/* From MAIL to the last reply. */
struct lmtp_transaction {
	struct arena *arena;		/* holds the addresses */
	struct span sender;		/* of MAIL, as written; empty for "<>" */
	bool is_utf8;			/* SMTPUTF8 was said */
	uint64_t size_octets;		/* SIZE of MAIL, or 0 */
	struct lmtp_recipient *recipients;	/* those that were accepted */
	struct span *addresses;		/* theirs, as written */
	size_t recipient_count, recipient_capacity;
	struct spool *message;		/* NULL before the first octet and when it is too big */
	bool is_too_big;
	struct lmtp_answer *answers;	/* one for each recipient while delivering */
	size_t replied;			/* that many replies are out */
	uint64_t whole_us;		/* when its last octet was in */
};

struct lmtp_session {
	const struct lmtp_settings *settings;
	struct stream *stream;
	char *sid;
	enum lmtp_state state;
	struct deferred again;		/* the next turn goes on */
	struct timer idle;
	unsigned errors;
	bool is_ended;			/* the peer sends no more */
	enum metric_reason end_reason;
	bool is_closing_soon;		/* after the transaction's replies */
	bool is_skipping_line;		/* it was too long */
	bool is_advancing;

	uint8_t client_name[LMTP_DOMAIN_MAX];	/* of LHLO; a longer one is none */
	size_t client_name_length;
	struct lmtp_transaction transaction;
	struct lmtp_dots dots;		/* LMTP_IN_DATA */
	struct {			/* LMTP_IN_CHUNK */
		uint64_t octets_left;
		bool is_last;
		const char *refusal;	/* the octets are thrown away, and this is said; "": nothing */
		enum lmtp_state after;
	} chunk;

	struct list asked;		/* LMTP_LOOKING_UP: recipients, in the order of their RCPTs */
	size_t asked_count;
	struct lmtp_delivery delivery;	/* LMTP_DELIVERING */
};

/* session.c */

/* Go to a state that may follow. */
void lmtp_enter(struct lmtp_session *session, enum lmtp_state next);

/* Go to LMTP_CLOSING. */
void lmtp_end(struct lmtp_session *session, enum metric_reason why);

/* Go on until there is nothing to do but wait; may free the session when it is closing. */
void lmtp_advance(struct lmtp_session *session);

/* Send one line of text; "\r\n" is put behind it. */
void lmtp_reply(struct lmtp_session *session, const char *line);

/* Say a line that counts as an error; ends the session after too many. */
void lmtp_reply_error(struct lmtp_session *session, const char *line);

/* Forget the transaction. */
void lmtp_transaction_reset(struct lmtp_session *session);

/* command.c */

/* Obey one line, without its end. */
void lmtp_command(struct lmtp_session *session, struct span line);

/* Whether a line is a RCPT that can be obeyed in LMTP_LOOKING_UP, before those before it are answered. */
bool lmtp_recipient_follows(const struct lmtp_session *session, struct span line);

/* recipient.c */

/* Look a recipient up; the reply comes in its turn.  In LMTP_MAIL, LMTP_LOOKING_UP or LMTP_RECIPIENTS. */
void lmtp_recipient_ask(struct lmtp_session *session, const struct lmtp_path *path);

/* message.c */

/* Begin to take octets as lines or as a chunk. */
void lmtp_message_begin_data(struct lmtp_session *session);
void lmtp_message_begin_chunk(struct lmtp_session *session, uint64_t octets, bool is_last,
    const char *refusal);

/*
 * Eat input in LMTP_IN_DATA or LMTP_IN_CHUNK.  False: wait for more input, or for room on the disk.
 * eaten_octets grows.
 */
bool lmtp_message_eat(struct lmtp_session *session, size_t *eaten_octets);

/* message.c: what is said of a message that was not stored, and of a recipient where that is known before; the word for the log. */
const char *lmtp_outcome_reply(enum lmtp_outcome outcome);
const char *lmtp_outcome_reason(enum lmtp_outcome outcome);

/* message.c: count what became of a message for one recipient, by the reply. */
void lmtp_count(const char *reply);

#endif
