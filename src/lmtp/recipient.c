/*
 * Recipients of a message: looked up side by side where a client has sent several RCPTs together, and answered in the order
 * of these (RFC 2920 section 3.2).  Loop thread.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "session.h"

/* A RCPT that is not answered yet. */
struct asked {
	struct list link;		/* in session->asked */
	struct lmtp_session *session;
	struct lmtp_lookup lookup;
	uint8_t names[LMTP_LOOKUP_NAMES][LMTP_NAME_MAX];
	uint8_t address[LMTP_TEXT_MAX];	/* as written */
	size_t address_length;
	bool is_answered;
	enum lmtp_outcome outcome;
	struct lmtp_recipient recipient;
};

void
lmtp_recipient_ask(struct lmtp_session *session, const struct lmtp_path *path)
{
	struct asked *asked = NEW(struct asked);
	struct lmtp_lookup *lookup = &asked->lookup;
	size_t length;

	asked->session = session;
	while (lmtp_path_candidate(path, lookup->name_count, asked->names[lookup->name_count], &length)) {
		lookup->names[lookup->name_count] = span_of(asked->names[lookup->name_count], length);
		lookup->name_count++;
	}
	lookup->size_octets = session->transaction.size_octets;
	asked->address_length = path->text.length;
	memcpy(asked->address, path->text.at, path->text.length);
	list_push_back(&session->asked, &asked->link);
	session->asked_count++;
	if (session->state != LMTP_LOOKING_UP)
		lmtp_enter(session, LMTP_LOOKING_UP);
	session->settings->ops->lookup(session->settings->context, lookup);
}

static void
accept_recipient(struct lmtp_session *session, const struct asked *asked)
{
	struct lmtp_transaction *transaction = &session->transaction;

	if (transaction->recipient_count == transaction->recipient_capacity) {
		transaction->recipient_capacity = transaction->recipient_capacity * 2 + 1;
		transaction->recipients = memory_resize(transaction->recipients,
		    transaction->recipient_capacity, sizeof *transaction->recipients);
		transaction->addresses = memory_resize(transaction->addresses,
		    transaction->recipient_capacity, sizeof *transaction->addresses);
	}
	transaction->recipients[transaction->recipient_count] = asked->recipient;
	transaction->addresses[transaction->recipient_count++] =
	    arena_copy(transaction->arena, span_of(asked->address, asked->address_length));
	lmtp_reply(session, "250 2.1.5 Recipient accepted");
}

static void
refuse_recipient(struct lmtp_session *session, const struct asked *asked)
{
	const char *reply = "451 4.3.0 Cannot look this user up now, try again later", *reason = "unavailable";

	if (asked->outcome == LMTP_NO_USER) {
		reply = "550 5.1.1 No such user here";
		reason = "no-user";
	} else if (asked->outcome == LMTP_NO_POSTMASTER) {
		reply = "550 5.1.1 No postmaster here: imapd.conf(5) has the option postmaster";
		reason = "no-postmaster";
	} else if (asked->outcome == LMTP_ELSEWHERE) {
		reply = "451 4.3.5 The mail of this user is at another server";
		reason = "elsewhere";
	} else if (asked->outcome != LMTP_TRY_AGAIN) {
		reply = lmtp_outcome_reply(asked->outcome);
		reason = lmtp_outcome_reason(asked->outcome);
	}
	lmtp_reply(session, reply);
	lmtp_count(reply);
	log_info("lmtp-refused", log_text("sid", session->sid), log_span("rcpt", asked->lookup.names[0]),
	    log_text("reason", reason));
}

/* Reply to all that are answered, up to the first that is not. */
static void
reply_in_order(struct lmtp_session *session)
{
	while (!list_is_empty(&session->asked)) {
		struct asked *asked = LIST_ENTRY(session->asked.next, struct asked, link);

		if (!asked->is_answered)
			return;
		if (asked->outcome == LMTP_OK)
			accept_recipient(session, asked);
		else
			refuse_recipient(session, asked);
		list_remove(&asked->link);
		session->asked_count--;
		free(asked);
	}
	lmtp_enter(session, session->transaction.recipient_count > 0 ? LMTP_RECIPIENTS : LMTP_MAIL);
}

void
lmtp_lookup_done(struct lmtp_lookup *lookup, enum lmtp_outcome outcome, const struct lmtp_recipient *recipient)
{
	struct asked *asked = CONTAINER_OF(lookup, struct asked, lookup);
	struct lmtp_session *session = asked->session;

	asked->is_answered = true;
	asked->outcome = outcome;
	if (outcome == LMTP_OK)
		asked->recipient = *recipient;
	reply_in_order(session);
	lmtp_advance(session);
}
