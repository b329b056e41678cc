/*
 * From FETCH replies to a message.
 */
#include "../source/labels.h"
#include "transfer.h"

/* Whether an octet 0x80 stands where UTF-8 has none: it may be there in the place of NUL. */
static bool
has_stray_octet(struct span octets)
{
	for (size_t i = span_find(octets, 0x80); i < octets.length; i++) {
		if (octets.at[i] == 0x80 && (i == 0 || octets.at[i - 1] < 0x80))
			return true;
	}
	return false;
}

/* The body, or NULL. */
static const struct imap_fetch_body *
find_body(const struct imap_fetch_reply *fetch, bool is_binary)
{
	for (size_t i = 0; i < fetch->body_count; i++) {
		const struct imap_fetch_body *body = &fetch->bodies[i];

		if (body->section.length == 0 && body->is_binary == is_binary && !body->is_nil)
			return body;
	}
	return NULL;
}

/* Whether two differ in nothing but NUL for 0x80: some servers decode parts for BINARY, and that is another message. */
static bool
is_same_with_nul(struct span octets, struct span binary)
{
	if (octets.length != binary.length)
		return false;
	for (size_t i = 0; i < octets.length; i++) {
		if (octets.at[i] != binary.at[i] && (octets.at[i] != 0x80 || binary.at[i] != 0))
			return false;
	}
	return true;
}

static void
add_keyword(struct transfer *transfer, struct span name)
{
	struct message *message = &transfer->message;

	if (!message_add_keyword(message, name))
		pull_note(transfer->pull, NOTE_NOT_TAKEN_OVER, "flags that can be no keywords", buffer_span(&message->origin));
}

void
receive_flags(struct transfer *transfer, const struct imap_fetch_reply *fetch)
{
	struct message *message = &transfer->message;

	message->flags = (unsigned)(fetch->flags.system & IMAP_FLAGS_SYSTEM);
	buffer_clear(&message->keywords);
	for (size_t i = 0; i < fetch->flags.keyword_count; i++)
		add_keyword(transfer, fetch->flags.keywords[i]);
	buffer_clear(&message->mailbox);
	buffer_clear(&message->copies);
	if (transfer->pull->plan.is_gmail)
		labels_take_list(&transfer->pull->source, message, fetch->labels, fetch->label_count,
		    (transfer->box->attributes & IMAP_LIST_ALL) != 0);
}

/* Where the source does not tell it, the Date field does, and 1970: always the same, so that the message is known again. */
static void
use_date_field(struct transfer *transfer)
{
	struct message *message = &transfer->message;

	message->date_s = 0;
	message_use_date_field(message);
	message->has_date = true;
	pull_note(transfer->pull, NOTE_NOT_TAKEN_OVER, "dates that the source does not tell, and the Date field has instead",
	    buffer_span(&message->origin));
}

static void
begin_message(struct transfer *transfer, uint32_t uid)
{
	struct message *message = &transfer->message;

	message_clear(message);
	buffer_printf(&message->origin, "%.*s UID %u", SPAN_ARGS(buffer_span(&transfer->box->name)), uid);
	message->number = uid;
	transfer->has_flags = transfer->has_octets = false;
}

static void
take_octets(struct transfer *transfer, const struct imap_fetch_reply *fetch, struct span octets)
{
	struct message *message = &transfer->message;

	transfer->has_octets = true;
	buffer_clear(&message->octets);
	buffer_add_span(&message->octets, octets);
	if ((fetch->has & IMAP_FETCH_HAS_SIZE) != 0 && fetch->size != octets.length)
		pull_note(transfer->pull, NOTE_NOT_TAKEN_OVER, "sizes that the source has told wrongly",
		    buffer_span(&message->origin));
	if (span_find(octets, '\0') < octets.length)
		pull_note(transfer->pull, NOTE_NOT_TAKEN_OVER, "NUL octets, in whose place clients get 0x80",
		    buffer_span(&message->origin));
}

/* Take what a reply has of a message; the rest may come in another (RFC 3501 section 7.4.2). */
static void
take_facts(struct transfer *transfer, const struct imap_fetch_reply *fetch)
{
	struct message *message = &transfer->message;

	if ((fetch->has & IMAP_FETCH_HAS_FLAGS) != 0) {
		transfer->has_flags = true;
		receive_flags(transfer, fetch);
	}
	if ((fetch->has & IMAP_FETCH_HAS_DATE) != 0) {
		message->has_date = true;
		message->date_s = fetch->date.seconds;
	}
}

static void
refuse(struct transfer *transfer, uint32_t uid, const char *reason)
{
	struct buffer origin = { 0 };

	buffer_printf(&origin, "%.*s UID %u", SPAN_ARGS(buffer_span(&transfer->box->name)), uid);
	pull_refused(transfer->pull, buffer_span(&origin), span_from_string(reason));
	buffer_free(&origin);
}

static void
refuse_size(struct transfer *transfer, uint32_t uid)
{
	struct message *message = &transfer->message;

	message_clear(message);
	message->octets_max = transfer->pull->octets_max;
	message_refuse_size(message);
	refuse(transfer, uid, buffer_string(&message->reason));
}

/* The octets of a message that was asked for, unless it is refused or asked for again. */
static bool
take_body(struct transfer *transfer, const struct imap_fetch_reply *fetch, const struct imap_fetch_body *body, uint8_t *state)
{
	const struct imap_fetch_body *binary = find_body(fetch, true);

	if (body->is_taken || body->size > transfer->pull->octets_max) {
		*state = UID_FAILED;
		refuse_size(transfer, fetch->uid);
		return false;
	}
	if (!transfer->is_single && *state == UID_ASKED && has_stray_octet(body->octets) &&
	    remote_can(transfer->pull->there, "BINARY")) {
		*state = UID_OCTETS;
		transfer->octets_wanted++;
		return false;
	}
	if (binary != NULL && is_same_with_nul(body->octets, binary->octets))
		body = binary;
	take_octets(transfer, fetch, body->octets);
	return true;
}

/* A message that is asked for alone may come in pieces; transfer_receive_end() ends it. */
static void
gather(struct transfer *transfer, const struct imap_fetch_reply *fetch, uint8_t *state)
{
	const struct imap_fetch_body *body = find_body(fetch, false);

	if (transfer->message.number != fetch->uid)
		begin_message(transfer, fetch->uid);
	take_facts(transfer, fetch);
	if (body != NULL)
		take_body(transfer, fetch, body, state);
}

bool
transfer_receive(struct transfer *transfer, const struct imap_fetch_reply *fetch)
{
	const unsigned needed = IMAP_FETCH_HAS_FLAGS | IMAP_FETCH_HAS_DATE;
	const struct imap_fetch_body *body = find_body(fetch, false);
	size_t index = (fetch->has & IMAP_FETCH_HAS_UID) != 0 ? uids_find(&transfer->uids, fetch->uid) : SIZE_MAX;
	uint8_t *state = index == SIZE_MAX ? NULL : &transfer->uids.states[index];

	if (state == NULL || (*state != UID_ASKED && *state != UID_ASKED_OCTETS))
		return true;
	if (transfer->is_single) {
		gather(transfer, fetch, state);
		return true;
	}
	if (body == NULL || (fetch->has & needed) != needed)
		return true;		/* asked for again, alone */
	begin_message(transfer, fetch->uid);
	if (!take_body(transfer, fetch, body, state))
		return true;
	take_facts(transfer, fetch);
	*state = UID_DONE;
	return transfer_deliver(transfer, index);
}

bool
transfer_receive_end(struct transfer *transfer, size_t index)
{
	struct message *message = &transfer->message;

	if (message->number != transfer->uids.at[index] || !transfer->has_octets || !transfer->has_flags)
		return true;
	if (!message->has_date)
		use_date_field(transfer);
	transfer->uids.states[index] = UID_DONE;
	return transfer_deliver(transfer, index);
}
