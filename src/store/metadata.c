/*
 * Annotations: rows by mailbox and entry.  Worker threads.
 */
#include "store/metadata.h"

#include "base/thread.h"
#include "internal.h"

static struct sql_statement *
prepare(struct store *store, const char *text, const struct store_annotated *annotated)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_text(statement, 1, annotated->owner);
	sql_bind_number(statement, 2, (int64_t)annotated->mailbox_id);
	return statement;
}

#define COLUMNS "SELECT entry, length(value), CASE WHEN length(value) <= ?4 THEN value END FROM metadata " \
	"WHERE owner = ?1 AND mailbox_id = ?2 AND entry = ?3 "

/* What lies below "/a" sorts from "/a/" to before "/a0": '0' follows '/'. */
static const char *const queries[] = {
	[STORE_DEPTH_ENTRY] = COLUMNS,
	[STORE_DEPTH_CHILDREN] = COLUMNS "UNION ALL "
	    "SELECT entry, length(value), CASE WHEN length(value) <= ?4 THEN value END FROM metadata "
	    "WHERE owner = ?1 AND mailbox_id = ?2 AND entry > ?3 || '/' AND entry < ?3 || '0' "
	    "AND instr(substr(entry, length(?3) + 2), '/') = 0 ORDER BY entry",
	[STORE_DEPTH_ALL] = COLUMNS "UNION ALL "
	    "SELECT entry, length(value), CASE WHEN length(value) <= ?4 THEN value END FROM metadata "
	    "WHERE owner = ?1 AND mailbox_id = ?2 AND entry > ?3 || '/' AND entry < ?3 || '0' ORDER BY entry",
};

enum store_status
store_annotation_each(struct store *store, const struct store_annotated *annotated, struct span entry,
    enum store_depth depth, uint64_t octets_max, store_annotation_visitor *visitor, void *context)
{
	struct sql_statement *query = prepare(store, queries[depth], annotated);
	enum sql_status status;

	assert_off_loop();
	sql_bind_text(query, 3, entry);
	sql_bind_number(query, 4, octets_max > INT64_MAX ? INT64_MAX : (int64_t)octets_max);
	while ((status = sql_step(query)) == SQL_ROW) {
		struct store_annotation annotation = { sql_column_text(query, 0), { NULL, 0 },
			(uint64_t)sql_column_number(query, 1) };

		if (!sql_column_is_null(query, 2))
			annotation.value = annotation.size_octets == 0 ? SPAN("") : sql_column_blob(query, 2);
		visitor(&annotation, context);
	}
	return store_from_sql(status);
}

static enum store_status
set(struct store *store, const struct store_annotated *annotated, const struct store_annotation *annotation)
{
	bool is_nil = annotation->value.at == NULL;
	struct sql_statement *statement = prepare(store, is_nil ?
	    "DELETE FROM metadata WHERE owner = ?1 AND mailbox_id = ?2 AND entry = ?3" :
	    "INSERT INTO metadata (owner, mailbox_id, entry, value) VALUES (?1, ?2, ?3, ?4) "
	    "ON CONFLICT DO UPDATE SET value = excluded.value", annotated);

	sql_bind_text(statement, 3, annotation->entry);
	if (!is_nil)
		sql_bind_blob(statement, 4, annotation->value);
	return store_run(statement);
}

static enum store_status
check_limits(struct store *store, const struct store_annotated *annotated)
{
	struct sql_statement *query = prepare(store,
	    "SELECT count(*), coalesce(sum(length(value)), 0), (SELECT count(*) FROM metadata) FROM metadata "
	    "WHERE owner = ?1 AND mailbox_id = ?2", annotated);
	enum store_status status = store_row(query);

	if (status == STORE_OK && (sql_column_number(query, 0) > STORE_ANNOTATIONS_MAX ||
		sql_column_number(query, 1) > STORE_ANNOTATIONS_OCTETS_MAX ||
		sql_column_number(query, 2) > STORE_ANNOTATIONS_ALL_MAX))
		status = STORE_LIMIT;
	sql_reset(query);
	return status;
}

enum store_status
store_annotations_set(struct store *store, const struct store_annotated *annotated,
    const struct store_annotation *annotations, size_t count)
{
	enum store_status status = store_enter(store);
	bool adds = false;

	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		adds |= annotations[i].value.at != NULL;
		status = set(store, annotated, &annotations[i]);
	}
	return status == STORE_OK && adds ? check_limits(store, annotated) : status;
}
