/*
 * Which users give which identifiers rights in their mailboxes: so that what is shared with somebody is found without
 * asking every file.  Worker thread.
 */
#include "backend.h"
#include "base/thread.h"
#include "journey.h"
#include "sqlite_file.h"

/* The file that has mailbox ids; NULL: this host has none. */
static struct directory *
registry_of(struct directory *directory)
{
	assert_off_loop();
	return directory->backend->registry == NULL ? NULL : directory->backend->registry(directory);
}

static enum directory_status
read_all(struct directory *registry, struct sql *sql, struct arena *arena, struct directory_share **shares_out,
    size_t *count_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT user.mailbox_id, user.name, share.identifier, "
	    "user.is_shared FROM share "
	    "JOIN user ON user.mailbox_id = share.mailbox_id WHERE length(user.mailbox_id) = 32");
	struct directory_share *shares = NULL;
	size_t count = 0;
	enum sql_status step;

	while ((step = sql_step(query)) == SQL_ROW) {
		shares = journey_more(arena, shares, count, sizeof *shares);
		memcpy(shares[count].mailbox_id, sql_column_text(query, 0).at, DIRECTORY_ID_LENGTH);
		shares[count].mailbox_id[DIRECTORY_ID_LENGTH] = '\0';
		shares[count].name = arena_copy(arena, sql_column_text(query, 1));
		shares[count].is_shared = sql_column_number(query, 3) != 0;
		shares[count++].identifier = arena_copy(arena, sql_column_text(query, 2));
	}
	*shares_out = shares;
	*count_out = count;
	return sqlite_result(registry, step);
}

enum directory_status
directory_share_list(struct directory *directory, struct arena *arena, struct directory_share **shares_out,
    size_t *count_out)
{
	struct directory *registry = registry_of(directory);
	enum directory_status status;
	struct sql *sql;

	*count_out = 0;
	if (registry == NULL)
		return DIRECTORY_OK;
	status = sqlite_connect(registry, &sql);
	return status == DIRECTORY_OK ? read_all(registry, sql, arena, shares_out, count_out) : status;
}

enum directory_status
directory_share_set(struct directory *directory, const char *mailbox_id, struct span identifier, bool is_shared)
{
	struct directory *registry = registry_of(directory);
	struct sql_statement *change;
	enum directory_status status;
	struct sql *sql;

	if (registry == NULL)
		return DIRECTORY_READ_ONLY;
	if ((status = sqlite_connect(registry, &sql)) != DIRECTORY_OK)
		return status;
	change = sql_prepare(sql, is_shared ? "INSERT OR IGNORE INTO share (mailbox_id, identifier) VALUES (?1, ?2)" :
	    "DELETE FROM share WHERE mailbox_id = ?1 AND identifier = ?2");
	sql_bind_text(change, 1, span_from_string(mailbox_id));
	sql_bind_text(change, 2, identifier);
	return sqlite_result(registry, sql_run(change));
}
