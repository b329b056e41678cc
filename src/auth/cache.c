/*
 * Successes remembered, by user and mechanism, in the order of their age.  Loop thread: one HMAC a call.
 */
#include "auth/cache.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "hash.h"

struct entry {
	struct list link;		/* oldest first */
	char *key;
	size_t key_length;
	uint8_t proof[HASH_MAX];
	uint64_t added_us;
};

struct auth_cache {
	uint64_t lifetime_us;
	size_t capacity;
	struct map *entries;
	struct list by_age;
	uint8_t secret[HASH_MAX];
};

struct auth_cache *
auth_cache_new(uint32_t lifetime_s, size_t capacity)
{
	struct auth_cache *cache = NEW(struct auth_cache);

	cache->lifetime_us = (uint64_t)lifetime_s * 1000000;
	cache->capacity = capacity;
	cache->entries = map_new();
	list_init(&cache->by_age);
	random_fill(cache->secret, sizeof cache->secret);
	return cache;
}

static void
drop(struct auth_cache *cache, struct entry *entry)
{
	map_remove(cache->entries, span_of(entry->key, entry->key_length));
	list_remove(&entry->link);
	free(entry->key);
	free(entry);
}

void
auth_cache_clear(struct auth_cache *cache)
{
	LIST_FOREACH(&cache->by_age, link)
		drop(cache, LIST_ENTRY(link, struct entry, link));
}

void
auth_cache_free(struct auth_cache **cache)
{
	if (*cache == NULL)
		return;
	auth_cache_clear(*cache);
	map_free(&(*cache)->entries);
	memory_wipe((*cache)->secret, sizeof (*cache)->secret);
	free(*cache);
	*cache = NULL;
}

/* The mechanism in one octet, and the user. */
static void
write_key(const struct auth_proof *proof, struct buffer *out)
{
	buffer_add_octet(out, (uint8_t)proof->mechanism);
	buffer_add_span(out, proof->user);
}

/* Each part says its length, so that no two proofs give the same octets. */
static void
digest_proof(const struct auth_cache *cache, const struct auth_proof *proof,
    uint8_t mac_out[HASH_MAX])
{
	uint64_t numbers[3] = { (uint64_t)proof->mechanism, proof->credential_version,
		proof->user.length };
	size_t length = sizeof numbers + proof->user.length + proof->password.length;
	struct buffer text = { 0 };

	buffer_reserve(&text, length + 1);
	buffer_add(&text, numbers, sizeof numbers);
	buffer_add_span(&text, proof->user);
	buffer_add_span(&text, proof->password);
	hash_mac(HASH_SHA_256, span_of(cache->secret, sizeof cache->secret), buffer_span(&text), mac_out);
	memory_wipe(text.at, length);
	buffer_free(&text);
}

static struct entry *
find(struct auth_cache *cache, const struct auth_proof *proof)
{
	struct buffer key = { 0 };
	struct entry *entry;

	write_key(proof, &key);
	entry = map_get(cache->entries, buffer_span(&key));
	buffer_free(&key);
	return entry;
}

bool
auth_cache_has(struct auth_cache *cache, const struct auth_proof *proof, uint64_t now_us)
{
	struct entry *entry = find(cache, proof);
	uint8_t mac[HASH_MAX];

	if (entry == NULL)
		return false;
	if (now_us - entry->added_us >= cache->lifetime_us) {
		drop(cache, entry);
		return false;
	}
	digest_proof(cache, proof, mac);
	return memory_equals_secret(mac, entry->proof, sizeof mac);
}

void
auth_cache_add(struct auth_cache *cache, const struct auth_proof *proof, uint64_t now_us)
{
	struct entry *entry = find(cache, proof);
	struct buffer key = { 0 };

	if (entry != NULL)
		drop(cache, entry);
	if (cache->capacity == 0 || cache->lifetime_us == 0)
		return;
	if (map_count(cache->entries) >= cache->capacity)
		drop(cache, LIST_ENTRY(cache->by_age.next, struct entry, link));
	write_key(proof, &key);
	entry = NEW(struct entry);
	entry->key = memory_copy_span(buffer_span(&key));
	entry->key_length = key.length;
	entry->added_us = now_us;
	digest_proof(cache, proof, entry->proof);
	map_put(cache->entries, buffer_span(&key), entry);
	list_push_back(&cache->by_age, &entry->link);
	buffer_free(&key);
}
