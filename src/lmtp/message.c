/*
 * The octets of a message, from DATA or BDAT into a spool, and the replies for its recipients when it has
 * been stored.  RFC 2033 sections 4.2 and 4.3, RFC 3030 section 2.  Nothing grows with a message but the
 * spool; one above the limit is thrown away as it comes and refused at its end.  Loop thread.
 */
#include "session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

static const char *const replies[LMTP_OUTCOME_COUNT] = {	/* codes: RFC 3463 */
	[LMTP_OK]	  = "250 2.0.0 Delivered",
	[LMTP_NO_USER]	  = "550 5.1.1 No such user here",
	[LMTP_OVER_QUOTA] = "452 4.2.2 Mailbox full",
	[LMTP_OVER_QUOTA_FOR_GOOD] = "552 5.2.2 Mailbox full",
	[LMTP_NO_SPACE]	  = "452 4.3.1 No space left, try again later",
	[LMTP_TOO_BIG]	  = "552 5.3.4 Message too big",
	[LMTP_TRY_AGAIN]  = "451 4.3.0 Cannot store it now, try again later",
};

static const char *const reasons[LMTP_OUTCOME_COUNT] = {	/* words for the log */
	[LMTP_NO_USER]	  = "no-user",
	[LMTP_OVER_QUOTA] = "over-quota",
	[LMTP_OVER_QUOTA_FOR_GOOD] = "over-quota",
	[LMTP_NO_SPACE]	  = "no-space",
	[LMTP_TOO_BIG]	  = "too-big",
	[LMTP_TRY_AGAIN]  = "unavailable",
};

const char *
lmtp_outcome_reply(enum lmtp_outcome outcome)
{
	return replies[outcome];
}

const char *
lmtp_outcome_reason(enum lmtp_outcome outcome)
{
	return reasons[outcome];
}

void
lmtp_count(const char *reply)
{
	metric_count(METRIC_DELIVERIES, reply[0] == '2' ? METRIC_DONE : reply[0] == '4' ? METRIC_TEMPORARY : METRIC_PERMANENT, 0);
}

static void
on_room(void *context)
{
	lmtp_advance(context);
}

static struct spool *
open_spool(struct lmtp_session *session)
{
	const struct lmtp_settings *settings = session->settings;
	struct spool *spool = spool_new(settings->loop, settings->storage, settings->spool_directory,
	    SPOOL_THRESHOLD);

	spool_on_room(spool, on_room, session);
	return spool;
}

void
lmtp_message_begin_data(struct lmtp_session *session)
{
	session->dots = (struct lmtp_dots){ 0 };
	session->transaction.message = open_spool(session);
	lmtp_enter(session, LMTP_IN_DATA);
}

/* Keep octets, or, from the limit on, throw the message away. */
static void
add_octets(struct lmtp_session *session, struct span octets)
{
	struct lmtp_transaction *transaction = &session->transaction;

	if (transaction->message == NULL)
		return;
	if (octets.length > session->settings->message_octets_max - spool_size(transaction->message)) {
		transaction->is_too_big = true;
		spool_free(&transaction->message);
		return;
	}
	spool_add(transaction->message, octets);
}

static void
log_outcome(const struct lmtp_session *session, size_t index)
{
	const struct lmtp_answer *answer = &session->transaction.answers[index];
	const char *user = session->transaction.recipients[index].user;
	uint64_t size = session->transaction.message == NULL ? 0 : spool_size(session->transaction.message);
	struct span from = session->transaction.sender;

	if (answer->outcome == LMTP_OK)
		log_info("delivered", log_text("sid", session->sid), log_text("user", user),
		    log_number("size", (int64_t)size), log_number("uid", answer->uid), log_span("from", from));
	else
		log_warning("delivery-failed", log_text("sid", session->sid), log_text("user", user),
		    log_number("size", (int64_t)size), log_text("reason", reasons[answer->outcome]),
		    log_span("from", from));
}

/* Reply for the recipients in the order of RCPT, as far as their outcomes are known. */
static void
send_replies(struct lmtp_session *session)
{
	struct lmtp_transaction *transaction = &session->transaction;

	while (transaction->replied < transaction->recipient_count &&
	    transaction->answers[transaction->replied].is_there)
		lmtp_reply(session, replies[transaction->answers[transaction->replied++].outcome]);
	if (transaction->replied < transaction->recipient_count)
		return;
	metric_observe_us(METRIC_DELIVERY_DURATION, 0, clock_monotonic_us() - transaction->whole_us);
	lmtp_transaction_reset(session);
	lmtp_enter(session, LMTP_READY);
	timer_start_ms(&session->idle, session->settings->idle_timeout_ms);
	lmtp_advance(session);
}

static void
answer(struct lmtp_session *session, size_t index, enum lmtp_outcome outcome, uint32_t uid)
{
	struct lmtp_answer *answer = &session->transaction.answers[index];

	assert(session->state == LMTP_DELIVERING && !answer->is_there);
	*answer = (struct lmtp_answer){ .is_there = true, .outcome = outcome, .uid = uid };
	log_outcome(session, index);
	lmtp_count(replies[outcome]);
	if (outcome == LMTP_OK)
		metric_add(METRIC_DELIVERY_OCTETS, 0, 0, spool_size(session->transaction.message));
}

void
lmtp_delivery_done(struct lmtp_delivery *delivery, size_t index, enum lmtp_outcome outcome, uint32_t uid)
{
	struct lmtp_session *session = CONTAINER_OF(delivery, struct lmtp_session, delivery);

	assert(index < session->transaction.recipient_count);
	answer(session, index, outcome, uid);
	send_replies(session);
}

/* The same outcome for all. */
static void
answer_all(struct lmtp_session *session, enum lmtp_outcome outcome)
{
	for (size_t i = 0; i < session->transaction.recipient_count; i++)
		answer(session, i, outcome, 0);
	send_replies(session);
}

static struct lmtp_trace
trace_of(const struct lmtp_session *session)
{
	/* A copy: the settings may be others when a worker writes the fields. */
	struct span hostname = arena_copy(session->transaction.arena,
	    span_from_string(session->settings->hostname));

	return (struct lmtp_trace){
		.sender = session->transaction.sender,
		.client_name = span_of(session->client_name, session->client_name_length),
		.client_address = stream_peer_address(session->stream),
		.hostname = hostname,
		.sid = session->sid,
		.is_utf8 = session->transaction.is_utf8,
		.received_s = clock_calendar_s(),
	};
}

static void
on_spooled(enum spool_status status, void *context)
{
	struct lmtp_session *session = context;
	struct lmtp_transaction *transaction = &session->transaction;

	if (status != SPOOL_OK) {
		session->settings->ops->on_disk_failed(session->settings->context, transaction->recipients[0].user,
		    transaction->message);
		answer_all(session, status == SPOOL_FULL ? LMTP_NO_SPACE : LMTP_TRY_AGAIN);
		return;
	}
	session->delivery = (struct lmtp_delivery){
		.sid = session->sid,
		.message = transaction->message,
		.size_octets = spool_size(transaction->message),
		.trace = trace_of(session),
		.recipients = transaction->recipients,
		.addresses = transaction->addresses,
		.recipient_count = transaction->recipient_count,
	};
	session->settings->ops->deliver(session->settings->context, &session->delivery);
}

/* The last octet is in. */
static void
deliver(struct lmtp_session *session)
{
	struct lmtp_transaction *transaction = &session->transaction;

	lmtp_enter(session, LMTP_DELIVERING);
	transaction->whole_us = clock_monotonic_us();
	transaction->answers = memory_new_array(transaction->recipient_count, sizeof *transaction->answers);
	if (transaction->is_too_big)
		answer_all(session, LMTP_TOO_BIG);
	else
		spool_finish(transaction->message, on_spooled, session);
}

/* The octets of a refused chunk are gone: RFC 3030 section 2 wants them eaten before the reply. */
static void
end_refused_chunk(struct lmtp_session *session)
{
	const char *refusal = session->chunk.refusal;

	if (refusal[0] == '\0') {
		lmtp_transaction_reset(session);
		lmtp_enter(session, LMTP_READY);
		return;
	}
	lmtp_enter(session, session->chunk.after);
	if (session->chunk.after == LMTP_MAIL)	/* a pipelining client could not know: no error of its own */
		lmtp_reply(session, refusal);
	else
		lmtp_reply_error(session, refusal);
}

static void
end_chunk(struct lmtp_session *session)
{
	if (session->chunk.refusal != NULL) {
		end_refused_chunk(session);
	} else if (session->chunk.is_last) {
		deliver(session);
	} else {
		lmtp_enter(session, LMTP_CHUNKED);
		lmtp_reply(session, session->transaction.is_too_big ? replies[LMTP_TOO_BIG] :
		    "250 2.0.0 Octets received");
	}
}

void
lmtp_message_begin_chunk(struct lmtp_session *session, uint64_t octets, bool is_last, const char *refusal)
{
	session->chunk.octets_left = octets;
	session->chunk.is_last = is_last;
	session->chunk.refusal = refusal;
	session->chunk.after = session->state;
	if (refusal == NULL && session->transaction.message == NULL && !session->transaction.is_too_big)
		session->transaction.message = open_spool(session);
	lmtp_enter(session, LMTP_IN_CHUNK);
	if (octets == 0)
		end_chunk(session);
}

static bool
eat_chunk(struct lmtp_session *session, size_t *eaten_octets)
{
	struct span input = stream_input(session->stream);

	if (input.length > session->chunk.octets_left)
		input.length = (size_t)session->chunk.octets_left;
	if (session->chunk.refusal == NULL)
		add_octets(session, input);
	session->chunk.octets_left -= input.length;
	*eaten_octets += input.length;
	stream_consume(session->stream, input.length);
	if (session->chunk.octets_left == 0)
		end_chunk(session);
	return input.length > 0;
}

static bool
eat_lines(struct lmtp_session *session, size_t *eaten_octets)
{
	struct span input = stream_input(session->stream), rest = input, octets;

	while (lmtp_dots_next(&session->dots, &rest, &octets))
		add_octets(session, octets);
	*eaten_octets += input.length - rest.length;
	stream_consume(session->stream, input.length - rest.length);
	if (session->dots.state == DOTS_END)
		deliver(session);
	return input.length > 0;
}

bool
lmtp_message_eat(struct lmtp_session *session, size_t *eaten_octets)
{
	if (session->transaction.message != NULL && spool_is_congested(session->transaction.message))
		return false;
	return session->state == LMTP_IN_DATA ? eat_lines(session, eaten_octets) :
	    eat_chunk(session, eaten_octets);
}
