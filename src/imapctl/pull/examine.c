/*
 * SEARCH tells UIDs most shortly; where it tells others than there are messages, FETCH is asked, too.
 */
#include "examine.h"

#include <stdlib.h>

#include "base/memory.h"

#define RANGES_MAX ((size_t)1 << 24)

static void
take_code(struct examined *examined, const struct imap_reply_code *code)
{
	if (span_equals_nocase(code->name, SPAN("UIDVALIDITY")))
		examined->uidvalidity = code->number;
	else if (span_equals_nocase(code->name, SPAN("HIGHESTMODSEQ")))
		examined->modseq = code->number;
	else if (span_equals_nocase(code->name, SPAN("NOMODSEQ")))
		examined->modseq = 0;
}

static bool
on_opening(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct examined *examined = context;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_CONDITION)
		take_code(examined, &reply->code);
	else if (reply->kind == IMAP_REPLY_EXISTS)
		examined->messages = reply->number;
	return true;
}

bool
examine(struct pull *pull, const struct planned *box, struct examined *examined_out)
{
	struct remote *there = pull->there;
	struct remote_answer answer;
	uint32_t number;
	bool is_alive;

	examined_out->messages = examined_out->uidvalidity = examined_out->modseq = 0;
	remote_listen(there, on_opening, examined_out);
	number = remote_begin(there, "EXAMINE ");
	is_alive = remote_add_string(there, buffer_span(&box->sent));
	if (is_alive && remote_can(there, "CONDSTORE"))
		buffer_add_string(remote_out(there), " (CONDSTORE)");
	if (is_alive)
		remote_end(there);
	is_alive = is_alive && remote_wait(there, number, &answer);
	remote_listen(there, NULL, NULL);
	if (!is_alive)
		return false;
	examined_out->is_open = answer.condition == IMAP_REPLY_OK;
	buffer_clear(&examined_out->reason);
	buffer_printf(&examined_out->reason, "the source does not open it: %.*s", SPAN_ARGS(answer.text));
	return true;
}

struct listing {
	struct imap_range *ranges;
	size_t count, capacity;
};

static void
add_range(struct listing *listing, uint32_t first, uint32_t last)
{
	if (listing->count == RANGES_MAX)
		return;
	if (listing->count > 0 && listing->ranges[listing->count - 1].last + (uint64_t)1 == first) {
		listing->ranges[listing->count - 1].last = last;
		return;
	}
	if (listing->count == listing->capacity) {
		listing->capacity = listing->capacity * 2 + 64;
		listing->ranges = memory_resize(listing->ranges, listing->capacity, sizeof *listing->ranges);
	}
	listing->ranges[listing->count++] = (struct imap_range){ first, last };
}

static bool
on_uids(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct listing *listing = context;
	const struct imap_sequence *all = &reply->search.all;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_FETCH && (reply->fetch.has & IMAP_FETCH_HAS_UID) != 0 && reply->fetch.uid != 0)
		add_range(listing, reply->fetch.uid, reply->fetch.uid);
	if (reply->kind != IMAP_REPLY_SEARCH && reply->kind != IMAP_REPLY_ESEARCH)
		return true;
	for (size_t i = 0; i < all->count; i++)
		add_range(listing, all->ranges[i].first, all->ranges[i].last);
	return true;
}

static bool
ask(struct pull *pull, struct arena *arena, const char *command, struct imap_sequence *uids_out)
{
	struct listing listing = { 0 };
	struct remote_answer answer;
	struct imap_range *ranges;
	bool is_alive;

	remote_listen(pull->there, on_uids, &listing);
	is_alive = remote_call(pull->there, command, &answer);
	remote_listen(pull->there, NULL, NULL);
	ranges = arena_alloc_array(arena, listing.count + 1, sizeof *ranges);
	if (listing.count > 0)
		memcpy(ranges, listing.ranges, listing.count * sizeof *ranges);
	*uids_out = imap_sequence_of(ranges, listing.count);
	free(listing.ranges);
	return is_alive;
}

bool
examine_uids(struct pull *pull, const struct examined *examined, struct arena *arena, struct imap_sequence *uids_out,
    bool *is_whole_out)
{
	const char *search = remote_can(pull->there, "ESEARCH") ? "UID SEARCH RETURN (ALL) ALL" : "UID SEARCH ALL";
	struct imap_sequence fetched;
	struct imap_range *both;

	*uids_out = (struct imap_sequence){ 0 };
	*is_whole_out = true;
	if (examined->messages == 0)
		return true;
	if (!ask(pull, arena, search, uids_out))
		return false;
	if (imap_sequence_size(uids_out) == examined->messages)
		return true;
	if (!ask(pull, arena, "UID FETCH 1:* (UID)", &fetched))
		return false;
	both = arena_alloc_array(arena, uids_out->count + fetched.count + 1, sizeof *both);
	if (uids_out->count > 0)
		memcpy(both, uids_out->ranges, uids_out->count * sizeof *both);
	if (fetched.count > 0)
		memcpy(both + uids_out->count, fetched.ranges, fetched.count * sizeof *both);
	*uids_out = imap_sequence_of(both, uids_out->count + fetched.count);
	*is_whole_out = imap_sequence_size(uids_out) == examined->messages;
	return true;
}
