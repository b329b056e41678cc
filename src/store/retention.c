/*
 * What is kept of messages that have left is let go, the oldest first: after the time that is configured, when it takes
 * more than the user's limit, and when the disk runs short.  Worker threads.
 */
#include <sys/statvfs.h>

#include "base/clock.h"
#include "retain.h"

#define NOTHING	    INT64_MAX
#define PAGE_OCTETS 4096

void
store_set_retention(struct store *store, int64_t seconds)
{
	store->retention_s = seconds;
}

uint64_t
store_take_let_go(struct store *store)
{
	uint64_t count = store->let_go;

	store->let_go = 0;
	return count;
}

void
retention_note(struct store *store, int64_t left_s, int64_t size_octets)
{
	if (left_s < store->retained_since_s)
		store->retained_since_s = left_s;
	if (store->retained_octets >= 0)
		store->retained_octets += size_octets;
}

/* What a repair has set aside stays. */
static enum store_status
find_oldest(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT left_at FROM retained WHERE left_how <> 4 ORDER BY id LIMIT 1");
	enum store_status status = store_row(query);

	if (status == STORE_OK || status == STORE_NOT_FOUND)
		store->retained_since_s = status == STORE_OK ? sql_column_number(query, 0) : NOTHING;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status
retention_open(struct store *store)
{
	store->retained_octets = -1;
	return find_oldest(store);
}

static enum store_status
sum_up(struct store *store)
{
	struct sql_statement *query;
	enum store_status status;

	if (store->retained_octets >= 0)
		return STORE_OK;
	query = sql_prepare(store->sql, "SELECT coalesce(sum(size), 0) FROM retained WHERE left_how <> 4");
	if ((status = store_row(query)) == STORE_OK)
		store->retained_octets = sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

/* As much as the mailboxes may hold: else who appends and expunges fills the disk. */
static bool
is_too_much(const struct store *store)
{
	uint64_t limit = store->quota.limits.of[STORE_RESOURCE_STORAGE];

	return limit != STORE_NO_QUOTA && store->retained_octets >= 0 && (uint64_t)store->retained_octets > limit;
}

static bool
is_too_old(const struct store *store)
{
	int64_t now_s = clock_calendar_s();

	return store->retention_s == 0 || store->retained_since_s <= now_s - store->retention_s ||
	    store->retained_since_s > now_s;
}

bool
store_is_retention_over(const struct store *store)
{
	if (store->retained_since_s == NOTHING)
		return false;
	return store->retained_since_s == RETENTION_NOT_KNOWN || is_too_old(store) || is_too_much(store) || store->is_disk_short;
}

/* Pages of the file that are free are room, too. */
static enum store_status
look_at_disk(struct store *store)
{
	struct sql_statement *query;
	struct statvfs about;
	enum store_status status;
	uint64_t free_octets = 0;

	store->is_disk_short = statvfs(store->path, &about) == 0 &&
	    (free_octets = (uint64_t)about.f_bavail * about.f_frsize) < STORE_RESERVE_OCTETS;
	if (!store->is_disk_short)
		return STORE_OK;
	query = sql_prepare(store->sql, "PRAGMA freelist_count");
	if ((status = store_row(query)) == STORE_OK)
		free_octets += (uint64_t)sql_column_number(query, 0) * PAGE_OCTETS;
	sql_reset(query);
	store->is_disk_short = free_octets < STORE_RESERVE_OCTETS;
	return status;
}

/* What seems to have left later than now has, when the clock was wrong: it counts from now on. */
static enum store_status
mend_times(struct store *store)
{
	int64_t now_s = clock_calendar_s();
	struct sql_statement *update;

	if (store->retained_since_s == NOTHING || store->retained_since_s <= now_s)
		return STORE_OK;
	store->retained_since_s = now_s;
	update = sql_prepare(store->sql, "UPDATE retained SET left_at = ?1 WHERE left_at > ?1");
	sql_bind_number(update, 1, now_s);
	return store_run(update);
}

/* Let the oldest go. */
static enum store_status
let_go(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, content_id, size FROM retained WHERE left_how <> 4 ORDER BY id LIMIT 1");
	enum store_status status = store_row(query);
	uint64_t id = 0, content_id = 0;
	int64_t size_octets = 0;

	if (status == STORE_OK) {
		id = (uint64_t)sql_column_number(query, 0);
		content_id = (uint64_t)sql_column_number(query, 1);
		size_octets = sql_column_number(query, 2);
	}
	sql_reset(query);
	if (status != STORE_OK || (status = store_content_release(store, content_id)) != STORE_OK)
		return status;
	retention_note(store, NOTHING, -size_octets);
	status = store_run_with_id(store, "DELETE FROM retained WHERE id = ?1", id);
	return status == STORE_OK ? find_oldest(store) : status;
}

/* Names that nothing is kept of. */
static enum store_status
forget_names(struct store *store)
{
	return store_run(sql_prepare(store->sql,
	    "DELETE FROM deleted_mailbox WHERE id NOT IN (SELECT mailbox_id FROM retained)"));
}

enum store_status
retention_purge(struct store *store, uint32_t count_max, bool *is_more_out)
{
	enum store_status status;
	uint32_t count = 0;

	*is_more_out = false;
	if ((status = find_oldest(store)) != STORE_OK || (status = mend_times(store)) != STORE_OK ||
	    (status = sum_up(store)) != STORE_OK || (status = look_at_disk(store)) != STORE_OK)
		return status;
	while (status == STORE_OK && count < count_max && store_is_retention_over(store)) {
		status = let_go(store);
		count++;
	}
	*is_more_out = count > 0;
	store->let_go += count;
	return status == STORE_OK && count > 0 ? forget_names(store) : status;
}
