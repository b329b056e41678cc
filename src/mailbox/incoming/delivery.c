/*
 * Delivery: what LMTP asks of the role.  A message is parsed once and stored once for each recipient, behind
 * trace fields of its own and in a transaction of its own user.  Loop thread.
 */
#include <stdlib.h>

#include "../shared/fault.h"
#include "../shared/state.h"
#include "base/log.h"
#include "base/random.h"
#include "config/config.h"
#include "delivery.h"
#include "incoming.h"
#include "net/stream.h"
#include "recipients.h"

#define SESSIONS_MAX 500

struct delivery_session {
	struct list link;		/* in role->deliveries */
	struct lmtp_session *lmtp;
};

/* One recipient of a message. */
struct recipient {
	struct account_job job;
	struct delivery *delivery;
	struct account *account;
	struct arena *arena;
	size_t index;
	uint64_t inbox_id;
	struct store_message result;
};

struct delivery {
	struct job render;
	struct mailbox_role *role;
	struct lmtp_delivery *lmtp;
	struct incoming incoming;
	struct incoming_message message;
	struct recipient *recipients;
	size_t waiting;			/* recipients without an outcome */
	bool is_small;			/* rendered in the job that stores it */
};

/* Messages. */

static enum lmtp_outcome
outcome_of(const struct mailbox_role *role, enum store_status status)
{
	switch (status) {
	case STORE_OK:
		return LMTP_OK;
	case STORE_OVER_QUOTA:
		return recipients_over_quota(role);
	case STORE_FULL:
		return LMTP_NO_SPACE;
	default:
		return LMTP_TRY_AGAIN;
	}
}

static void
delivery_free(struct delivery *delivery)
{
	struct mailbox_role *role = delivery->role;

	incoming_fini(&delivery->incoming);
	free(delivery->recipients);
	free(delivery);
	role->jobs--;
	role->on_ended(role);
}

static enum store_status
work_deliver(struct store *store, struct account_job *job)
{
	struct recipient *recipient = CONTAINER_OF(job, struct recipient, job);
	const struct lmtp_delivery *lmtp = recipient->delivery->lmtp;
	struct buffer trace = { 0 };
	struct store_keywords none;
	struct store_mailbox inbox;
	enum store_status status = store_mailbox_find(store, SPAN("INBOX"), recipient->arena, &inbox);

	if (status != STORE_OK)
		return status;
	recipient->inbox_id = inbox.id;
	if (recipient->delivery->is_small)
		incoming_render(&recipient->delivery->incoming);
	lmtp_trace_write(&lmtp->trace, lmtp->addresses[recipient->index], &trace);
	status = incoming_store(&recipient->delivery->incoming, buffer_span(&trace), store, inbox.id,
	    &recipient->result, recipient->arena, STORE_KEYWORDS_UNTOLD, &none);
	buffer_free(&trace);
	return status;
}

static void
on_delivered(struct account_job *job)
{
	struct recipient *recipient = CONTAINER_OF(job, struct recipient, job);
	struct delivery *delivery = recipient->delivery;

	if (job->status == STORE_OK) {
		delivery->role->delivered++;
		state_appended(recipient->account, recipient->inbox_id, &recipient->result, 1);
	}
	lmtp_delivery_done(delivery->lmtp, recipient->index, outcome_of(delivery->role, job->status), recipient->result.uid);
	arena_free(&recipient->arena);
	account_release(&recipient->account);
	if (--delivery->waiting == 0)
		delivery_free(delivery);
}

static void
hold_recipients(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->waiting; i++) {
		struct recipient *recipient = &delivery->recipients[i];

		recipient->delivery = delivery;
		recipient->index = i;
		recipient->arena = arena_new();
		recipient->account = account_hold(delivery->role->accounts,
		    delivery->lmtp->recipients[i].mailbox_id, delivery->lmtp->recipients[i].user);
	}
}

static void
submit_recipients(struct delivery *delivery)
{
	size_t count = delivery->waiting;

	for (size_t i = 0; i < count; i++) {
		struct recipient *recipient = &delivery->recipients[i];

		recipient->job.kind = ACCOUNT_DURABLE;
		recipient->job.is_alone = spool_size(delivery->incoming.spool) > ACCOUNT_MUCH_OCTETS;
		recipient->job.job.is_long = recipient->job.is_alone;
		recipient->job.work = work_deliver;
		recipient->job.done = on_delivered;
		account_submit(recipient->account, &recipient->job);
	}
}

static void
work_render(struct job *job)
{
	incoming_render(&CONTAINER_OF(job, struct delivery, render)->incoming);
}

static void
on_rendered(struct job *job)
{
	submit_recipients(CONTAINER_OF(job, struct delivery, render));
}

/* As for APPEND; but for several recipients a message is rendered once, before any of them. */
static void
render(struct delivery *delivery)
{
	delivery->is_small = delivery->waiting == 1 && delivery->lmtp->size_octets <= INCOMING_SMALL_OCTETS &&
	    account_has_no_jobs(delivery->recipients[0].account);
	if (delivery->is_small) {
		submit_recipients(delivery);
		return;
	}
	delivery->render.is_long = spool_size(delivery->incoming.spool) > ACCOUNT_MUCH_OCTETS;
	delivery->render.work = work_render;
	delivery->render.done = on_rendered;
	workers_submit(delivery->role->parts.compute, &delivery->render);
}

static void
deliver(void *context, struct lmtp_delivery *lmtp)
{
	struct delivery *delivery = NEW(struct delivery);

	delivery->role = context;
	delivery->role->jobs++;
	delivery->lmtp = lmtp;
	delivery->message.size_octets = lmtp->size_octets;
	delivery->message.internal_date_s = lmtp->trace.received_s;
	delivery->incoming.spool = lmtp->message;
	delivery->incoming.messages = &delivery->message;
	delivery->incoming.count = 1;
	delivery->incoming.is_delivered = true;
	delivery->incoming.compression = delivery->role->compression;
	delivery->waiting = lmtp->recipient_count;
	delivery->recipients = memory_new_array(lmtp->recipient_count, sizeof delivery->recipients[0]);
	hold_recipients(delivery);
	render(delivery);
}

/* Sessions. */

static void
on_closed(void *context, struct lmtp_session *lmtp)
{
	struct mailbox_role *role = context;

	LIST_FOREACH(&role->deliveries, link) {
		struct delivery_session *session = LIST_ENTRY(link, struct delivery_session, link);

		if (session->lmtp != lmtp)
			continue;
		list_remove(&session->link);
		free(session);
		role->deliveries_count--;
	}
	role->on_ended(role);
}

static void
on_disk_failed(void *context, const char *user, const struct spool *spool)
{
	const struct mailbox_role *role = context;

	faults_note_disk(role->faults, user, role->data_directory, spool_status(spool) == SPOOL_FULL,
	    spool_error(spool));
}

static const struct lmtp_ops ops = { recipients_look_up, deliver, on_disk_failed, on_closed };

void
delivery_configure(struct mailbox_role *role)
{
	const struct config *config = role->parts.config;

	role->lmtp = (struct lmtp_settings){
		.loop = role->parts.loop,
		.storage = role->parts.storage,
		.hostname = config->hostname,
		.spool_directory = config->data_directory,
		.message_octets_max = config->message_size_limit_octets,
		.idle_timeout_ms = 300000,
		.ops = &ops,
		.context = role,
	};
}

/* So many at a time leave descriptors for readers; RFC 5321 section 3.8 knows the reply. */
static void
refuse(struct stream *stream)
{
	log_info("limit", log_text("rip", stream_peer_address(stream)), log_text("limit", "lmtp-sessions"));
	metric_count(METRIC_LIMIT_HITS, METRIC_LMTP_SESSIONS, 0);
	stream_write(stream, SPAN("421 4.3.2 Too many sessions, try again later\r\n"));
	stream_close_after_flush(&stream, 1000);
}

void
delivery_accept(struct mailbox_role *role, struct stream *stream)
{
	struct delivery_session *session;
	char sid[13];

	if (role->deliveries_count >= SESSIONS_MAX) {
		refuse(stream);
		return;
	}
	session = NEW(struct delivery_session);
	random_hex(sid, sizeof sid - 1);
	list_push_back(&role->deliveries, &session->link);
	role->deliveries_count++;
	metric_count(METRIC_CONNECTIONS, METRIC_MAILBOX, METRIC_LISTENER_LMTP);
	stream_count_as(stream, METRIC_LISTENER_LMTP);
	session->lmtp = lmtp_session_new(&role->lmtp, stream, sid);
}

void
delivery_stop_all(struct mailbox_role *role)
{
	LIST_FOREACH(&role->deliveries, link)
		lmtp_session_close(LIST_ENTRY(link, struct delivery_session, link)->lmtp);
}
