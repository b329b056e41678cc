/*
 * The rows of searchable.  Worker threads.
 */
#include "store/searchable.h"

#include "base/memory.h"
#include "beside.h"
#include "codec.h"
#include "texts.h"

#define FIRST_TEXT  2	/* columns */
#define VERSION_AT  (FIRST_TEXT + STORE_SEARCHABLE_COUNT)
#define ENCODING_AT (VERSION_AT + 1)

static struct span
text_of(struct sql_statement *row, int number)
{
	struct span text = { NULL, 0 };

	if (sql_column_is_null(row, FIRST_TEXT + number))
		return text;
	text = sql_column_blob(row, FIRST_TEXT + number);
	return text.at == NULL ? SPAN("") : text;	/* of no octets */
}

static void
read_row(struct sql_statement *row, const struct span *texts, unsigned wanted, struct store_searchable *out)
{
	*out = (struct store_searchable){
		.has_sent_date = !sql_column_is_null(row, 1),
		.sent_day = (int32_t)sql_column_number(row, 1),
		.version = sql_column_number(row, VERSION_AT),
	};
	for (int i = 0; i < STORE_SEARCHABLE_COUNT; i++)
		if (wanted & 1u << i)
			out->texts[i] = texts != NULL ? texts[i] : text_of(row, i);
}

/* A walk over contents, and the caller who sees them. */
struct walk {
	struct beside_walk beside;
	struct store *store;
	unsigned texts;
	store_searchable_visitor *visitor;
	void *context;
	struct buffer room;
	enum store_status status;
};

/* What a damaged row said can be made from the header: it is as if it were not there. */
static bool
visit(struct beside_walk *beside, size_t place, struct sql_statement *row)
{
	struct walk *walk = CONTAINER_OF(beside, struct walk, beside);
	struct span texts[STORE_SEARCHABLE_COUNT];
	struct store_searchable searchable;
	bool is_packed = row != NULL && !sql_column_is_null(row, ENCODING_AT);

	if (is_packed)
		walk->status = texts_unpack(walk->store, sql_column_number(row, ENCODING_AT),
		    sql_column_blob(row, ENCODING_AT + 1), STORE_SEARCHABLE_COUNT, &walk->room, texts);
	if (walk->status == STORE_CORRUPT) {
		walk->status = STORE_OK;
		row = NULL;
	}
	if (walk->status != STORE_OK)
		return false;
	if (row != NULL)
		read_row(row, is_packed ? texts : NULL, walk->texts, &searchable);
	return walk->visitor(place, row == NULL ? NULL : &searchable, walk->context);
}

enum store_status
store_searchable_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned texts,
    store_searchable_visitor *visitor, void *context)
{
	struct walk walk = {
		.beside = { .content_ids = content_ids, .count = count, .visit = visit,
		    .select = "SELECT content_id, sent_day, subject, from_list, to_list, cc_list, bcc_list, message_id, "
			"version, encoding, texts FROM searchable WHERE content_id BETWEEN ?1 AND ?2 ORDER BY content_id" },
		.store = store,
		.texts = texts,
		.visitor = visitor,
		.context = context,
	};
	enum store_status status = beside_each(store, &walk.beside);

	buffer_free(&walk.room);
	return status == STORE_OK ? walk.status : status;
}

static enum store_status
insert_row(struct store *store, uint64_t content_id, const struct store_searchable *searchable, int64_t encoding,
    const struct buffer *packed)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO searchable (content_id, sent_day, subject, from_list, to_list, cc_list, bcc_list, message_id, "
	    "version, encoding, texts) SELECT id, sent_day, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM content WHERE id = ?1 "
	    "ON CONFLICT (content_id) DO UPDATE SET subject = excluded.subject, from_list = excluded.from_list, "
	    "to_list = excluded.to_list, cc_list = excluded.cc_list, bcc_list = excluded.bcc_list, "
	    "message_id = excluded.message_id, version = excluded.version, encoding = excluded.encoding, "
	    "texts = excluded.texts WHERE version <> excluded.version");

	sql_bind_number(insert, 1, content_id);
	sql_bind_number(insert, VERSION_AT, searchable->version);
	for (int i = 0; i < STORE_SEARCHABLE_COUNT; i++) {
		if (encoding != ENCODING_NONE || searchable->texts[i].at == NULL)
			sql_bind_null(insert, FIRST_TEXT + i);
		else
			sql_bind_blob(insert, FIRST_TEXT + i, searchable->texts[i]);
	}
	texts_bind(insert, ENCODING_AT, encoding, packed);
	return store_run(insert);
}

enum store_status
store_searchable_insert(struct store *store, uint64_t content_id, const struct store_searchable *searchable,
    bool is_packed)
{
	int64_t encoding = ENCODING_NONE;
	struct buffer packed = { 0 };
	enum store_status status = STORE_OK;

	if (is_packed)
		status = texts_pack(store, searchable->texts, STORE_SEARCHABLE_COUNT, &encoding, &packed);
	if (status == STORE_OK)
		status = insert_row(store, content_id, searchable, encoding, &packed);
	buffer_free(&packed);
	return status;
}

enum store_status
store_searchable_keep(struct store *store, uint64_t content_id, const struct store_searchable *searchable)
{
	enum store_status status;
	bool is_packed;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_content_is_packed(store, content_id, &is_packed)) != STORE_OK)
		return status;
	return store_searchable_insert(store, content_id, searchable, is_packed);
}
