/*
 * Rows of entries.  What is known for good costs one query; what changes, one statement or one transaction, and
 * the server is never asked within it.  Worker thread.
 */
#include "claim.h"

#include "base/log.h"
#include "base/memory.h"
#include "sqlite.h"
#include "sqlite_file.h"

struct row {
	bool is_there;
	struct span name, entry, dn;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	int64_t created_s;
	struct directory_quota quota;
};

/* One claim at work. */
struct claiming {
	const struct claim *claim;
	struct directory *local;
	struct sql *sql;
	struct arena *arena;
};

#define ROW "SELECT name, entry, entry_dn, mailbox_id, created, quota_storage, quota_messages, quota_mailboxes " \
	"FROM user WHERE "

static enum sql_status
find_row(const struct claiming *work, const char *statement, struct span key, struct row *row)
{
	struct sql_statement *query = sql_prepare(work->sql, statement);
	enum sql_status step;

	*row = (struct row){ .is_there = false };
	sql_bind_text(query, 1, key);
	if ((step = sql_step(query)) != SQL_ROW)
		return step;
	if (sql_column_text(query, 3).length == DIRECTORY_ID_LENGTH) {
		row->is_there = true;
		row->name = arena_copy(work->arena, sql_column_text(query, 0));
		row->entry = arena_copy(work->arena, sql_column_text(query, 1));
		row->dn = arena_copy(work->arena, sql_column_text(query, 2));
		memcpy(row->mailbox_id, sql_column_text(query, 3).at, DIRECTORY_ID_LENGTH);
		row->created_s = sql_column_number(query, 4);
		for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
			row->quota.of[i] = sql_column_number(query, 5 + i);
	}
	sql_reset(query);
	return SQL_OK;
}

static enum sql_status
find_by_name(const struct claiming *work, struct span name, struct row *row)
{
	static const char statement[] = ROW "name = ?1";

	return find_row(work, statement, name, row);
}

static enum sql_status
find_by_entry(const struct claiming *work, struct row *row)
{
	static const char statement[] = ROW "entry = ?1 AND entry != ''";

	return find_row(work, statement, work->claim->entry, row);
}

static enum sql_status
find_by_dn(const struct claiming *work, struct row *row)
{
	static const char statement[] = ROW "entry_dn = ?1 AND entry_dn != '' LIMIT 1";

	return find_row(work, statement, work->claim->dn, row);
}

/* Make the row that of the entry, as it is known and where it is. */
static enum sql_status
set_entry(const struct claiming *work, struct span name, struct span entry)
{
	static const char statement[] = "UPDATE user SET entry = ?2, entry_dn = ?3 WHERE name = ?1";
	struct sql_statement *query = sql_prepare(work->sql, statement);

	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, entry);
	sql_bind_text(query, 3, work->claim->dn);
	return sql_run(query);
}

static enum sql_status
set_name(const struct claiming *work, struct span old, struct span name)
{
	static const char statement[] = "UPDATE user SET name = ?2 WHERE name = ?1";
	struct sql_statement *query = sql_prepare(work->sql, statement);

	sql_bind_text(query, 1, old);
	sql_bind_text(query, 2, name);
	return sql_run(query);
}

/* The rows that the names have: one of another entry, and the first that is none's. */
static enum sql_status
look_at_names(const struct claiming *work, struct row *taken, struct row *unbound)
{
	struct row row;
	enum sql_status status;

	*taken = *unbound = (struct row){ .is_there = false };
	for (size_t i = 0; i < work->claim->name_count; i++) {
		if ((status = find_by_name(work, work->claim->names[i], &row)) != SQL_OK)
			return status;
		if (row.is_there && row.entry.length > 0)
			*taken = row;
		else if (row.is_there && (!unbound->is_there || span_compare(row.name, unbound->name) < 0))
			*unbound = row;
	}
	return SQL_OK;
}

/* Mailboxes that the entry's other names had got. */
static void
log_left_behind(const struct claiming *work, struct span kept)
{
	struct row row;

	for (size_t i = 0; i < work->claim->name_count; i++) {
		if (!span_equals(work->claim->names[i], kept) &&
		    find_by_name(work, work->claim->names[i], &row) == SQL_OK && row.is_there)
			log_warning("ldap-left-behind", log_span("user", kept), log_span("name", row.name),
			    log_text("mailbox-id", row.mailbox_id), log_span("entry", work->claim->entry));
	}
}

/* No row has the entry: one of its names' becomes it, or a new one.  Within a transaction. */
static enum sql_status
claim_by_name(const struct claiming *work, struct row *row, struct row *taken)
{
	struct span name = work->claim->names[0];
	enum sql_status status = look_at_names(work, taken, row);

	if (status != SQL_OK || taken->is_there)
		return status;
	if (row->is_there)
		name = row->name;
	else
		status = sqlite_insert(work->sql, name, SPAN(""), false);
	if (status == SQL_OK)
		status = set_entry(work, name, work->claim->entry);
	if (status == SQL_OK && row->is_there)
		log_left_behind(work, name);
	else if (status == SQL_OK)
		log_info("user-added", log_span("user", name), log_text("reason", "ldap"));
	return status == SQL_OK ? find_by_entry(work, row) : status;
}

static enum directory_status
claim_new(const struct claiming *work, struct row *row)
{
	const struct claim *claim = work->claim;
	struct row taken = { .is_there = false };
	enum sql_status status;

	if (claim->name_count == 0)
		return DIRECTORY_UNAVAILABLE;
	if ((status = sql_begin(work->sql)) == SQL_OK)
		status = sql_end(work->sql, claim_by_name(work, row, &taken));
	if (status != SQL_OK)
		return sqlite_result(work->local, status);
	if (!taken.is_there)
		return row->is_there ? DIRECTORY_OK : DIRECTORY_CORRUPT;
	log_warning("ldap-ambiguous", log_span("user", claim->names[0]),
	    log_text("reason", "the mailbox of this name belongs to another entry"), log_span("name", taken.name),
	    log_span("entry", claim->entry), log_span("other", taken.entry));
	return DIRECTORY_AMBIGUOUS;
}

/*
 * The row of what was at the entry's place, unless that is elsewhere now: then the entry is another one.  It is
 * known by what the entry is known by from now on.
 */
static enum directory_status
claim_by_place(const struct claiming *work, struct row *row)
{
	enum directory_status status = sqlite_result(work->local, find_by_dn(work, row));
	bool is_elsewhere = false;

	if (status != DIRECTORY_OK || !row->is_there)
		return status;
	if (!span_equals(row->entry, row->dn))
		status = work->claim->ask(work->claim->context, row->entry, &is_elsewhere);
	row->is_there = !is_elsewhere;
	if (status != DIRECTORY_OK || is_elsewhere)
		return status;
	row->entry = work->claim->entry;
	return sqlite_result(work->local, set_entry(work, row->name, row->entry));
}

/* A row whose name the entry has no more takes that which it has now, unless a row is in the way. */
static enum sql_status
follow_name(const struct claiming *work, struct row *row)
{
	const struct claim *claim = work->claim;
	enum sql_status status;
	struct row other;

	for (size_t i = 0; i < claim->name_count; i++)
		if (span_equals(claim->names[i], row->name))
			return SQL_OK;
	if (claim->name_count == 0 || (status = find_by_name(work, claim->names[0], &other)) != SQL_OK ||
	    other.is_there)
		return claim->name_count == 0 ? SQL_OK : status;
	if ((status = set_name(work, row->name, claim->names[0])) != SQL_OK)
		return status;
	log_info("user-renamed", log_span("user", claim->names[0]), log_span("old", row->name),
	    log_text("reason", "ldap"));
	row->name = claim->names[0];
	return SQL_OK;
}

/* For who asks while no server has: what the entry says now. */
static enum sql_status
keep_quota(const struct claiming *work, const struct row *row)
{
	static const char statement[] = "UPDATE user SET quota_storage = nullif(?2, 0), quota_messages = nullif(?3, 0), "
	    "quota_mailboxes = nullif(?4, 0) WHERE name = ?1";
	const struct directory_quota *quota = work->claim->quota;
	struct sql_statement *query;

	if (quota == NULL || memcmp(quota, &row->quota, sizeof *quota) == 0)
		return SQL_OK;
	query = sql_prepare(work->sql, statement);
	sql_bind_text(query, 1, row->name);
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		sql_bind_number(query, 2 + i, quota->of[i]);
	return sql_run(query);
}

/* Note what has changed of an entry whose row this is. */
static enum sql_status
follow(const struct claiming *work, struct row *row)
{
	enum sql_status status = SQL_OK;

	if (!span_equals(row->dn, work->claim->dn))
		status = set_entry(work, row->name, row->entry);
	if (status == SQL_OK)
		status = follow_name(work, row);
	return status == SQL_OK ? keep_quota(work, row) : status;
}

enum directory_status
claim_mailbox(struct directory *local, const struct claim *claim, struct arena *arena, struct directory_user *user)
{
	struct claiming work = { .claim = claim, .local = local, .arena = arena };
	struct row row;
	enum directory_status status = sqlite_connect(local, &work.sql);

	if (status == DIRECTORY_OK)
		status = sqlite_result(local, find_by_entry(&work, &row));
	if (status == DIRECTORY_OK && !row.is_there)
		status = claim_by_place(&work, &row);
	if (status == DIRECTORY_OK && !row.is_there)
		status = claim_new(&work, &row);
	if (status == DIRECTORY_OK)
		status = sqlite_result(local, follow(&work, &row));
	if (status != DIRECTORY_OK)
		return status;
	user->name = row.name;
	memcpy(user->mailbox_id, row.mailbox_id, sizeof user->mailbox_id);
	user->created_s = row.created_s;
	return DIRECTORY_OK;
}
