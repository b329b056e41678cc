/*
 * What is kept twice is made anew from what is kept once: the rows of message, and contents.  Worker threads.
 */
#include "store/repair.h"

#include "base/memory.h"
#include "flag_log.h"
#include "retain.h"

#define USERS "(SELECT content_id FROM message UNION ALL SELECT content_id FROM retained)"
#define GONE  "mailbox_id NOT IN (SELECT id FROM mailbox)"
#define LOST  "id NOT IN " USERS " AND id NOT IN (SELECT content_id FROM garbage)"

/* An id that no mailbox has had. */
#define FREE_ID \
	"(SELECT 1 + max(coalesce((SELECT max(id) FROM mailbox), 0), coalesce((SELECT max(mailbox_id) FROM message), 0), " \
	"coalesce((SELECT max(mailbox_id) FROM retained), 0), " \
	"coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'mailbox'), 0)))"

/* In this order: what one deletes or makes, the next ones count. */
static const char *const statements[] = {
	/* Messages whose rows are gone: nobody has expunged them, else their contents were noted as garbage. */
	"INSERT INTO mailbox (id, name, uidvalidity, uidnext, recent_uid, highest_modseq, messages, unseen, deleted, size) "
	"SELECT " FREE_ID ", 'Recovered/' || " FREE_ID ", max((SELECT next_uidvalidity FROM account), "
	"(SELECT coalesce(max(uidvalidity) + 1, 1) FROM mailbox)), 1, 1, 1, 0, 0, 0, 0 FROM content WHERE " LOST " GROUP BY NULL",
	"INSERT INTO message (mailbox_id, uid, content_id, size, flags, modseq, internal_date, save_date) "
	"SELECT (SELECT max(id) FROM mailbox), row_number() OVER (ORDER BY id), id, size, 0, 1, "
	"coalesce(sent, CAST(strftime('%s') AS INTEGER)), CAST(strftime('%s') AS INTEGER) FROM content WHERE " LOST,
	/* Mailboxes. */
	"INSERT INTO mailbox (id, name, uidvalidity, uidnext, recent_uid, highest_modseq, messages, unseen, deleted, size) "
	"SELECT mailbox_id, 'Recovered/' || mailbox_id, max((SELECT next_uidvalidity FROM account), "
	"(SELECT coalesce(max(uidvalidity) + 1, 1) FROM mailbox)) + row_number() OVER (ORDER BY mailbox_id), max(uid) + 1, 1, "
	"max(modseq), 0, 0, 0, 0 FROM message WHERE " GONE " GROUP BY mailbox_id",
	"UPDATE account SET next_uidvalidity = max(next_uidvalidity, (SELECT coalesce(max(uidvalidity) + 1, 1) FROM mailbox))",
	"DELETE FROM keyword WHERE " GONE,
	"DELETE FROM keyword_set WHERE " GONE,
	"DELETE FROM expunged WHERE " GONE,
	"DELETE FROM acl WHERE " GONE,
	"DELETE FROM metadata WHERE owner = '' AND mailbox_id <> 0 AND " GONE,
	"INSERT OR IGNORE INTO deleted_mailbox (id, name) SELECT DISTINCT mailbox_id, 'Recovered/' || mailbox_id FROM retained "
	"WHERE " GONE,
	/* Keywords. */
	"DELETE FROM keyword_set WHERE NOT json_valid(members)",
	"UPDATE message SET flags = flags & 31 WHERE flags < 0 AND NOT EXISTS (SELECT 1 FROM keyword_set AS s "
	"WHERE s.mailbox_id = message.mailbox_id AND s.id = message.flags >> 5 & 0x3ffffffffffffff)",
	"INSERT OR IGNORE INTO keyword (mailbox_id, bit, name) SELECT DISTINCT s.mailbox_id, e.value, '$Lost-' || e.value "
	"FROM keyword_set AS s, json_each(s.members) AS e WHERE e.value BETWEEN 5 AND 4100 "
	"AND NOT EXISTS (SELECT 1 FROM keyword AS k WHERE k.mailbox_id = s.mailbox_id AND k.bit = e.value)",
	/* Sizes, UIDs, modseqs, counters. */
	"UPDATE message SET size = (SELECT size FROM content WHERE id = content_id) "
	"WHERE size <> (SELECT size FROM content WHERE id = content_id)",
	"UPDATE retained SET size = (SELECT size FROM content WHERE id = content_id) "
	"WHERE size <> (SELECT size FROM content WHERE id = content_id)",
	"UPDATE mailbox SET uidnext = max(uidnext, coalesce((SELECT max(uid) + 1 FROM message WHERE mailbox_id = id), 1)), "
	"highest_modseq = max(highest_modseq, coalesce((SELECT max(modseq) FROM message WHERE mailbox_id = id), 1))",
	"UPDATE mailbox SET (messages, unseen, deleted, size, deleted_size) = (SELECT count(*), "
	"count(*) FILTER (WHERE flags & 8 = 0), count(*) FILTER (WHERE flags & 4), coalesce(sum(message.size), 0), "
	"coalesce(sum(message.size) FILTER (WHERE flags & 4), 0) FROM message WHERE mailbox_id = id)",
	/* History: of a mailbox in which it contradicts the messages, all is forgotten, and clients are told more than they ask. */
	"UPDATE mailbox SET forgotten_modseq = highest_modseq WHERE id IN (SELECT e.mailbox_id FROM expunged AS e JOIN message AS m "
	"ON m.mailbox_id = e.mailbox_id AND m.uid BETWEEN e.first_uid AND e.last_uid) OR EXISTS (SELECT 1 FROM expunged AS e "
	"WHERE e.mailbox_id = id AND e.modseq NOT BETWEEN forgotten_modseq + 1 AND highest_modseq)",
	"DELETE FROM expunged WHERE mailbox_id IN (SELECT id FROM mailbox WHERE forgotten_modseq = highest_modseq)",
	/* Contents. */
	"UPDATE retained SET left_how = 4 WHERE content_id NOT IN (SELECT id FROM content)",
	"DELETE FROM shared",
	"INSERT INTO shared (content_id, extra) SELECT content_id, count(*) - 1 FROM " USERS " GROUP BY content_id HAVING count(*) > 1",
	"DELETE FROM garbage WHERE content_id IN " USERS " OR content_id NOT IN (SELECT id FROM content)",
	"DELETE FROM ordering WHERE content_id NOT IN (SELECT id FROM content)",
	"DELETE FROM searchable WHERE content_id NOT IN (SELECT id FROM content)",
	/* What is seen elsewhere: ranges that contradict each other mean nothing, and viewers have to look anew. */
	"UPDATE account SET seen_doubt = seen_doubt + 1 WHERE EXISTS (SELECT 1 FROM seen AS a JOIN seen AS b "
	"ON b.seen_mailbox_id = a.seen_mailbox_id AND b.first_uid > a.first_uid AND b.first_uid <= a.last_uid)",
	"DELETE FROM seen WHERE last_uid < first_uid OR seen_mailbox_id NOT IN (SELECT id FROM seen_mailbox) OR EXISTS "
	"(SELECT 1 FROM seen AS b WHERE b.seen_mailbox_id = seen.seen_mailbox_id AND b.first_uid < seen.first_uid "
	"AND b.last_uid >= seen.first_uid)",
};

/* Changes of flags go into the rows; what contradicts itself goes in as far as it can be read. */
static enum store_status
settle_flags(struct store *store)
{
	enum store_status status;

	store->may_have_flag_log = true;
	status = store_run(sql_prepare(store->sql, "DELETE FROM flag_change WHERE " GONE));
	if (status == STORE_OK)
		status = store_run(sql_prepare(store->sql, "UPDATE mailbox SET highest_modseq = max(highest_modseq, "
		    "coalesce((SELECT max(modseq) FROM flag_change WHERE mailbox_id = id), 0))"));
	if (status == STORE_OK)
		status = store_run(sql_prepare(store->sql, "UPDATE message SET flags = (flags & c.keep_bits) | c.set_bits, "
		    "modseq = c.modseq FROM flag_change AS c WHERE c.mailbox_id = message.mailbox_id "
		    "AND uid BETWEEN c.first_uid AND c.last_uid AND message.modseq < c.modseq"));
	return status == STORE_OK ? store_run(sql_prepare(store->sql, "DELETE FROM flag_change")) : status;
}

enum store_status
store_repair_rows(struct store *store)
{
	enum store_status status = store_enter(store);

	if (status == STORE_OK)
		status = settle_flags(store);
	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(statements); i++)
		status = store_run(sql_prepare(store->sql, statements[i]));
	retention_forget(store);
	return status;
}

enum store_status
store_repair_places(struct store *store, uint64_t content_id, struct arena *arena, struct store_repair_place **places_out,
    size_t *count_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT m.mailbox_id, b.name, m.uid FROM message AS m LEFT JOIN mailbox AS b ON b.id = m.mailbox_id "
	    "WHERE m.content_id = ?1 ORDER BY m.mailbox_id, m.uid");
	struct store_repair_place *places = NULL;
	size_t count = 0, capacity = 0;
	enum sql_status stepped;

	sql_bind_number(query, 1, (int64_t)content_id);
	while ((stepped = sql_step(query)) == SQL_ROW) {
		if (count == capacity) {
			struct store_repair_place *more = arena_alloc_array(arena, capacity * 2 + 4, sizeof *more);

			if (count > 0)
				memcpy(more, places, count * sizeof *more);
			places = more;
			capacity = capacity * 2 + 4;
		}
		places[count++] = (struct store_repair_place){ (uint64_t)sql_column_number(query, 0),
			arena_copy_string(arena, sql_column_text(query, 1)), (uint32_t)sql_column_number(query, 2) };
	}
	*places_out = places;
	*count_out = count;
	return store_from_sql(stepped);
}

enum store_status
store_repair_mailbox_name(struct store *store, uint64_t mailbox_id, struct arena *arena, const char **name_out)
{
	struct store_mailbox mailbox;
	enum store_status status = store_mailbox_get(store, mailbox_id, arena, &mailbox);

	if (status == STORE_OK)
		*name_out = mailbox.name;
	return status;
}

/* As any expunge, so that clients are told. */
enum store_status
store_repair_set_aside(struct store *store, uint64_t content_id)
{
	static const struct store_parting parting = { STORE_LEFT_DAMAGED, SPAN("") };
	struct arena *arena = arena_new();
	struct store_repair_place *places;
	enum store_status status;
	size_t count = 0, gone;
	uint64_t modseq;
	uint32_t uid;

	if ((status = store_enter(store)) == STORE_OK)
		status = store_repair_places(store, content_id, arena, &places, &count);
	for (size_t i = 0; status == STORE_OK && i < count; i++)
		status = store_expunge(store, places[i].mailbox_id, &places[i].uid, 1, &parting, &uid, &gone, &modseq);
	arena_free(&arena);
	if (status != STORE_OK)
		return status;
	return store_run_with_id(store, "UPDATE retained SET left_how = 4 WHERE content_id = ?1", content_id);
}
