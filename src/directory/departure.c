/*
 * Users who move, at the mailbox server that they leave: table departure.  Worker thread.
 */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "journey.h"
#include "registry.h"
#include "statement.h"

/* The move that the user leaves by; SQL_OK: none. */
static enum sql_status
find_departure(struct sql *sql, struct span name, struct span move_id, bool *is_same_out, bool *is_gone_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT move_id, is_gone FROM departure WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	step = sql_step(query);
	*is_same_out = step == SQL_ROW && span_equals(sql_column_text(query, 0), move_id);
	*is_gone_out = step == SQL_ROW && sql_column_number(query, 1) != 0;
	sql_reset(query);
	return step;
}

static enum directory_status
leave(struct registry *registry, struct span name, const char *mailbox_id, struct span move_id, struct span target)
{
	char id[DIRECTORY_ID_LENGTH + 1];
	bool is_same, is_gone;

	registry->run = find_departure(registry->sql, name, move_id, &is_same, &is_gone);
	if (registry->run == SQL_ROW)
		return is_same && !is_gone ? DIRECTORY_OK : DIRECTORY_EXISTS;
	if (registry->run == SQL_OK)
		registry->run = journey_mailbox_id(registry->sql, name, id);
	if (registry->run != SQL_OK)
		return DIRECTORY_OK;
	if (strcmp(id, mailbox_id) != 0)
		return DIRECTORY_NOT_FOUND;
	registry->run = statement_run(registry->sql, "INSERT INTO departure (name, move_id, target) VALUES (?1, ?2, ?3)",
	    TEXTS(name, move_id, target));
	return DIRECTORY_OK;
}

enum directory_status
directory_leave_mailbox(struct directory *directory, struct span name, const char *mailbox_id, const char *move_id,
    struct span target)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_end(&registry, leave(&registry, name, mailbox_id, span_from_string(move_id), target));
}

/* The name stays, so that mail for it is put off and no user is made by it unawares. */
static enum sql_status
go(struct sql *sql, struct span name, struct span move_id, char mailbox_id_out[DIRECTORY_ID_LENGTH + 1])
{
	char id[DIRECTORY_ID_LENGTH + 1];
	enum sql_status run = journey_mailbox_id(sql, name, mailbox_id_out);

	random_hex(id, DIRECTORY_ID_LENGTH);
	if (run == SQL_OK && mailbox_id_out[0] != '\0')
		run = journey_replace_mailbox(sql, name, mailbox_id_out, id);
	if (run == SQL_OK)
		run = statement_run(sql, "UPDATE user SET home = (SELECT target FROM departure WHERE name = ?1) "
		    "WHERE name = ?1 AND (SELECT target FROM departure WHERE name = ?1) != ''", TEXTS(name));
	if (run == SQL_OK)
		run = statement_run(sql, "UPDATE departure SET is_gone = 1 WHERE name = ?1 AND move_id = ?2", TEXTS(name, move_id));
	return run;
}

static enum sql_status
end_leaving(struct sql *sql, struct span name, struct span move_id, bool is_gone, char mailbox_id_out[DIRECTORY_ID_LENGTH + 1])
{
	bool is_same, was_gone;
	enum sql_status run = find_departure(sql, name, move_id, &is_same, &was_gone);

	if (run != SQL_ROW || !is_same || was_gone)
		return run == SQL_ROW ? SQL_OK : run;
	if (is_gone)
		return go(sql, name, move_id, mailbox_id_out);
	if ((run = journey_mailbox_id(sql, name, mailbox_id_out)) != SQL_OK)
		return run;
	return statement_run(sql, "DELETE FROM departure WHERE name = ?1 AND move_id = ?2", TEXTS(name, move_id));
}

enum directory_status
directory_end_leaving(struct directory *directory, struct span name, const char *move_id, bool is_gone,
    char mailbox_id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	mailbox_id_out[0] = '\0';
	if (status != DIRECTORY_OK)
		return status;
	registry.run = end_leaving(registry.sql, name, span_from_string(move_id), is_gone, mailbox_id_out);
	return registry_end(&registry, DIRECTORY_OK);
}

/*
 * Other names of the user; and who has been given rights by the user, and who has given the user some: names that mean
 * nothing elsewhere.
 */
static enum directory_status
describe_names(struct directory *directory, const struct directory_user *user, struct buffer *facts)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(registry.sql, "SELECT 'alias ' || name FROM alias WHERE mailbox_id = ?1 UNION ALL "
	    "SELECT 'gives ' || identifier FROM share WHERE mailbox_id = ?1 UNION ALL "
	    "SELECT 'gets ' || user.name FROM share JOIN user USING (mailbox_id) WHERE identifier = ?2");
	sql_bind_text(query, 1, span_from_string(user->mailbox_id));
	sql_bind_text(query, 2, user->name);
	while ((step = sql_step(query)) == SQL_ROW)
		buffer_printf(facts, "%.*s\n", SPAN_ARGS(sql_column_text(query, 0)));
	return registry_result(&registry, step);
}

enum directory_status
directory_describe(struct directory *directory, struct span name, struct arena *arena, struct span *facts_out)
{
	struct buffer facts = { 0 };
	struct directory_user user;
	enum directory_status status = directory_lookup(directory, name, arena, &user);

	if (status == DIRECTORY_OK)
		status = directory_find_groups(directory, arena, &user);
	if (status != DIRECTORY_OK)
		return status;
	buffer_printf(&facts, "shared %d\nenabled %d\n", user.is_shared, user.is_enabled);
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		if (user.quota.of[i] != 0)
			buffer_printf(&facts, "quota%d %lld\n", i, (long long)user.quota.of[i]);
	for (size_t i = 0; i < user.group_count; i++)
		buffer_printf(&facts, "group %.*s\n", SPAN_ARGS(user.groups[i]));
	status = describe_names(directory, &user, &facts);
	*facts_out = arena_copy(arena, buffer_span(&facts));
	buffer_free(&facts);
	return status;
}
