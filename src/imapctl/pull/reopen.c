/*
 * A connection that is lost is made anew, as often as pull_connect() allows.
 */
#include "reopen.h"

#include "transfer.h"

/* Open it, over a new connection where the old one is lost.  False: given up. */
static bool
open_box(struct pull *pull, const struct planned *box, struct examined *examined)
{
	while (!examine(pull, box, examined)) {
		pull_lose(pull);
		if (!pull_connect(pull))
			return false;
	}
	return true;
}

bool
reopen_and_list(struct pull *pull, const struct planned *box, struct examined *examined, struct arena *arena,
    struct imap_sequence *uids_out, bool *is_whole_out)
{
	for (;;) {
		if (!open_box(pull, box, examined))
			return false;
		if (!examined->is_open || examine_uids(pull, examined, arena, uids_out, is_whole_out))
			return true;
		pull_lose(pull);
		if (!pull_connect(pull))
			return false;
	}
}

bool
transfer_reopen(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	struct examined examined = { 0 };
	bool is_same = false;

	if (open_box(pull, transfer->box, &examined)) {
		is_same = examined.is_open && examined.uidvalidity == transfer->uidvalidity;
		if (!examined.is_open)
			pull_unreadable(pull, buffer_span(&transfer->box->name), buffer_span(&examined.reason));
		else if (!is_same)
			pull->has_changed = true;
	}
	buffer_free(&examined.reason);
	return is_same;
}
