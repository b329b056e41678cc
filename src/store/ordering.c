/*
 * The rows of ordering.  Worker threads.
 */
#include "store/ordering.h"

#include "base/memory.h"
#include "beside.h"

/* Columns cost when they are asked for. */
static struct span
text_of(struct sql_statement *row, int column, bool is_wanted)
{
	return is_wanted ? sql_column_blob(row, column) : (struct span){ NULL, 0 };
}

static void
read_row(struct sql_statement *row, unsigned fields, struct store_ordering *out)
{
	*out = (struct store_ordering){
		.has_sent_date = !sql_column_is_null(row, 1),
		.sent_s = sql_column_number(row, 1),
		.is_reply = sql_column_number(row, 2) != 0,
		.subject = text_of(row, 3, fields & STORE_ORDERING_SUBJECT),
		.from = text_of(row, 4, fields & STORE_ORDERING_FROM),
		.to = text_of(row, 5, fields & STORE_ORDERING_TO),
		.cc = text_of(row, 6, fields & STORE_ORDERING_CC),
		.from_name = text_of(row, 7, fields & STORE_ORDERING_FROM_NAME),
		.to_name = text_of(row, 8, fields & STORE_ORDERING_TO_NAME),
		.links = text_of(row, 9, fields & STORE_ORDERING_LINKS),
	};
}

/* A walk over contents, and the caller who sees them. */
struct walk {
	struct beside_walk beside;
	unsigned fields;
	store_ordering_visitor *visitor;
	void *context;
};

static bool
visit(struct beside_walk *beside, size_t place, struct sql_statement *row)
{
	const struct walk *walk = CONTAINER_OF(beside, struct walk, beside);
	struct store_ordering ordering;

	if (row != NULL)
		read_row(row, walk->fields, &ordering);
	return walk->visitor(place, row == NULL ? NULL : &ordering, walk->context);
}

enum store_status
store_ordering_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned fields,
    store_ordering_visitor *visitor, void *context)
{
	struct walk walk = {
		.beside = { .content_ids = content_ids, .count = count, .visit = visit,
		    .select = "SELECT content_id, sent, is_reply, subject, from_mailbox, to_mailbox, cc_mailbox, from_name, "
			"to_name, links FROM ordering WHERE content_id BETWEEN ?1 AND ?2 ORDER BY content_id" },
		.fields = fields,
		.visitor = visitor,
		.context = context,
	};

	return beside_each(store, &walk.beside);
}

enum store_status
store_ordering_keep(struct store *store, uint64_t content_id, const struct store_ordering *ordering)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR IGNORE INTO ordering (content_id, sent, is_reply, subject, from_mailbox, to_mailbox, "
	    "cc_mailbox, from_name, to_name, links) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
	    "FROM content WHERE id = ?1");
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	sql_bind_number(insert, 1, content_id);
	if (ordering->has_sent_date)
		sql_bind_number(insert, 2, ordering->sent_s);
	else
		sql_bind_null(insert, 2);
	sql_bind_number(insert, 3, ordering->is_reply);
	sql_bind_blob(insert, 4, ordering->subject);
	sql_bind_blob(insert, 5, ordering->from);
	sql_bind_blob(insert, 6, ordering->to);
	sql_bind_blob(insert, 7, ordering->cc);
	sql_bind_blob(insert, 8, ordering->from_name);
	sql_bind_blob(insert, 9, ordering->to_name);
	sql_bind_blob(insert, 10, ordering->links);
	return store_run(insert);
}
