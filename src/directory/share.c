/*
 * Which users give which identifiers rights in their mailboxes: so that what is shared with somebody is found without
 * asking every file.  Worker thread.
 */
#include "registry.h"
#include "statement.h"

static enum directory_status
read_all(struct registry *registry, struct arena *arena, struct directory_share **shares_out, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(registry->sql, "SELECT user.mailbox_id, user.name, share.identifier, "
	    "user.is_shared FROM share "
	    "JOIN user ON user.mailbox_id = share.mailbox_id WHERE length(user.mailbox_id) = 32");
	struct directory_share *shares = NULL;
	size_t count = 0;
	enum sql_status step;

	while ((step = sql_step(query)) == SQL_ROW) {
		shares = registry_more(arena, shares, count, sizeof *shares);
		statement_read_id(query, 0, shares[count].mailbox_id);
		shares[count].name = arena_copy(arena, sql_column_text(query, 1));
		shares[count].is_shared = sql_column_number(query, 3) != 0;
		shares[count++].identifier = arena_copy(arena, sql_column_text(query, 2));
	}
	*shares_out = shares;
	*count_out = count;
	return registry_result(registry, step);
}

/* A host without a registry has no shares. */
enum directory_status
directory_share_list(struct directory *directory, struct arena *arena, struct directory_share **shares_out,
    size_t *count_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);

	*count_out = 0;
	if (status != DIRECTORY_OK)
		return registry.directory == NULL ? DIRECTORY_OK : status;
	return read_all(&registry, arena, shares_out, count_out);
}

enum directory_status
directory_share_set(struct directory *directory, const char *mailbox_id, struct span identifier, bool is_shared)
{
	static const char add[] = "INSERT OR IGNORE INTO share (mailbox_id, identifier) VALUES (?1, ?2)";
	static const char remove[] = "DELETE FROM share WHERE mailbox_id = ?1 AND identifier = ?2";
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_result(&registry, statement_run(registry.sql, is_shared ? add : remove,
	    TEXTS(span_from_string(mailbox_id), identifier)));
}
