/*
 * Limits and what is used of them.  A sum over the rows of mailbox, of which there are few; nobody who has no limits
 * pays for it.  Worker threads.
 */
#include "store/quota.h"

#include "base/thread.h"
#include "internal.h"

static enum store_status
read_usage(struct store *store, struct store_amounts *usage_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT coalesce(sum(size), 0), coalesce(sum(messages), 0), count(*) FROM mailbox");
	enum store_status status = store_row(query);

	for (int i = 0; status == STORE_OK && i < STORE_RESOURCE_COUNT; i++)
		usage_out->of[i] = sql_column_number(query, i);
	sql_reset(query);
	return status;
}

enum store_status
store_usage(struct store *store, struct store_amounts *usage_out, struct store_amounts *limits_out)
{
	assert_off_loop();
	*limits_out = store->quota.limits;
	return read_usage(store, usage_out);
}

void
store_set_quota(struct store *store, const struct store_quota *quota)
{
	store->quota = *quota;
}

void
store_credit_quota(struct store *store, const struct store_amounts *leaving)
{
	store->credit = *leaving;
}

static bool
has_limits(const struct store *store)
{
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		if (store->quota.limits.of[i] != STORE_NO_QUOTA)
			return true;
	return false;
}

/* What is used when that which leaves is gone. */
static uint64_t
left_of(const struct store *store, enum store_resource resource, uint64_t used)
{
	uint64_t leaving = store->credit.of[resource];

	return leaving < used ? used - leaving : 0;
}

/* What takes the place of another fits, also above the limit. */
static uint64_t
room_for(const struct store *store, enum store_resource resource, uint64_t used)
{
	uint64_t limit = store->quota.limits.of[resource], left = left_of(store, resource, used);
	uint64_t room = limit > left ? limit - left : 0;

	if (limit == STORE_NO_QUOTA)
		return STORE_NO_QUOTA;
	return room < used - left ? used - left : room;
}

enum store_status
store_quota_room(struct store *store, struct store_amounts *room_out)
{
	struct store_amounts used = { { 0 } };
	enum store_status status = STORE_OK;

	assert_off_loop();
	if (has_limits(store))
		status = read_usage(store, &used);
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		room_out->of[i] = room_for(store, i, used.of[i]);
	return status;
}

static bool
is_above(uint64_t used, uint64_t limit, unsigned percent)
{
	return limit != STORE_NO_QUOTA && percent > 0 && (double)used * 100 > (double)limit * percent;
}

static bool
is_fuller(const struct store_quota_news *one, const struct store_quota_news *other)
{
	return (double)one->used * (double)other->limit > (double)other->used * (double)one->limit;
}

static void
note_passing(struct store *store, enum store_resource resource, uint64_t before, uint64_t after)
{
	const struct store_quota *quota = &store->quota;
	struct store_quota_news news = { resource, after, quota->limits.of[resource] };

	if (is_above(before, news.limit, quota->warning_percent) || !is_above(after, news.limit, quota->warning_percent))
		return;
	if (!store->has_quota_news || is_fuller(&news, &store->quota_news))
		store->quota_news = news;
	store->has_quota_news = true;
}

static bool
is_over(const struct store *store, const struct store_amounts *before, const struct store_amounts *after)
{
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		if (after->of[i] > before->of[i] && after->of[i] > store->quota.limits.of[i])
			return true;
	return false;
}

enum store_status
store_spend_quota(struct store *store, const struct store_amounts *added)
{
	struct store_amounts before, after;
	enum store_status status;

	if (!has_limits(store))
		return STORE_OK;
	if ((status = read_usage(store, &before)) != STORE_OK)
		return status;
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		after.of[i] = left_of(store, i, before.of[i]) + added->of[i];
	if (is_over(store, &before, &after))
		return STORE_OVER_QUOTA;
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		note_passing(store, i, before.of[i], after.of[i]);
	return STORE_OK;
}

bool
store_take_quota_news(struct store *store, struct store_quota_news *news_out)
{
	bool has_news = store->has_quota_news;

	if (has_news)
		*news_out = store->quota_news;
	store->has_quota_news = false;
	return has_news;
}
