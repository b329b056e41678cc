/*
 * Users who get another name: tables rename, and renamed when it is over.  Worker thread.
 */
#include "directory/renaming.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "journey.h"
#include "registry.h"
#include "statement.h"

static_assert(DIRECTORY_RENAME_ID_LENGTH == DIRECTORY_ID_LENGTH, "one function copies both");

#define COLUMNS "name, new_name, rename_id, is_alias, is_switched, is_told, is_walked"

static struct span
old_of(const struct directory_rename *rename)
{
	return directory_name_span(&rename->name);
}

static struct span
new_of(const struct directory_rename *rename)
{
	return directory_name_span(&rename->new_name);
}

static struct span
id_of(const struct directory_rename *rename)
{
	return span_from_string(rename->rename_id);
}

static void
read_name(struct span text, struct directory_name *name_out)
{
	name_out->length = text.length < DIRECTORY_NAME_MAX ? text.length : DIRECTORY_NAME_MAX;
	memcpy(name_out->text, text.at, name_out->length);
	name_out->text[name_out->length] = '\0';
}

static void
read_row(struct sql_statement *query, struct directory_rename *rename_out)
{
	*rename_out = (struct directory_rename){ .is_alias = sql_column_number(query, 3) != 0,
		.is_switched = sql_column_number(query, 4) != 0, .is_told = sql_column_number(query, 5) != 0,
		.is_walked = sql_column_number(query, 6) != 0 };
	read_name(sql_column_text(query, 0), &rename_out->name);
	read_name(sql_column_text(query, 1), &rename_out->new_name);
	statement_read_id(query, 2, rename_out->rename_id);
}

/* SQL_ROW: it is there. */
static enum sql_status
find_row(struct sql *sql, struct span name, struct directory_rename *rename_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT " COLUMNS " FROM rename WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_ROW)
		read_row(query, rename_out);
	sql_reset(query);
	return step;
}

/* SQL_ROW: it has ended here; whoever has the new name had it then. */
static enum sql_status
find_ended(struct sql *sql, const struct directory_rename *rename)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT 1 FROM renamed WHERE rename_id = ?3 UNION ALL "
	    "SELECT 1 FROM renamed JOIN user ON user.name = new_name WHERE renamed.name = ?1 AND new_name = ?2 AND "
	    "is_alias = ?4 AND created <= ended AND NOT EXISTS (SELECT 1 FROM user WHERE name = ?1) LIMIT 1");
	enum sql_status step;

	sql_bind_text(query, 1, old_of(rename));
	sql_bind_text(query, 2, new_of(rename));
	sql_bind_text(query, 3, id_of(rename));
	sql_bind_number(query, 4, rename->is_alias);
	step = sql_step(query);
	sql_reset(query);
	return step;
}

/* ---- beginning ------------------------------------------------------------------------------------------ */

/*
 * The first that is in the way, in the order of the enum.
 *
 *	must_be_there	nobody has the old name: it is in the way
 *	is_late		it has happened elsewhere: who has the new name is the user, unless somebody has the old one
 */
static enum sql_status
find_hindrance(struct sql *sql, const struct directory_rename *rename, bool must_be_there, bool is_late,
    enum directory_hindrance *hindrance_out)
{
	struct sql_statement *query = sql_prepare(sql,
	    "SELECT 1 WHERE ?3 AND NOT EXISTS (SELECT 1 FROM user WHERE name = ?1) UNION ALL "
	    "SELECT 2 WHERE ?1 = ?2 UNION ALL "
	    "SELECT 3 FROM user WHERE name = ?2 AND (NOT ?4 OR EXISTS (SELECT 1 FROM user WHERE name = ?1)) UNION ALL "
	    "SELECT 4 FROM alias WHERE name = ?2 AND mailbox_id IS NOT (SELECT mailbox_id FROM user WHERE name = ?1) UNION ALL "
	    "SELECT 5 WHERE EXISTS (SELECT 1 FROM member WHERE group_name = ?2) UNION ALL "
	    "SELECT 6 WHERE EXISTS (SELECT 1 FROM move) OR EXISTS (SELECT 1 FROM arrival) OR "
	    "EXISTS (SELECT 1 FROM departure WHERE NOT is_gone) UNION ALL "
	    "SELECT 7 FROM rename WHERE name IN (?1, ?2) OR new_name IN (?1, ?2) LIMIT 1");
	enum sql_status step;

	sql_bind_text(query, 1, old_of(rename));
	sql_bind_text(query, 2, new_of(rename));
	sql_bind_number(query, 3, must_be_there);
	sql_bind_number(query, 4, is_late);
	step = sql_step(query);
	*hindrance_out = step == SQL_ROW ? (enum directory_hindrance)sql_column_number(query, 0) : DIRECTORY_UNHINDERED;
	sql_reset(query);
	return step == SQL_ROW ? SQL_OK : step;
}

static enum sql_status
insert(struct sql *sql, const struct directory_rename *rename)
{
	struct sql_statement *query = sql_prepare(sql, "INSERT INTO rename (name, new_name, rename_id, is_alias, is_told, is_walked) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	sql_bind_text(query, 1, old_of(rename));
	sql_bind_text(query, 2, new_of(rename));
	sql_bind_text(query, 3, id_of(rename));
	sql_bind_number(query, 4, rename->is_alias);
	sql_bind_number(query, 5, rename->is_told);
	sql_bind_number(query, 6, rename->is_walked);
	return sql_run(query);
}

/*
 * All rows that say the name.  What others share with the old one stays beside the new one until their files were looked
 * at: a row is there before the right is.
 */
static enum sql_status
switch_rows(struct sql *sql, const struct directory_rename *rename)
{
	static const char *const changes[] = {
		"DELETE FROM alias WHERE name = ?2 AND mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1)",
		"UPDATE user SET name = ?2, entry = iif(entry = 'shared=' || ?1, 'shared=' || ?2, entry) WHERE name = ?1",
		"INSERT OR IGNORE INTO share (mailbox_id, identifier) SELECT mailbox_id, ?2 FROM share WHERE identifier = ?1",
		"UPDATE departure SET name = ?2 WHERE name = ?1",
		("INSERT OR IGNORE INTO alias (name, mailbox_id) "
		    "SELECT ?1, mailbox_id FROM user WHERE name = ?2 AND (SELECT is_alias FROM rename WHERE name = ?1)"),
		"UPDATE rename SET is_switched = 1 WHERE name = ?1 AND new_name = ?2",
	};
	enum sql_status run = SQL_OK;
	struct sql_statement *query;

	for (size_t i = 0; i < COUNT_OF(changes) && run == SQL_OK; i++)
		run = statement_run(sql, changes[i], TEXTS(old_of(rename), new_of(rename)));
	if (run != SQL_OK)
		return run;
	query = sql_prepare(sql, "UPDATE user SET changed = ?2 WHERE name = ?1");
	sql_bind_text(query, 1, new_of(rename));
	sql_bind_number(query, 2, clock_calendar_s());
	return sql_run(query);
}

/* There for nobody any more. */
static enum sql_status
forget_if_over(struct sql *sql, const struct directory_rename *rename)
{
	struct sql_statement *query = sql_prepare(sql, "INSERT OR REPLACE INTO renamed SELECT rename_id, name, new_name, "
	    "is_alias, ?2 FROM rename WHERE name = ?1 AND is_switched AND is_told AND is_walked");
	enum sql_status run;

	sql_bind_text(query, 1, old_of(rename));
	sql_bind_number(query, 2, clock_calendar_s());
	run = sql_run(query);
	return run != SQL_OK ? run : statement_run(sql,
	    "DELETE FROM rename WHERE name = ?1 AND is_switched AND is_told AND is_walked", TEXTS(old_of(rename)));
}

/* Who ordered it does not know its id any more, and has ordered it anew. */
static enum sql_status
take_over(struct sql *sql, struct directory_rename *found, const struct directory_rename *rename)
{
	struct sql_statement *query = sql_prepare(sql,
	    "UPDATE rename SET rename_id = ?2, is_alias = iif(is_switched, is_alias, ?3) WHERE name = ?1");

	sql_bind_text(query, 1, old_of(rename));
	sql_bind_text(query, 2, id_of(rename));
	sql_bind_number(query, 3, rename->is_alias);
	memcpy(found->rename_id, rename->rename_id, sizeof found->rename_id);
	return sql_run(query);
}

/* SQL_ROW: it is given as it is noted, or is over. */
static enum sql_status
find_known(struct sql *sql, struct directory_rename *rename)
{
	struct directory_rename found = { .is_told = true };
	enum sql_status run = find_row(sql, old_of(rename), &found);
	bool is_other = rename->rename_id[0] != '\0' && strcmp(found.rename_id, rename->rename_id) != 0;

	if (run == SQL_ROW && (!span_equals(new_of(&found), new_of(rename)) || (is_other && !found.is_told)))
		return SQL_OK;
	if (run == SQL_ROW && is_other && (run = take_over(sql, &found, rename)) == SQL_OK)
		run = SQL_ROW;
	if (run == SQL_ROW)
		*rename = found;
	if (run != SQL_OK || (run = find_ended(sql, rename)) != SQL_ROW)
		return run;
	rename->is_over = rename->is_switched = rename->is_told = rename->is_walked = true;
	return SQL_ROW;
}

static enum sql_status
begin(struct sql *sql, struct directory_rename *rename, enum directory_hindrance *hindrance_out)
{
	bool is_ordered = rename->rename_id[0] == '\0';
	enum sql_status run;

	if ((run = find_hindrance(sql, rename, is_ordered, false, hindrance_out)) != SQL_OK || *hindrance_out != DIRECTORY_UNHINDERED)
		return run;
	if (is_ordered)
		random_hex(rename->rename_id, DIRECTORY_RENAME_ID_LENGTH);
	run = insert(sql, rename);
	rename->is_switched = is_ordered && rename->is_told;
	if (run == SQL_OK && rename->is_switched)
		run = switch_rows(sql, rename);
	return run == SQL_OK && rename->is_switched ? forget_if_over(sql, rename) : run;
}

/* In a transaction of its own: behind it the back end may have to be asked. */
static enum directory_status
look_for_known(struct directory *directory, struct directory_rename *rename, bool *is_known_out)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	*is_known_out = false;
	if (status != DIRECTORY_OK)
		return status;
	registry.run = find_known(registry.sql, rename);
	*is_known_out = registry.run == SQL_ROW;
	return registry_end(&registry, DIRECTORY_OK);
}

/* Names in LDAP are known there alone. */
static enum directory_status
ask_backend(struct directory *directory, const struct directory_rename *rename, enum directory_hindrance *hindrance_out)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status = directory_lookup(directory, new_of(rename), arena, &user);

	if (status == DIRECTORY_OK)
		*hindrance_out = DIRECTORY_NEW_IS_USER;
	else if (status == DIRECTORY_NOT_FOUND)
		status = directory_lookup(directory, old_of(rename), arena, &user);
	if (status == DIRECTORY_OK && !user.is_shared && *hindrance_out == DIRECTORY_UNHINDERED)
		status = DIRECTORY_READ_ONLY;
	arena_free(&arena);
	return status == DIRECTORY_NOT_FOUND ? DIRECTORY_OK : status;
}

enum directory_status
directory_rename_begin(struct directory *directory, struct directory_rename *rename, enum directory_hindrance *hindrance_out)
{
	struct registry registry;
	bool is_known;
	enum directory_status status = look_for_known(directory, rename, &is_known);

	*hindrance_out = DIRECTORY_UNHINDERED;
	if (status == DIRECTORY_OK && is_known)
		return DIRECTORY_OK;
	if (status == DIRECTORY_OK && directory_is_verifier(directory))
		status = ask_backend(directory, rename, hindrance_out);
	if (status != DIRECTORY_OK || *hindrance_out != DIRECTORY_UNHINDERED ||
	    (status = registry_begin(directory, &registry)) != DIRECTORY_OK)
		return status;
	registry.run = begin(registry.sql, rename, hindrance_out);
	if (registry.run != SQL_OK || *hindrance_out == DIRECTORY_UNHINDERED)
		return registry_end(&registry, DIRECTORY_OK);
	sql_rollback(registry.sql);
	return DIRECTORY_OK;
}

/* ---- afterwards ----------------------------------------------------------------------------------------- */

/* Run a change of a rename in a transaction, if it is known; then forget it if it is over. */
static enum directory_status
change(struct directory *directory, const struct directory_rename *rename,
    enum sql_status (*run_change)(struct sql *sql, const struct directory_rename *rename))
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);
	struct directory_rename found;

	if (status != DIRECTORY_OK)
		return status;
	registry.run = find_row(registry.sql, old_of(rename), &found);
	if (registry.run == SQL_ROW && strcmp(found.rename_id, rename->rename_id) == 0) {
		registry.run = run_change(registry.sql, &found);
		if (registry.run == SQL_OK)
			registry.run = forget_if_over(registry.sql, &found);
	}
	return registry_end(&registry, DIRECTORY_OK);
}

/* What was asked for when this directory was another one, or not yet one of the site's. */
static enum sql_status
catch_up(struct sql *sql, const struct directory_rename *rename, enum directory_hindrance *hindrance_out)
{
	enum sql_status run = find_ended(sql, rename);

	if (run == SQL_ROW)
		return SQL_OK;
	if (run == SQL_OK)
		run = find_hindrance(sql, rename, false, true, hindrance_out);
	if (run != SQL_OK || *hindrance_out != DIRECTORY_UNHINDERED)
		return run;
	run = insert(sql, rename);
	return run == SQL_OK ? switch_rows(sql, rename) : run;
}

enum directory_status
directory_rename_switch(struct directory *directory, const struct directory_rename *rename,
    enum directory_hindrance *hindrance_out)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);
	struct directory_rename found;

	*hindrance_out = DIRECTORY_UNHINDERED;
	if (status != DIRECTORY_OK)
		return status;
	registry.run = find_row(registry.sql, old_of(rename), &found);
	if (registry.run == SQL_OK || (registry.run == SQL_ROW && strcmp(found.rename_id, rename->rename_id) != 0))
		registry.run = catch_up(registry.sql, rename, hindrance_out);
	else if (registry.run == SQL_ROW)
		registry.run = found.is_switched ? SQL_OK : switch_rows(registry.sql, &found);
	if (registry.run == SQL_OK)
		registry.run = forget_if_over(registry.sql, rename);
	return registry_end(&registry, DIRECTORY_OK);
}

static enum sql_status
run_drop(struct sql *sql, const struct directory_rename *rename)
{
	return statement_run(sql, "DELETE FROM rename WHERE name = ?1 AND NOT is_switched", TEXTS(old_of(rename)));
}

enum directory_status
directory_rename_drop(struct directory *directory, const struct directory_rename *rename)
{
	return change(directory, rename, run_drop);
}

static enum sql_status
run_told(struct sql *sql, const struct directory_rename *rename)
{
	return statement_run(sql, "UPDATE rename SET is_told = 1 WHERE name = ?1", TEXTS(old_of(rename)));
}

enum directory_status
directory_rename_told(struct directory *directory, const struct directory_rename *rename)
{
	return change(directory, rename, run_told);
}

/* What the user has given the own name means nothing. */
static enum sql_status
run_walked(struct sql *sql, const struct directory_rename *rename)
{
	enum sql_status run = statement_run(sql, "DELETE FROM share WHERE identifier = ?1 OR "
	    "(identifier = ?2 AND mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?2))", TEXTS(old_of(rename), new_of(rename)));

	return run != SQL_OK ? run : statement_run(sql, "UPDATE rename SET is_walked = 1 WHERE name = ?1", TEXTS(old_of(rename)));
}

enum directory_status
directory_rename_walked(struct directory *directory, const struct directory_rename *rename)
{
	return change(directory, rename, run_walked);
}

/* ---- asking --------------------------------------------------------------------------------------------- */

enum directory_status
directory_rename_list(struct directory *directory, struct arena *arena, struct directory_rename **renames_out,
    size_t *count_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct directory_rename *renames = NULL;
	size_t count = 0;
	struct sql_statement *query;
	enum sql_status step;

	*count_out = 0;
	if (status != DIRECTORY_OK)
		return status == DIRECTORY_READ_ONLY ? DIRECTORY_OK : status;
	query = sql_prepare(registry.sql, "SELECT rename.name, new_name, rename_id, is_alias, is_switched, is_told, is_walked, "
	    "mailbox_id FROM rename LEFT JOIN user ON user.name = new_name AND is_switched ORDER BY rename.name");
	while ((step = sql_step(query)) == SQL_ROW) {
		renames = registry_more(arena, renames, count, sizeof *renames);
		read_row(query, &renames[count]);
		statement_read_id(query, 7, renames[count++].mailbox_id);
	}
	*renames_out = renames;
	*count_out = count;
	return registry_result(&registry, step);
}

enum directory_status
directory_list_mailboxes(struct directory *directory, struct span after, struct arena *arena,
    struct directory_mailbox *mailboxes_out, size_t limit, size_t *count_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	*count_out = 0;
	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(registry.sql, "SELECT name, mailbox_id FROM user WHERE mailbox_id > ?1 UNION ALL "
	    "SELECT name, mailbox_id FROM retired_mailbox WHERE mailbox_id > ?1 ORDER BY mailbox_id LIMIT ?2");
	sql_bind_text(query, 1, after);
	sql_bind_number(query, 2, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW) {
		mailboxes_out[count].name = arena_copy(arena, sql_column_text(query, 0));
		statement_read_id(query, 1, mailboxes_out[count++].mailbox_id);
	}
	*count_out = count;
	return registry_result(&registry, step);
}

enum directory_status
directory_find_former(struct directory *directory, struct span name, struct directory_name *former_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct sql_statement *query;
	enum sql_status step;

	former_out->length = 0;
	former_out->text[0] = '\0';
	if (status != DIRECTORY_OK)
		return status == DIRECTORY_READ_ONLY ? DIRECTORY_OK : status;
	query = sql_prepare(registry.sql, "SELECT name FROM rename WHERE new_name = ?1 AND is_switched AND NOT is_walked");
	sql_bind_text(query, 1, name);
	if ((step = sql_step(query)) == SQL_ROW)
		read_name(sql_column_text(query, 0), former_out);
	sql_reset(query);
	return registry_result(&registry, step);
}
