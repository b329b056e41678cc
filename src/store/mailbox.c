/*
 * The mailboxes of an account: looking up, creating, deleting.  Worker threads.
 */
#include "store/mailbox.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "flag_log.h"

#define MAILBOX_COLUMNS                                                                            \
	"id, name, special_use, uidvalidity, uidnext, recent_uid, messages, unseen, deleted, "     \
	"size, highest_modseq, deleted_size, coalesce(is_seen_shared + 1, 0) "

static void
read_mailbox(struct sql_statement *row, struct arena *arena, struct store_mailbox *out)
{
	*out = (struct store_mailbox){
		.id = sql_column_number(row, 0),
		.name = arena_copy_string(arena, sql_column_text(row, 1)),
		.special_use = sql_column_is_null(row, 2) ? NULL :
		    arena_copy_string(arena, sql_column_text(row, 2)),
		.uidvalidity = sql_column_number(row, 3),
		.uidnext = sql_column_number(row, 4),
		.recent_uid = sql_column_number(row, 5),
		.messages = sql_column_number(row, 6),
		.unseen = sql_column_number(row, 7),
		.deleted = sql_column_number(row, 8),
		.size_octets = sql_column_number(row, 9),
		.highest_modseq = sql_column_number(row, 10),
		.deleted_octets = sql_column_number(row, 11),
		.seen_sharing = (enum store_seen_sharing)sql_column_number(row, 12),
	};
}

/* The names that begin with a prefix lie together: from it to where the next one of its length would stand. */
static struct sql_statement *
query_of(struct store *store, struct span prefix, struct arena *arena)
{
	struct sql_statement *query;
	uint8_t *end;

	if (prefix.length == 0)
		return sql_prepare(store->sql, "SELECT " MAILBOX_COLUMNS "FROM mailbox ORDER BY name");
	query = sql_prepare(store->sql, "SELECT " MAILBOX_COLUMNS "FROM mailbox WHERE name >= ?1 AND name < ?2 ORDER BY name");
	end = arena_alloc(arena, prefix.length);
	memcpy(end, prefix.at, prefix.length);
	end[prefix.length - 1]++;	/* UTF-8 has no 0xff */
	sql_bind_text(query, 1, prefix);
	sql_bind_text(query, 2, span_of(end, prefix.length));
	return query;
}

static enum store_status
read_mailboxes(struct sql_statement *query, struct arena *arena, struct store_mailbox **mailboxes_out, size_t *count_out)
{
	struct store_mailbox *mailboxes = NULL;
	size_t count = 0, capacity = 0;
	enum sql_status status;

	while ((status = sql_step(query)) == SQL_ROW) {
		if (count == capacity) {
			struct store_mailbox *more;

			capacity = capacity == 0 ? 16 : 2 * capacity;
			more = arena_alloc_array(arena, capacity, sizeof *more);
			if (count > 0)
				memcpy(more, mailboxes, count * sizeof *more);
			mailboxes = more;
		}
		read_mailbox(query, arena, &mailboxes[count++]);
	}
	if (status != SQL_OK)
		return store_from_sql(status);
	*mailboxes_out = mailboxes;
	*count_out = count;
	return STORE_OK;
}

enum store_status
store_mailbox_list(struct store *store, struct span prefix, struct arena *arena, struct store_mailbox **mailboxes_out,
    size_t *count_out)
{
	assert_off_loop();
	return read_mailboxes(query_of(store, prefix, arena), arena, mailboxes_out, count_out);
}

enum store_status
store_mailbox_list_from(struct store *store, struct span name, size_t count_max, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out)
{
	struct sql_statement *query =
	    sql_prepare(store->sql, "SELECT " MAILBOX_COLUMNS "FROM mailbox WHERE name >= ?1 ORDER BY name LIMIT ?2");

	assert_off_loop();
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, count_max);
	return read_mailboxes(query, arena, mailboxes_out, count_out);
}

static enum store_status
read_only_row(struct sql_statement *query, struct arena *arena, struct store_mailbox *out)
{
	enum store_status status = store_row(query);

	if (status == STORE_OK)
		read_mailbox(query, arena, out);
	sql_reset(query);
	return status;
}

enum store_status
store_mailbox_has_children(struct store *store, struct span name, bool *has_children_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT 1 FROM mailbox WHERE name > ?1 || '/' AND name < ?1 || '0' LIMIT 1");	/* '0' follows '/' */
	enum store_status status;

	assert_off_loop();
	sql_bind_text(query, 1, name);
	status = store_row(query);
	sql_reset(query);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return status;
	*has_children_out = status == STORE_OK;
	return STORE_OK;
}

enum store_status
store_mailbox_find(struct store *store, struct span name, struct arena *arena,
    struct store_mailbox *mailbox_out)
{
	struct sql_statement *query;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT " MAILBOX_COLUMNS "FROM mailbox WHERE name = ?1");
	sql_bind_text(query, 1, name);
	return read_only_row(query, arena, mailbox_out);
}

enum store_status
store_mailbox_get(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_mailbox *mailbox_out)
{
	struct sql_statement *query;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT " MAILBOX_COLUMNS "FROM mailbox WHERE id = ?1");
	sql_bind_number(query, 1, mailbox_id);
	return read_only_row(query, arena, mailbox_out);
}

enum store_status
store_mailbox_is_gone(struct store *store, uint64_t mailbox_id, bool *is_gone_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT 1 FROM mailbox WHERE id = ?1");
	enum store_status status;

	assert_off_loop();
	sql_bind_number(query, 1, mailbox_id);
	status = store_row(query);
	sql_reset(query);
	*is_gone_out = status == STORE_NOT_FOUND;
	return *is_gone_out ? STORE_OK : status;
}

enum store_status
store_mailbox_id(struct store *store, struct span name, uint64_t *mailbox_id_out)
{
	struct sql_statement *query =
	    sql_prepare(store->sql, "SELECT id FROM mailbox WHERE name = ?1");
	enum store_status status;

	sql_bind_text(query, 1, name);
	if ((status = store_row(query)) == STORE_OK)
		*mailbox_id_out = sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

/* The clock takes part, so that a file restored from a backup does not give one again that was given since. */
static enum store_status
next_uidvalidity(struct store *store, uint32_t *uidvalidity_out)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE account SET next_uidvalidity = max(next_uidvalidity, ?1) + 1 "
	    "RETURNING next_uidvalidity - 1");
	int64_t uidvalidity = 0;
	enum store_status status;

	sql_bind_number(update, 1, clock_calendar_s());
	if ((status = store_row(update)) == STORE_OK)
		uidvalidity = sql_column_number(update, 0);
	sql_reset(update);
	if (status == STORE_NOT_FOUND)
		return STORE_CORRUPT;	/* the account's only row is gone */
	if (status == STORE_OK && (uidvalidity < 1 || uidvalidity > UINT32_MAX))
		return STORE_LIMIT;
	if (status == STORE_OK)
		store->position.next_uidvalidity = (uint64_t)uidvalidity + 1;
	*uidvalidity_out = uidvalidity;
	return status;
}

enum store_status
store_mailbox_renew_uidvalidity(struct store *store, uint64_t mailbox_id)
{
	struct sql_statement *update;
	enum store_status status;
	uint32_t uidvalidity;

	if ((status = next_uidvalidity(store, &uidvalidity)) != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE mailbox SET uidvalidity = ?2 WHERE id = ?1");
	sql_bind_number(update, 1, mailbox_id);
	sql_bind_number(update, 2, uidvalidity);
	return store_run(update);
}

static enum store_status
check_mailbox_count(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT count(*) FROM mailbox");
	enum store_status status = store_row(query);
	bool is_full = status == STORE_OK && sql_column_number(query, 0) >= STORE_MAILBOX_MAX;

	sql_reset(query);
	return is_full ? STORE_LIMIT : status;
}

enum store_status
store_mailbox_insert(struct store *store, struct span name, const char *special_use,
    uint64_t *mailbox_id_out)
{
	struct sql_statement *insert;
	enum store_status status;
	uint32_t uidvalidity;
	uint64_t mailbox_id;

	if (name.length == 0 || name.length > STORE_NAME_MAX)
		return STORE_LIMIT;
	if ((status = check_mailbox_count(store)) != STORE_OK ||
	    (status = store_spend_quota(store, &(struct store_amounts){ { 0, 0, 1 } })) != STORE_OK ||
	    (status = next_uidvalidity(store, &uidvalidity)) != STORE_OK)
		return status;
	insert = sql_prepare(store->sql,
	    "INSERT INTO mailbox (name, special_use, uidvalidity, uidnext, recent_uid, highest_modseq, "
	    "messages, unseen, deleted, size, changes) VALUES (?1, ?2, ?3, 1, 1, 1, 0, 0, 0, 0, ?4)");
	sql_bind_text(insert, 1, name);
	if (special_use == NULL)
		sql_bind_null(insert, 2);
	else
		sql_bind_text(insert, 2, span_from_string(special_use));
	sql_bind_number(insert, 3, uidvalidity);
	sql_bind_number(insert, 4, (int64_t)++store->position.changes);
	if ((status = store_run(insert)) != STORE_OK)
		return status;
	mailbox_id = sql_last_row_id(store->sql);
	if (mailbox_id_out != NULL)
		*mailbox_id_out = mailbox_id;
	return store_acl_inherit(store, mailbox_id, name);
}

enum store_status
store_mailbox_insert_parents(struct store *store, struct span name)
{
	enum store_status status = STORE_OK;
	size_t length = 0;
	uint64_t ignored;

	while (status == STORE_OK) {
		length += span_find(span_from(name, length), '/');
		if (length >= name.length)
			break;
		status = store_mailbox_id(store, span_slice(name, 0, length), &ignored);
		if (status == STORE_NOT_FOUND)
			status =
			    store_mailbox_insert(store, span_slice(name, 0, length), NULL, NULL);
		length++;
	}
	return status;
}

enum store_status
store_mailbox_create(struct store *store, struct span name, const char *special_use,
    uint64_t *mailbox_id_out)
{
	enum store_status status;
	uint64_t ignored;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if ((status = store_mailbox_id(store, name, &ignored)) != STORE_NOT_FOUND)
		return status == STORE_OK ? STORE_EXISTS : status;
	if ((status = store_mailbox_insert_parents(store, name)) != STORE_OK)
		return status;
	return store_mailbox_insert(store, name, special_use, mailbox_id_out);
}

static enum store_status
part_with_messages(struct store *store, uint64_t mailbox_id, const struct store_parting *parting)
{
	struct store_rows rows = { 0 };
	enum store_status status = store_rows_init_all(store, mailbox_id, &rows);

	if (status == STORE_OK)
		status = store_rows_part(store, mailbox_id, &rows, parting);
	store_rows_fini(&rows);
	return status == STORE_OK ? store_note_deleted_mailbox(store, mailbox_id) : status;
}

static enum store_status
delete_rows(struct store *store, uint64_t mailbox_id)
{
	static const char *const deletes[] = {
		"DELETE FROM message WHERE mailbox_id = ?1",
		"DELETE FROM flag_change WHERE mailbox_id = ?1",
		"DELETE FROM expunged WHERE mailbox_id = ?1",
		"DELETE FROM keyword WHERE mailbox_id = ?1",
		"DELETE FROM keyword_set WHERE mailbox_id = ?1",
		"DELETE FROM metadata WHERE owner = '' AND mailbox_id = ?1",
		"DELETE FROM acl WHERE mailbox_id = ?1",
		"DELETE FROM mailbox WHERE id = ?1",
	};
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(deletes); i++) {
		struct sql_statement *statement = sql_prepare(store->sql, deletes[i]);

		sql_bind_number(statement, 1, mailbox_id);
		status = store_run(statement);
	}
	return status;
}

/* The number that goes with a mailbox may have been the highest. */
static enum store_status
keep_changes(struct store *store)
{
	struct sql_statement *update = sql_prepare(store->sql, "UPDATE account SET changes = ?1");

	sql_bind_number(update, 1, (int64_t)++store->position.changes);
	return store_run(update);
}

enum store_status
store_mailbox_delete(struct store *store, struct span name, const struct store_parting *parting)
{
	enum store_status status;
	uint64_t mailbox_id;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if (span_equals(name, SPAN("INBOX")))
		return STORE_FORBIDDEN;
	if ((status = store_mailbox_id(store, name, &mailbox_id)) != STORE_OK ||
	    (status = part_with_messages(store, mailbox_id, parting)) != STORE_OK ||
	    (status = keep_changes(store)) != STORE_OK)
		return status;
	return delete_rows(store, mailbox_id);
}

/* What an UPDATE of one mailbox by its id came to. */
static enum store_status
run_on_one(struct store *store, struct sql_statement *update)
{
	enum store_status status = store_run(update);

	return status == STORE_OK && sql_changed_rows(store->sql) == 0 ? STORE_NOT_FOUND : status;
}

enum store_status
store_mailbox_set_special_use(struct store *store, uint64_t mailbox_id, const char *special_use)
{
	struct sql_statement *update;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE mailbox SET special_use = ?2 WHERE id = ?1");
	sql_bind_number(update, 1, mailbox_id);
	if (special_use == NULL)
		sql_bind_null(update, 2);
	else
		sql_bind_text(update, 2, span_from_string(special_use));
	return run_on_one(store, update);
}

enum store_status
store_mailbox_claim_recent(struct store *store, uint64_t mailbox_id, uint32_t *recent_uid_out)
{
	struct sql_statement *query, *update;
	enum store_status status;
	int64_t recent_uid = 0, uidnext = 0;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	query = sql_prepare(store->sql, "SELECT recent_uid, uidnext FROM mailbox WHERE id = ?1");
	sql_bind_number(query, 1, mailbox_id);
	if ((status = store_row(query)) == STORE_OK) {
		recent_uid = sql_column_number(query, 0);
		uidnext = sql_column_number(query, 1);
	}
	sql_reset(query);
	if (status == STORE_OK && recent_uid != uidnext) {
		update = sql_prepare(
		    store->sql, "UPDATE mailbox SET recent_uid = uidnext WHERE id = ?1");
		sql_bind_number(update, 1, mailbox_id);
		status = store_run(update);
	}
	if (status == STORE_OK)
		*recent_uid_out = recent_uid > UID_MAX ? UID_MAX : recent_uid;
	return status;
}

enum store_status
store_mailbox_take_modseq(struct store *store, uint64_t mailbox_id, uint64_t *modseq_out)
{
	struct store_tally tally;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = store_tally_end(store, &tally)) != STORE_OK)
		return status;
	*modseq_out = tally.modseq;
	return STORE_OK;
}

static enum store_status
touch_messages(struct store *store, uint64_t mailbox_id, uint64_t modseq)
{
	enum store_status status = flag_log_settle(store, mailbox_id, &(struct store_uid_range){ 1, UID_MAX });
	struct sql_statement *update;

	if (status != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE message SET modseq = ?2 WHERE mailbox_id = ?1");
	sql_bind_number(update, 1, (int64_t)mailbox_id);
	sql_bind_number(update, 2, (int64_t)modseq);
	return store_run(update);
}

enum store_status
store_mailbox_share_seen(struct store *store, uint64_t mailbox_id, enum store_seen_sharing sharing)
{
	struct sql_statement *update;
	enum store_status status;
	uint64_t modseq;

	if ((status = store_mailbox_take_modseq(store, mailbox_id, &modseq)) != STORE_OK ||
	    (status = touch_messages(store, mailbox_id, modseq)) != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE mailbox SET is_seen_shared = ?2 WHERE id = ?1");
	sql_bind_number(update, 1, (int64_t)mailbox_id);
	if (sharing == STORE_SEEN_AS_CONFIGURED)
		sql_bind_null(update, 2);
	else
		sql_bind_number(update, 2, sharing == STORE_SEEN_SHARED);
	return run_on_one(store, update);
}
