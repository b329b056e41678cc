/*
 * Rows of table user.
 */
#include "base/clock.h"
#include "base/random.h"
#include "sqlite.h"

/* A deleted and added user has another version, too: it begins at a random number below 2^52. */
int64_t
sqlite_new_version(void)
{
	uint64_t number;

	random_fill(&number, sizeof number);
	return (int64_t)(number >> 12);
}

enum sql_status
sqlite_insert(struct sql *sql, struct span name, struct span credential, bool is_shared)
{
	struct sql_statement *query = sql_prepare(sql,
	    "INSERT INTO user (name, mailbox_id, credential, credential_version, created, changed, is_shared, entry) "
	    "SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, iif(?6, 'shared=' || ?1, '') "
	    "WHERE NOT EXISTS (SELECT 1 FROM alias WHERE name = ?1) AND "
	    "NOT EXISTS (SELECT 1 FROM rename WHERE ?1 IN (name, new_name)) ON CONFLICT (name) DO NOTHING");
	char id[DIRECTORY_ID_LENGTH + 1];

	random_hex(id, DIRECTORY_ID_LENGTH);	/* 128 bits: none is ever drawn twice */
	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, span_from_string(id));
	sql_bind_text(query, 3, credential);
	sql_bind_number(query, 4, sqlite_new_version());
	sql_bind_number(query, 5, clock_calendar_s());
	sql_bind_number(query, 6, is_shared);
	return sql_run(query);
}
