/*
 * Of each message on either side a digest, its flags and its date are kept.  Which belong together is in the state; where
 * it is not, as when the state was lost, contents say it.
 */
#include "verify.h"

#include <stdlib.h>

#include "base/memory.h"
#include "facts.h"

/* ---- this side ------------------------------------------------------------------------------------------ */

static void
add_here(struct transfer *transfer, const struct imap_fetch_reply *fetch)
{
	struct verification *verification = transfer->verification;
	struct message *message = &transfer->message;

	if (verification->here_count == verification->here_capacity) {
		verification->here_capacity = verification->here_capacity * 2 + 64;
		verification->here = memory_resize(verification->here, verification->here_capacity, sizeof *verification->here);
	}
	message_clear(message);
	message->flags = (unsigned)(fetch->flags.system & IMAP_FLAGS_SYSTEM);
	for (size_t i = 0; i < fetch->flags.keyword_count; i++)
		message_add_keyword(message, fetch->flags.keywords[i]);
	message->date_s = fetch->date.seconds;
	buffer_add_span(&message->octets, fetch->bodies[0].octets);
	verification->here[verification->here_count] = (struct fact){ 0 };
	facts_fill(verification, &verification->here[verification->here_count++], fetch->uid, message);
}

static bool
on_here(const struct imap_reply *reply, bool is_malformed, void *context)
{
	const unsigned needed = IMAP_FETCH_HAS_UID | IMAP_FETCH_HAS_FLAGS | IMAP_FETCH_HAS_DATE;

	if (!is_malformed && reply->kind == IMAP_REPLY_FETCH && (reply->fetch.has & needed) == needed && reply->fetch.body_count == 1)
		add_here(context, &reply->fetch);
	return true;
}

static int
by_uid(const void *a, const void *b)
{
	const struct fact *left = a, *right = b;

	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

/* A mailbox that is not there holds nothing. */
static bool
read_here(struct transfer *transfer, const struct place *place)
{
	struct remote *here = transfer->pull->here;
	struct verification *verification = transfer->verification;
	struct remote_answer answer;
	uint32_t number = remote_begin(here, "EXAMINE ");
	bool is_alive = remote_add_mailbox(here, buffer_span(&place->mailbox));

	verification->here_count = 0;
	remote_end(here);
	is_alive = is_alive && remote_wait(here, number, &answer);
	if (!is_alive || answer.condition != IMAP_REPLY_OK)
		return is_alive;
	remote_listen(here, on_here, transfer);
	is_alive = remote_call(here, "UID FETCH 1:* (UID FLAGS INTERNALDATE BINARY.PEEK[])", &answer);
	remote_listen(here, NULL, NULL);
	if (verification->here_count > 0)
		qsort(verification->here, verification->here_count, sizeof *verification->here, by_uid);
	return is_alive;
}

/* ---- both ----------------------------------------------------------------------------------------------- */

static void
tell(struct transfer *transfer, uint32_t uid, const struct buffer *what)
{
	struct buffer origin = { 0 };

	buffer_printf(&origin, "%.*s UID %u", SPAN_ARGS(buffer_span(&transfer->box->name)), uid);
	progress_end(&transfer->pull->progress);
	report_difference(&transfer->pull->report, buffer_span(&origin), buffer_span(what));
	buffer_free(&origin);
}

static void
tell_words(struct transfer *transfer, uint32_t uid, const char *words)
{
	struct buffer what = { 0 };

	buffer_add_string(&what, words);
	tell(transfer, uid, &what);
	buffer_free(&what);
}

static void
compare(struct transfer *transfer, struct fact *there, struct fact *here)
{
	struct buffer what = { 0 };

	there->is_used = here->is_used = true;
	if (memcmp(there->digest, here->digest, DIGEST_LENGTH) != 0)
		buffer_add_string(&what, "other octets here");
	if (there->flags != here->flags)
		buffer_printf(&what, "%sflags %.*s are %.*s here", what.length > 0 ? ", " : "",
		    SPAN_ARGS(buffer_span(&there->flags->text)), SPAN_ARGS(buffer_span(&here->flags->text)));
	if (there->date_s != here->date_s)
		buffer_printf(&what, "%sthe date is %lld s later here", what.length > 0 ? ", " : "",
		    (long long)(here->date_s - there->date_s));
	if (what.length > 0)
		tell(transfer, there->uid, &what);
	buffer_free(&what);
}

static struct fact *
find_here(const struct verification *verification, uint32_t uid)
{
	struct fact key = { .uid = uid };

	return verification->here_count == 0 ? NULL :
	    bsearch(&key, verification->here, verification->here_count, sizeof key, by_uid);
}

static void
compare_pair(struct transfer *transfer, const struct pair *pair)
{
	struct verification *verification = transfer->verification;
	size_t index = uids_find(&transfer->uids, pair->source);
	struct fact *here = find_here(verification, pair->here);

	if (index == SIZE_MAX && here != NULL)
		tell_words(transfer, pair->source, "is here, and no more at the source");
	else if (index != SIZE_MAX && here == NULL)
		tell_words(transfer, pair->source, "was deleted here");
	else if (index != SIZE_MAX && verification->there[index].is_known)
		compare(transfer, &verification->there[index], here);
	if (index != SIZE_MAX)
		verification->there[index].is_used = true;
	if (here != NULL)
		here->is_used = true;
}

static bool
is_same(const struct fact *a, const struct fact *b)
{
	return a->date_s == b->date_s && memcmp(a->digest, b->digest, DIGEST_LENGTH) == 0;
}

/* Find what the state does not know by its contents: quadratic in that, which is little. */
static void
compare_rest(struct transfer *transfer)
{
	struct verification *verification = transfer->verification;

	for (size_t i = 0; i < transfer->uids.count; i++) {
		struct fact *there = &verification->there[i];

		for (size_t j = 0; there->is_known && !there->is_used && j < verification->here_count; j++) {
			struct fact *here = &verification->here[j];

			if (!here->is_used && is_same(there, here))
				compare(transfer, there, here);
		}
	}
}

/* Compare with one mailbox here. */
static bool
compare_place(struct transfer *transfer, const struct place *place)
{
	bool is_valid = place->uidvalidity == transfer->uidvalidity;

	if (!read_here(transfer, place))
		return false;
	for (size_t i = 0; is_valid && i < place->pairs.count; i++)
		compare_pair(transfer, &place->pairs.at[i]);
	compare_rest(transfer);
	return true;
}

static bool
compare_all(struct transfer *transfer)
{
	struct state *state = transfer->pull->state;
	struct span sent = buffer_span(&transfer->box->sent);
	struct place *place;

	if (state_place(state, sent, 0) == NULL)
		state_place_in(state, sent, buffer_span(&transfer->box->name));
	for (size_t n = 0; (place = state_place(state, sent, n)) != NULL; n++) {
		if (!compare_place(transfer, place))
			return false;
	}
	for (size_t i = 0; i < transfer->uids.count; i++) {
		const struct fact *there = &transfer->verification->there[i];

		if (there->is_known && !there->is_used)
			tell_words(transfer, there->uid, "is not here");
		transfer->pull->report.compared += there->is_known;
	}
	return true;
}

bool
verify_mailbox(struct transfer *transfer)
{
	struct verification verification = { .sets = flag_sets_new() };
	bool is_well;

	verification.there = memory_new_array(transfer->uids.count + 1, sizeof *verification.there);
	transfer->verification = &verification;
	is_well = transfer_run(transfer);
	if (is_well && !compare_all(transfer)) {
		transfer->pull->is_here_lost = true;
		is_well = false;
	}
	transfer->verification = NULL;
	flag_sets_free(&verification.sets);
	free(verification.there);
	free(verification.here);
	return is_well;
}
