/*
 * Mail coming in: RFC 2033, with PIPELINING, ENHANCEDSTATUSCODES, 8BITMIME, SMTPUTF8, SIZE and CHUNKING.  One
 * session serves one stream.  Who exists and how a message is stored is the owner's business: it gives two
 * functions and answers each call later, from the loop.  Loop thread.
 */
#ifndef LMTP_LMTP_H
#define LMTP_LMTP_H

#include "base/span.h"
#include "directory/directory.h"
#include "lmtp/trace.h"

struct lmtp_session;
struct loop;
struct spool;
struct stream;
struct workers;

/* What became of a message for one recipient, or of a recipient. */
enum lmtp_outcome {
	LMTP_OK,
	LMTP_NO_USER,		/* 550 5.1.1 */
	LMTP_NO_POSTMASTER,	/* 550 5.1.1: RFC 5321 section 4.5.1 wants one, and the operator has named none */
	LMTP_ELSEWHERE,		/* 451 4.3.5: the user's mail is at another server, and should not have come here */
	LMTP_OVER_QUOTA,	/* 452 4.2.2: the queue tries again, the user may make room */
	LMTP_OVER_QUOTA_FOR_GOOD,	/* 552 5.2.2: the sender is told now */
	LMTP_NO_SPACE,		/* 452 4.3.1 */
	LMTP_TOO_BIG,		/* 552 5.3.4 */
	LMTP_TRY_AGAIN,		/* 451 4.3.0 */
	LMTP_OUTCOME_COUNT
};

/* Who a recipient is, as the owner found out. */
struct lmtp_recipient {
	char user[DIRECTORY_NAME_MAX + 1];
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
};

/*
 * A recipient to look up.  It may be known under several names; the first that exists counts.  They have
 * not gone through directory_prepare_name().
 */
#define LMTP_LOOKUP_NAMES 4

struct lmtp_lookup {
	struct span names[LMTP_LOOKUP_NAMES];	/* borrowed until lmtp_lookup_done() */
	size_t name_count;
	uint64_t size_octets;			/* of the message, as SIZE of MAIL has it; 0: unknown */
};

/* A message to store in the INBOX of each recipient.  All is borrowed until the last lmtp_delivery_done(). */
struct lmtp_delivery {
	const char *sid;			/* of the session, for the log */
	struct spool *message;			/* finished; for lmtp_trace_message() */
	uint64_t size_octets;
	struct lmtp_trace trace;
	const struct lmtp_recipient *recipients;	/* in the order of RCPT; one may stand there twice */
	const struct span *addresses;		/* theirs: for lmtp_trace_write() */
	size_t recipient_count;
};

struct lmtp_ops {
	/* Answer by lmtp_lookup_done(), also at once.  Some at a time in each session, in any order. */
	void (*lookup)(void *context, struct lmtp_lookup *lookup);

	/* Answer by lmtp_delivery_done() for each recipient, in any order, also at once. */
	void (*deliver)(void *context, struct lmtp_delivery *delivery);

	/* The disk did not take a message for this user, or not only for this one; the sender tries again. */
	void (*on_disk_failed)(void *context, const char *user, const struct spool *spool);

	/* The session has freed itself: the last call about it.  May come from inside lmtp_session_close(). */
	void (*on_closed)(void *context, struct lmtp_session *session);
};

/*
 *	outcome		LMTP_OK, LMTP_NO_USER, LMTP_NO_POSTMASTER, LMTP_ELSEWHERE, LMTP_OVER_QUOTA, LMTP_OVER_QUOTA_FOR_GOOD,
 *			LMTP_NO_SPACE or LMTP_TRY_AGAIN
 *	recipient	who it is when LMTP_OK; copied
 */
void lmtp_lookup_done(struct lmtp_lookup *lookup, enum lmtp_outcome outcome,
    const struct lmtp_recipient *recipient);

/*
 * Say what became of the message for one recipient, once each.  LMTP_OK only when the commit has returned
 * from stable storage (RFC 2033 section 4.2).
 *
 *	uid	of the new message when LMTP_OK, for the log
 */
void lmtp_delivery_done(struct lmtp_delivery *delivery, size_t index, enum lmtp_outcome outcome, uint32_t uid);

struct lmtp_settings {
	struct loop *loop;
	struct workers *storage;		/* write the spool file */
	const char *hostname;
	const char *spool_directory;
	uint64_t message_octets_max;		/* announced by SIZE: without the trace fields */
	uint64_t idle_timeout_ms;		/* RFC 5321 section 4.5.3.2.7 asks for at least 5 minutes */
	const struct lmtp_ops *ops;
	void *context;				/* of the ops */
};

/*
 * Greet and serve.
 *
 *	settings	borrowed until on_closed
 *	stream		taken
 *	sid		names the session in the log; copied
 */
struct lmtp_session *lmtp_session_new(const struct lmtp_settings *settings, struct stream *stream,
    const char *sid);

/*
 * End it for an operator: at once when it has no message to deliver, else when the recipients' replies are
 * out.  Says 421 (RFC 5321 section 3.8).
 */
void lmtp_session_close(struct lmtp_session *session);

#endif
