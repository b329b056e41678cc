/*
 * The rows of ordering.  Worker threads.
 */
#include "store/ordering.h"

#include "internal.h"

#define GAP_MAX 16	/* between two contents that are read together */

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
		.has_sent_date = !sql_column_is_null(row, 0),
		.sent_s = sql_column_number(row, 0),
		.is_reply = sql_column_number(row, 1) != 0,
		.subject = text_of(row, 2, fields & STORE_ORDERING_SUBJECT),
		.from = text_of(row, 3, fields & STORE_ORDERING_FROM),
		.to = text_of(row, 4, fields & STORE_ORDERING_TO),
		.cc = text_of(row, 5, fields & STORE_ORDERING_CC),
		.from_name = text_of(row, 6, fields & STORE_ORDERING_FROM_NAME),
		.to_name = text_of(row, 7, fields & STORE_ORDERING_TO_NAME),
		.links = text_of(row, 8, fields & STORE_ORDERING_LINKS),
	};
}

/* A walk over contents, and the caller who sees them. */
struct walk {
	const uint64_t *content_ids;
	size_t count, next;
	unsigned fields;
	store_ordering_visitor *visitor;
	void *context;
	bool goes_on;
};

static void
visit(struct walk *walk, const struct store_ordering *ordering)
{
	walk->goes_on = walk->visitor(walk->next, ordering, walk->context);
	walk->next++;
}

/* The place behind those that lie close together: what came one after the other is read in one go. */
static size_t
end_of_run(const struct walk *walk)
{
	const uint64_t *ids = walk->content_ids;
	size_t end = walk->next + 1;

	while (end < walk->count && ids[end] > ids[end - 1] && ids[end] - ids[end - 1] < GAP_MAX)
		end++;
	return end;
}

static enum store_status
visit_run(struct store *store, struct walk *walk, size_t end)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT sent, is_reply, subject, from_mailbox, to_mailbox, cc_mailbox, from_name, to_name, links, content_id "
	    "FROM ordering WHERE content_id BETWEEN ?1 AND ?2 ORDER BY content_id");
	struct store_ordering ordering;
	enum sql_status status = SQL_OK;

	sql_bind_number(query, 1, walk->content_ids[walk->next]);
	sql_bind_number(query, 2, walk->content_ids[end - 1]);
	while (walk->goes_on && walk->next < end && (status = sql_step(query)) == SQL_ROW) {
		uint64_t id = sql_column_number(query, 9);

		while (walk->goes_on && walk->content_ids[walk->next] < id)
			visit(walk, NULL);
		if (!walk->goes_on || walk->content_ids[walk->next] != id)
			continue;
		read_row(query, walk->fields, &ordering);
		visit(walk, &ordering);
	}
	sql_reset(query);
	while (walk->goes_on && walk->next < end && status == SQL_OK)
		visit(walk, NULL);
	return status == SQL_ROW ? STORE_OK : store_from_sql(status);
}

enum store_status
store_ordering_each(struct store *store, const uint64_t *content_ids, size_t count, unsigned fields,
    store_ordering_visitor *visitor, void *context)
{
	struct walk walk = { .content_ids = content_ids, .count = count, .fields = fields, .visitor = visitor,
		.context = context, .goes_on = true };
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	while (status == STORE_OK && walk.goes_on && walk.next < count)
		status = visit_run(store, &walk, end_of_run(&walk));
	return store_read_end(store, is_ours, status);
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
