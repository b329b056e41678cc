/*
 * The rows of searchable.  Worker threads.
 */
#include "store/searchable.h"

#include "base/memory.h"
#include "beside.h"

#define FIRST_TEXT 2	/* columns */
#define VERSION_AT (FIRST_TEXT + STORE_SEARCHABLE_COUNT)

static void
read_row(struct sql_statement *row, unsigned texts, struct store_searchable *out)
{
	*out = (struct store_searchable){
		.has_sent_date = !sql_column_is_null(row, 1),
		.sent_day = (int32_t)sql_column_number(row, 1),
		.version = sql_column_number(row, VERSION_AT),
	};
	for (int i = 0; i < STORE_SEARCHABLE_COUNT; i++) {
		if (!(texts & 1u << i) || sql_column_is_null(row, FIRST_TEXT + i))
			continue;
		out->texts[i] = sql_column_blob(row, FIRST_TEXT + i);
		if (out->texts[i].at == NULL)	/* of no octets */
			out->texts[i] = SPAN("");
	}
}

/* A walk over contents, and the caller who sees them. */
struct walk {
	struct beside_walk beside;
	unsigned texts;
	store_searchable_visitor *visitor;
	void *context;
};

static bool
visit(struct beside_walk *beside, size_t place, struct sql_statement *row)
{
	const struct walk *walk = CONTAINER_OF(beside, struct walk, beside);
	struct store_searchable searchable;

	if (row != NULL)
		read_row(row, walk->texts, &searchable);
	return walk->visitor(place, row == NULL ? NULL : &searchable, walk->context);
}

enum store_status
store_searchable_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned texts,
    store_searchable_visitor *visitor, void *context)
{
	struct walk walk = {
		.beside = { .content_ids = content_ids, .count = count, .visit = visit,
		    .select = "SELECT content_id, sent_day, subject, from_list, to_list, cc_list, bcc_list, message_id, "
			"version FROM searchable WHERE content_id BETWEEN ?1 AND ?2 ORDER BY content_id" },
		.texts = texts,
		.visitor = visitor,
		.context = context,
	};

	return beside_each(store, &walk.beside);
}

enum store_status
store_searchable_keep(struct store *store, uint64_t content_id, const struct store_searchable *searchable)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO searchable (content_id, sent_day, subject, from_list, to_list, cc_list, bcc_list, message_id, "
	    "version) SELECT id, sent_day, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM content WHERE id = ?1 "
	    "ON CONFLICT (content_id) DO UPDATE SET subject = excluded.subject, from_list = excluded.from_list, "
	    "to_list = excluded.to_list, cc_list = excluded.cc_list, bcc_list = excluded.bcc_list, "
	    "message_id = excluded.message_id, version = excluded.version WHERE version <> excluded.version");
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	sql_bind_number(insert, 1, content_id);
	sql_bind_number(insert, VERSION_AT, searchable->version);
	for (int i = 0; i < STORE_SEARCHABLE_COUNT; i++) {
		if (searchable->texts[i].at == NULL)
			sql_bind_null(insert, FIRST_TEXT + i);
		else
			sql_bind_blob(insert, FIRST_TEXT + i, searchable->texts[i]);
	}
	return store_run(insert);
}
