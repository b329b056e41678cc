/*
 * Checking an index.  Worker.
 */
#include "index_check.h"

#include "base/clock.h"
#include "mime/signature.h"

#define STRIDE		4096		/* between two places of a piece that are looked for */
#define FINDINGS_OCTETS (64 * 1024)

static void
add_finding(struct index_check *check, uint64_t content_id)
{
	check->faults++;
	if (check->findings.length < FINDINGS_OCTETS)
		buffer_printf(&check->findings, "content %llu: the index lacks some of its text\n",
		    (unsigned long long)content_id);
}

static enum store_status
check_block(struct index_check *check, struct store *store)
{
	size_t length = check->findings.length;
	enum store_status status = store_index_verify(store, &check->place, &check->findings);

	check->faults += check->findings.length > length;
	if (status == STORE_NOT_FOUND) {
		check->place.block_id = UINT64_MAX;
		status = STORE_OK;
	}
	return status;
}

static enum store_status
check_key(struct index_check *check, struct store *store, enum store_index_text kind, struct span key)
{
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	size_t count = mime_signature_key(key, buckets);
	enum store_status status;
	bool holds;

	if (count == 0)
		return STORE_OK;
	if ((status = store_index_holds(store, kind, check->current_id, buckets, count, &holds)) != STORE_OK)
		return status;
	check->is_faulty = check->is_faulty || !holds;
	return STORE_OK;
}

static enum store_status
check_piece(struct index_check *check, struct store *store, const struct mime_text_piece *piece)
{
	enum store_index_text kind = piece->is_header ? STORE_INDEX_HEADER : STORE_INDEX_BODY;
	struct span text = piece->folded;
	size_t last = text.length > MIME_SIGNATURE_KEY_OCTETS ? text.length - MIME_SIGNATURE_KEY_OCTETS : 0;
	enum store_status status = STORE_OK;

	for (size_t at = 0; status == STORE_OK && at < last; at += STRIDE)
		status = check_key(check, store, kind, span_slice(text, at, MIME_SIGNATURE_KEY_OCTETS));
	return status == STORE_OK ? check_key(check, store, kind, span_from(text, last)) : status;
}

/* What cannot be read is a fault of the file and not of the index. */
static enum store_status
finish(struct index_check *check, enum store_status status)
{
	if (status == STORE_NOT_FOUND || status == STORE_CORRUPT)
		status = STORE_OK;
	if (check->is_faulty)
		add_finding(check, check->current_id);
	message_text_fini(&check->message);
	check->checked++;
	check->content_id = check->current_id;
	check->current_id = 0;
	return status;
}

/* STORE_NOT_FOUND: that was the last. */
static enum store_status
check_content(struct index_check *check, struct store *store)
{
	struct mime_text_piece piece;
	enum store_status status;

	check->message.store = store;
	if (check->current_id == 0) {
		if ((status = store_index_next_content(store, check->content_id, &check->current_id)) != STORE_OK)
			return status;
		check->is_faulty = false;
		if (!message_text_init(&check->message, check->current_id, MIME_SIGNATURE_OVERLAP))
			return finish(check, check->message.status);
	}
	if (!message_text_next(&check->message, &piece))
		return finish(check, check->message.status);
	return check_piece(check, store, &piece);
}

bool
index_check_has_begun(const struct index_check *check)
{
	return check->current_id != 0 || check->place.begun_id != 0;
}

enum store_status
index_check_run(struct index_check *check, struct store *store, uint64_t until_us, bool *is_more_out)
{
	enum store_status status;

	do
		status = check->place.block_id != UINT64_MAX ? check_block(check, store) : check_content(check, store);
	while (status == STORE_OK && (index_check_has_begun(check) || !check->is_ending) && clock_monotonic_us() < until_us);
	*is_more_out = status != STORE_NOT_FOUND;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

void
index_check_fini(struct index_check *check)
{
	message_text_fini(&check->message);
	buffer_free(&check->findings);
}
