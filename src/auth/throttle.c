/*
 * Failures counted by address and by user, in two tables of bounded size.  Loop thread.
 */
#include "auth/throttle.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"

/* A user's name is cut for the key; longer ones do not exist. */
#define KEY_MAX 255

struct entry {
	struct list link;		/* least recently failed first */
	struct span key;		/* owned */
	unsigned failures;
	uint64_t last_us;
};

struct table {
	struct map *entries;
	struct list by_age;
};

struct throttle {
	size_t capacity;
	struct table addresses, users;
};

static void
table_init(struct table *table)
{
	table->entries = map_new();
	list_init(&table->by_age);
}

static void
table_drop(struct table *table, struct entry *entry)
{
	map_remove(table->entries, entry->key);
	list_remove(&entry->link);
	free((void *)(uintptr_t)entry->key.at);
	free(entry);
}

static void
table_fini(struct table *table)
{
	LIST_FOREACH(&table->by_age, link)
		table_drop(table, LIST_ENTRY(link, struct entry, link));
	map_free(&table->entries);
}

static struct entry *
table_add(struct table *table, struct span key, size_t capacity)
{
	struct entry *entry = NEW(struct entry);

	if (map_count(table->entries) >= capacity)
		table_drop(table, LIST_ENTRY(table->by_age.next, struct entry, link));
	entry->key = span_of(memory_copy_span(key), key.length);
	map_put(table->entries, key, entry);
	return entry;
}

/* Count one more failure; returns how many there are now. */
static unsigned
table_fail(struct table *table, struct span key, size_t capacity, uint64_t now_us)
{
	struct entry *entry = map_get(table->entries, key);

	if (entry == NULL)
		entry = table_add(table, key, capacity);
	else if (now_us - entry->last_us >= (uint64_t)THROTTLE_MEMORY_S * 1000000)
		entry->failures = 0;
	if (entry->link.next != NULL)
		list_remove(&entry->link);
	list_push_back(&table->by_age, &entry->link);
	entry->last_us = now_us;
	return ++entry->failures;
}

struct throttle *
throttle_new(size_t capacity)
{
	struct throttle *throttle = NEW(struct throttle);

	throttle->capacity = capacity == 0 ? 1 : capacity;
	table_init(&throttle->addresses);
	table_init(&throttle->users);
	return throttle;
}

void
throttle_free(struct throttle **throttle)
{
	if (*throttle == NULL)
		return;
	table_fini(&(*throttle)->addresses);
	table_fini(&(*throttle)->users);
	free(*throttle);
	*throttle = NULL;
}

/* Who has one IPv6 address has the /64 around it. */
struct span
throttle_place(const char *address, uint8_t key_out[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (inet_pton(AF_INET, address, key_out) == 1)
		return span_of(key_out, 4);
	if (inet_pton(AF_INET6, address, key_out) != 1)
		return span_from_string(address);	/* a local socket, or a scoped address */
	if (memcmp(key_out, mapped, sizeof mapped) == 0)
		return span_of(key_out + 12, 4);
	return span_of(key_out, 8);
}

static size_t
user_key(struct span user, uint8_t key_out[KEY_MAX])
{
	size_t length = user.length < KEY_MAX ? user.length : KEY_MAX;

	for (size_t i = 0; i < length; i++)
		key_out[i] = ascii_lower(user.at[i]);
	return length;
}

static uint32_t
delay_ms(unsigned failures)
{
	static const uint32_t delays_ms[] = { 2000, 4000, 8000, 15000 };
	unsigned most = COUNT_OF(delays_ms);

	return delays_ms[(failures < most ? failures : most) - 1];
}

uint32_t
throttle_failed(struct throttle *throttle, const char *address, struct span user,
    uint64_t now_us)
{
	uint8_t address_octets[16], user_octets[KEY_MAX];
	struct span who = span_of(user_octets, user_key(user, user_octets));
	unsigned by_address, by_user = 0;

	by_address = table_fail(&throttle->addresses, throttle_place(address, address_octets),
	    throttle->capacity, now_us);
	if (who.length > 0)
		by_user = table_fail(&throttle->users, who, throttle->capacity, now_us);
	return delay_ms(by_address > by_user ? by_address : by_user);
}

void
throttle_succeeded(struct throttle *throttle, struct span user)
{
	uint8_t octets[KEY_MAX];
	struct span key = span_of(octets, user_key(user, octets));
	struct entry *entry = map_get(throttle->users.entries, key);

	if (entry != NULL)
		table_drop(&throttle->users, entry);
}
