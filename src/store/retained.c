/*
 * What is kept of messages that have left is listed and brought back.  Worker threads.
 */
#include "base/clock.h"
#include "base/thread.h"
#include "retain.h"

static struct store_retained
read_row(struct sql_statement *row)
{
	struct store_retained retained = {
		.id = (uint64_t)sql_column_number(row, 0),
		.mailbox_id = (uint64_t)sql_column_number(row, 1),
		.message = {
			.uid = (uint32_t)sql_column_number(row, 2),
			.content_id = (uint64_t)sql_column_number(row, 3),
			.size = (uint32_t)sql_column_number(row, 4),
			.flags = (uint64_t)sql_column_number(row, 5),
			.internal_date_s = sql_column_number(row, 7),
		},
		.left_s = sql_column_number(row, 8),
		.how = (enum store_leaving)sql_column_number(row, 9),
		.is_mailbox_gone = sql_column_number(row, 12) != 0,
	};

	if (retained.how >= STORE_LEAVING_COUNT)
		retained.how = STORE_LEFT_EXPUNGED;
	return retained;
}

/* The texts of a row, each with a NUL behind it. */
static void
read_texts(struct sql_statement *row, struct buffer texts[3], struct store_retained *retained)
{
	static const int columns[3] = { 11, 6, 10 };

	for (int i = 0; i < 3; i++) {
		buffer_clear(&texts[i]);
		buffer_add_span(&texts[i], sql_column_text(row, columns[i]));
	}
	retained->mailbox = buffer_string(&texts[0]);
	retained->keywords = texts[1].length == 0 ? NULL : buffer_string(&texts[1]);
	retained->by = texts[2].length == 0 ? NULL : buffer_string(&texts[2]);
}

enum store_status
store_retained_each(struct store *store, uint64_t after, store_retained_visitor *visitor, void *context)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT r.id, r.mailbox_id, r.uid, r.content_id, r.size, r.flags, r.keywords, r.internal_date, r.left_at, "
	    "r.left_how, r.left_by, coalesce(m.name, d.name, ''), m.name IS NULL FROM retained AS r "
	    "LEFT JOIN mailbox AS m ON m.id = r.mailbox_id LEFT JOIN deleted_mailbox AS d ON d.id = r.mailbox_id "
	    "WHERE r.id > ?1 ORDER BY r.id");
	struct buffer texts[3] = { { 0 }, { 0 }, { 0 } };
	enum sql_status stepped = SQL_OK;
	bool goes_on = true;

	assert_off_loop();
	sql_bind_number(query, 1, (int64_t)after);
	while (goes_on && (stepped = sql_step(query)) == SQL_ROW) {
		struct store_retained retained = read_row(query);

		read_texts(query, texts, &retained);
		goes_on = visitor(&retained, context);
	}
	sql_reset(query);
	for (int i = 0; i < 3; i++)
		buffer_free(&texts[i]);
	return stepped == SQL_ROW ? STORE_OK : store_from_sql(stepped);
}

/* ---- bringing one back ---------------------------------------------------------------------------------- */

/* One that is kept, in memory of its own. */
struct found {
	struct arena *arena;
	const struct store_retained *wanted;
	bool is_there;
	struct store_retained retained;
};

/* An id may be given again when the newest has gone; a UID never is. */
static bool
is_same(const struct store_retained *one, const struct store_retained *other)
{
	return one->id == other->id && one->mailbox_id == other->mailbox_id && one->message.uid == other->message.uid &&
	    one->message.content_id == other->message.content_id;
}

static bool
take(const struct store_retained *retained, void *context)
{
	struct found *found = context;

	if (!is_same(retained, found->wanted))
		return false;
	found->is_there = true;
	found->retained = *retained;
	found->retained.mailbox = arena_copy_string(found->arena, span_from_string(retained->mailbox));
	if (retained->keywords != NULL)
		found->retained.keywords = arena_copy_string(found->arena, span_from_string(retained->keywords));
	return false;
}

/* What is kept of a mailbox of which even the name is lost goes to INBOX. */
static enum store_status
find_mailbox(struct store *store, const struct store_retained *retained, uint64_t *mailbox_id_out, bool *is_made_out)
{
	struct span name = span_from_string(retained->mailbox);
	enum store_status status;

	*mailbox_id_out = retained->mailbox_id;
	if (!retained->is_mailbox_gone)
		return STORE_OK;
	if (name.length == 0)
		name = SPAN("INBOX");
	status = store_mailbox_id(store, name, mailbox_id_out);
	if (status != STORE_NOT_FOUND)
		return status;
	*is_made_out = true;
	return store_mailbox_create(store, name, NULL, mailbox_id_out);
}

static enum store_status
number_keywords(struct store *store, uint64_t mailbox_id, const char *keywords, struct arena *arena, uint64_t *word_out)
{
	struct span rest = keywords == NULL ? SPAN("") : span_from_string(keywords);
	struct span *names = arena_alloc_array(arena, rest.length / 2 + 1, sizeof *names);
	size_t count = 0;

	*word_out = 0;
	while (rest.length > 0) {
		size_t length = span_find(rest, ' ');

		if (length > 0)
			names[count++] = span_slice(rest, 0, length);
		rest = span_from(rest, length + 1);
	}
	return count == 0 ? STORE_OK : store_keyword_flags(store, mailbox_id, names, count, word_out);
}

static enum store_status
insert(struct store *store, const struct store_retained *retained, uint64_t mailbox_id, struct arena *arena,
    struct store_message *message)
{
	struct store_amounts added = { { retained->message.size, 1, 0 } };
	struct store_tally tally;
	enum store_status status;
	uint64_t word;

	*message = retained->message;
	if ((status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = store_spend_quota(store, &added)) != STORE_OK ||
	    (status = number_keywords(store, mailbox_id, retained->keywords, arena, &word)) != STORE_OK ||
	    (status = store_tally_take_uid(&tally, &message->uid)) != STORE_OK)
		return status;
	message->flags = (retained->message.flags & STORE_FLAGS_SYSTEM & ~STORE_FLAG_DELETED) | word;
	message->modseq = tally.modseq;
	store_tally_count(&tally, message, 1);
	status = store_message_insert(store, mailbox_id, message, clock_calendar_s());
	return status == STORE_OK ? store_tally_end(store, &tally) : status;
}

static enum store_status
keep_no_more(struct store *store, const struct store_retained *retained)
{
	enum store_status status = store_run_with_id(store, "DELETE FROM retained WHERE id = ?1", retained->id);

	if (status != STORE_OK)
		return status;
	retention_note(store, INT64_MAX, retained->how == STORE_LEFT_DAMAGED ? 0 : -(int64_t)retained->message.size);
	return !retained->is_mailbox_gone ? STORE_OK : store_run_with_id(store, "DELETE FROM deleted_mailbox WHERE id = ?1 "
	    "AND NOT EXISTS (SELECT 1 FROM retained WHERE mailbox_id = ?1)", retained->mailbox_id);
}

enum store_status
store_retained_restore(struct store *store, const struct store_retained *wanted, uint64_t into_id, struct arena *arena,
    struct store_returned *returned_out)
{
	struct found found = { .arena = arena_new(), .wanted = wanted };
	struct store_returned returned = { .mailbox_id = into_id };
	struct store_mailbox mailbox;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_retained_each(store, wanted->id - 1, take, &found)) != STORE_OK)
		goto out;
	status = !found.is_there ? STORE_NOT_FOUND :
	    into_id != 0 ? STORE_OK : find_mailbox(store, &found.retained, &returned.mailbox_id, &returned.is_made);
	if (status != STORE_OK ||
	    (status = insert(store, &found.retained, returned.mailbox_id, found.arena, &returned.message)) != STORE_OK ||
	    (status = keep_no_more(store, &found.retained)) != STORE_OK ||
	    (status = store_mailbox_get(store, returned.mailbox_id, arena, &mailbox)) != STORE_OK)
		goto out;
	returned.mailbox = mailbox.name;
	*returned_out = returned;
out:
	arena_free(&found.arena);
	return status;
}
