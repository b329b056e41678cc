/*
 * UIDBATCHES: RFC 10022.  The messages are counted off from the newest, so many in each batch, and each batch is told as
 * the range of UIDs from its newest message down to the one before the next batch; the oldest reaches down to UID 1.
 * Nothing is looked at but UIDs in the packed state, one for each batch: so all of a large mailbox can be asked for, and
 * asked again (sections 3.1.1 and 3.1.7 let a server refuse both).  Loop thread.
 */
#include "commands.h"

#define SIZE_MIN     500	/* smaller batches would be message numbers by another name */
#define MESSAGES_MAX 100000	/* that a range of batches spans: section 3.1.5 */

struct batches {
	const struct state *state;
	size_t count;			/* of messages */
	uint64_t size;			/* of a batch */
};

/* The lowest UID of so many of the newest batches; 0: there are not so many. */
static uint32_t
lowest_uid(const struct batches *batches, uint64_t number)
{
	uint64_t behind = number * batches->size;

	if (behind >= batches->count + batches->size)
		return 0;
	return behind >= batches->count ? 1 : batches->state->messages[batches->count - behind].uid;
}

/* " 99:50,49:1": the batches from first to last, as far as there are so many. */
static void
write_ranges(const struct batches *batches, uint32_t highest_uid, uint64_t first, uint64_t last, struct buffer *out)
{
	uint32_t high = first == 1 ? highest_uid : lowest_uid(batches, first - 1), low;

	if (first > 1 && high != 0)
		high--;
	for (uint64_t number = first; number <= last && high != 0; number++, high = low - 1) {
		low = lowest_uid(batches, number);
		if (low == 0)
			break;
		buffer_printf(out, "%c%u:%u", number == first ? ' ' : ',', high, low);
	}
}

static enum reply
check(const struct imap_uid_batches *request)
{
	if (request->first > request->last)
		return REPLY_CLIENT_BUG;
	if (request->size < SIZE_MIN)
		return REPLY_TOO_FEW;
	if (request->first != 0 && (request->last - request->first + 1) * request->size > MESSAGES_MAX)
		return REPLY_TOO_MANY;
	return REPLY_DONE;
}

void
cmd_uidbatches(struct session *session)
{
	const struct imap_uid_batches *request = &session->line->uid_batches;
	const struct view *view = session->view;
	const struct batches batches = { view->state, state_lower_bound(view->state, view->limit_uid), request->size };
	enum reply reply = check(request);
	struct buffer *out = session_out(session);

	if (reply == REPLY_DONE) {
		buffer_add_string(out, "* UIDBATCHES (TAG ");
		imap_write_string(out, session->line->tag, false);
		buffer_add_octet(out, ')');
		if (batches.count > 0)
			write_ranges(&batches, view_last_uid(view), request->first == 0 ? 1 : request->first,
			    request->first == 0 ? UINT32_MAX : request->last, out);
		buffer_add_string(out, "\r\n");
	}
	session_finish(session, reply);
}
