/*
 * A content's id is never given twice, and its octets never change: a row with such a key is the one that is missing, wherever
 * it lies.  A content that no message has any more was deleted, and is not looked for.
 */
#include "salvage_raw.h"

#include "raw.h"

#define CONTENT_COLUMNS 16
#define CONTENT_COLUMNS_MIN 11		/* of rows that an earlier version has written */
#define CHUNK_OCTETS_OF_OLD 262144	/* schema/mail.010.sql */

struct search {
	struct sql *sql;
	struct buffer record;
	enum sql_status status;
};

static bool
is_wanted(struct search *search, const char *text, int64_t key)
{
	struct sql_statement *query = sql_prepare(search->sql, text);
	bool is_missing;

	sql_bind_number(query, 1, key);
	is_missing = sql_step(query) == SQL_ROW;
	sql_reset(query);
	return is_missing;
}

static void
bind(struct sql_statement *insert, int index, const struct raw_value *value)
{
	if (value->is_null)
		sql_bind_null(insert, index);
	else if (value->is_number)
		sql_bind_number(insert, index, value->number);
	else if (value->is_text)
		sql_bind_text(insert, index, value->octets);
	else
		sql_bind_blob(insert, index, value->octets);
}

/* What the new file's rules refuse is not what it seems to be. */
static bool
insert(struct search *search, const char *text, const struct raw_row *row, const struct raw_value *values)
{
	struct sql_statement *statement = sql_prepare(search->sql, text);
	enum sql_status status;

	sql_bind_number(statement, 1, row->key);
	for (size_t i = 1; i < row->count; i++)
		bind(statement, (int)i + 1, &values[i]);
	status = sql_run(statement);
	search->status = status == SQL_CONSTRAINT ? SQL_OK : status;
	return search->status == SQL_OK;
}

static bool
visit_content(const struct raw *raw, const struct raw_row *row, void *context)
{
	struct search *search = context;
	struct raw_value values[RAW_COLUMNS_MAX] = { 0 };
	struct raw_row whole = *row;

	if (row->count < CONTENT_COLUMNS_MIN || row->count > CONTENT_COLUMNS || row->types[0] != 0 || !raw_is_number(row->types[1]) ||
	    !raw_is_number(row->types[2]) || (raw_blob_length(row->types[3]) != 32 && raw_blob_length(row->types[3]) != 0) ||
	    !is_wanted(search, "SELECT 1 FROM temp.wanted WHERE id = ?1", row->key) || !raw_read(raw, row, &search->record, values))
		return true;
	for (; whole.count < CONTENT_COLUMNS; whole.count++)
		values[whole.count] = (struct raw_value){ .is_null = whole.count != 12, .is_number = true, .number = CHUNK_OCTETS_OF_OLD };
	return insert(search, "INSERT OR IGNORE INTO main.content "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)", &whole, values);
}

static bool
visit_chunk(const struct raw *raw, const struct raw_row *row, void *context)
{
	struct search *search = context;
	struct raw_value values[RAW_COLUMNS_MAX];

	if (row->count != 3 || row->types[0] != 0 || !raw_is_number(row->types[1]) || raw_blob_length(row->types[2]) == UINT64_MAX ||
	    !is_wanted(search, "SELECT 1 FROM main.content WHERE id = ?1 >> 20 AND NOT EXISTS "
	    "(SELECT 1 FROM main.chunk WHERE id = ?1)", row->key) || !raw_read(raw, row, &search->record, values))
		return true;
	return insert(search, "INSERT OR IGNORE INTO main.chunk VALUES (?1, ?2, ?3)", row, values);
}

/* Contents that messages have, and that are not there. */
static enum sql_status
list_wanted(struct sql *sql)
{
	enum sql_status status = sql_run(sql_prepare(sql, "CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)"));

	return status != SQL_OK ? status : sql_run(sql_prepare(sql, "INSERT INTO temp.wanted SELECT content_id FROM main.message "
	    "UNION SELECT content_id FROM main.retained EXCEPT SELECT id FROM main.content"));
}

enum store_status
salvage_raw(struct sql *sql, const char *path)
{
	struct search search = { .sql = sql };
	struct raw raw;

	if (!raw_open(path, &raw))
		return STORE_UNAVAILABLE;
	search.status = list_wanted(sql);
	if (search.status == SQL_OK && raw_each_row(&raw, visit_content, &search))
		raw_each_row(&raw, visit_chunk, &search);
	raw_close(&raw);
	buffer_free(&search.record);
	return store_from_sql(search.status);
}
