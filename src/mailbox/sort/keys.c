/*
 * A table of contents, with a column for each field that somebody wanted.
 */
#include "keys.h"

#include <stdlib.h>

#include "base/memory.h"
#include "imap/ordering.h"

#define TABLE_BITS_MIN 8
#define DEAD_MIN       1000	/* slots whose messages are gone, before all are dropped for them */

struct keys *
keys_new(void)
{
	struct keys *keys = NEW(struct keys);

	keys->table_bits = TABLE_BITS_MIN;
	keys->table = memory_new_array((size_t)1 << keys->table_bits, sizeof *keys->table);
	for (size_t i = 0; i < KEYS_TEXT_COUNT; i++)
		texts_init(&keys->texts[i]);
	texts_init(&keys->link_texts);
	return keys;
}

void
keys_free(struct keys *keys)
{
	for (size_t i = 0; i < KEYS_TEXT_COUNT; i++) {
		texts_fini(&keys->texts[i]);
		free(keys->numbers[i]);
	}
	texts_fini(&keys->link_texts);
	buffer_free(&keys->links);
	free(keys->contents);
	free(keys->sent_s);
	free(keys->has_sent_date);
	free(keys->is_reply);
	free(keys->known);
	free(keys->links_at);
	free(keys->table);
	free(keys);
}

size_t
keys_octets(const struct keys *keys)
{
	size_t each = sizeof *keys->contents + sizeof *keys->sent_s + 2 * sizeof(bool) + sizeof *keys->known +
	    (keys->links_at != NULL ? sizeof *keys->links_at : 0);
	size_t octets = texts_octets(&keys->link_texts) + keys->links.capacity;

	for (size_t i = 0; i < KEYS_TEXT_COUNT; i++) {
		octets += texts_octets(&keys->texts[i]);
		each += keys->numbers[i] != NULL ? sizeof *keys->numbers[i] : 0;
	}
	return octets + keys->capacity * each + ((size_t)1 << keys->table_bits) * sizeof *keys->table;
}

/* ---- beside a state ------------------------------------------------------------------------------------- */

static void
on_drop(struct state_place *place)
{
	struct keys *keys = CONTAINER_OF(place, struct keys, place);

	keys->extra.state->extras[STATE_SORT] = NULL;
	keys_free(keys);
}

/* The state goes, so nobody uses them. */
static void
on_state_gone(struct state_extra *extra)
{
	struct keys *keys = CONTAINER_OF(extra, struct keys, extra);

	state_cache_remove(keys->cache, &keys->place);
	keys_free(keys);
}

struct keys *
keys_use(struct account *account, struct state *state)
{
	struct keys *keys;

	if (state->extras[STATE_SORT] == NULL) {
		keys = keys_new();
		keys->extra = (struct state_extra){ .state = state, .on_gone = on_state_gone };
		keys->cache = account_extra_cache(account);
		state_place_init(&keys->place, on_drop);
		state->extras[STATE_SORT] = &keys->extra;
	}
	keys = CONTAINER_OF(state->extras[STATE_SORT], struct keys, extra);
	if (keys->users++ == 0)
		state_cache_remove(keys->cache, &keys->place);
	return keys;
}

void
keys_note(struct keys *keys, size_t octets)
{
	if (keys == NULL)
		return;
	account_note_gathered(keys->extra.state->account, keys->noted, octets);
	keys->noted = octets;
}

void
keys_release(struct keys **keys_at)
{
	struct keys *keys = *keys_at;

	*keys_at = NULL;
	if (keys == NULL || --keys->users > 0)
		return;
	keys_note(keys, 0);
	if (keys->count > 2 * keys->extra.state->count + DEAD_MIN)
		on_drop(&keys->place);
	else
		state_cache_add(keys->cache, &keys->place, keys_octets(keys));
}

/* ---- slots ---------------------------------------------------------------------------------------------- */

/* Ids were given by the store, one after the other. */
static uint32_t *
find_place(const struct keys *keys, uint64_t content_id)
{
	size_t mask = ((size_t)1 << keys->table_bits) - 1;
	size_t place = content_id * UINT64_C(0x9e3779b97f4a7c15) >> (64 - keys->table_bits);

	while (keys->table[place] != 0 && keys->contents[keys->table[place] - 1] != content_id)
		place = (place + 1) & mask;
	return &keys->table[place];
}

uint32_t
keys_find(const struct keys *keys, uint64_t content_id, unsigned fields, uint32_t guess)
{
	uint32_t slot = guess;

	if (guess >= keys->count || keys->contents[guess] != content_id)
		slot = *find_place(keys, content_id) - 1;	/* 0: KEYS_NO_SLOT */
	return slot != KEYS_NO_SLOT && (keys->known[slot] & fields) == fields ? slot : KEYS_NO_SLOT;
}

static void
grow_table(struct keys *keys)
{
	free(keys->table);
	keys->table_bits++;
	keys->table = memory_new_array((size_t)1 << keys->table_bits, sizeof *keys->table);
	for (uint32_t i = 0; i < keys->count; i++)
		*find_place(keys, keys->contents[i]) = i + 1;
}

static void
grow(struct keys *keys)
{
	keys->capacity = keys->capacity * 2 + 64;
	keys->contents = memory_resize(keys->contents, keys->capacity, sizeof *keys->contents);
	keys->sent_s = memory_resize(keys->sent_s, keys->capacity, sizeof *keys->sent_s);
	keys->has_sent_date = memory_resize(keys->has_sent_date, keys->capacity, sizeof *keys->has_sent_date);
	keys->is_reply = memory_resize(keys->is_reply, keys->capacity, sizeof *keys->is_reply);
	keys->known = memory_resize(keys->known, keys->capacity, sizeof *keys->known);
	for (size_t i = 0; i < KEYS_TEXT_COUNT; i++)
		if (keys->numbers[i] != NULL)
			keys->numbers[i] = memory_resize(keys->numbers[i], keys->capacity, sizeof *keys->numbers[i]);
	if (keys->links_at != NULL)
		keys->links_at = memory_resize(keys->links_at, keys->capacity, sizeof *keys->links_at);
}

static uint32_t
slot_of(struct keys *keys, uint64_t content_id)
{
	uint32_t *place = find_place(keys, content_id);

	if (*place != 0)
		return *place - 1;
	if ((size_t)keys->count * 2 >= (size_t)1 << keys->table_bits) {
		grow_table(keys);
		place = find_place(keys, content_id);
	}
	if (keys->count == keys->capacity)
		grow(keys);
	keys->contents[keys->count] = content_id;
	keys->known[keys->count] = 0;
	*place = ++keys->count;
	return keys->count - 1;
}

/* ---- fields --------------------------------------------------------------------------------------------- */

static void
add_text(struct keys *keys, uint32_t slot, enum keys_text which, struct span text)
{
	if (keys->numbers[which] == NULL)
		keys->numbers[which] = memory_new_array(keys->capacity, sizeof *keys->numbers[which]);
	keys->numbers[which][slot] = texts_number(&keys->texts[which], text);
}

static uint32_t
link_number(struct keys *keys, struct span links)
{
	static const uint8_t none[IMAP_LINK_OCTETS];
	struct span link = span_slice(links, 0, IMAP_LINK_OCTETS);

	return span_equals(link, span_of(none, sizeof none)) ? TEXTS_EMPTY : texts_number(&keys->link_texts, link);
}

static void
add_links(struct keys *keys, uint32_t slot, struct span links)
{
	uint32_t number = (uint32_t)(links.length / IMAP_LINK_OCTETS);

	if (keys->links_at == NULL)
		keys->links_at = memory_new_array(keys->capacity, sizeof *keys->links_at);
	keys->links_at[slot] = (uint32_t)(keys->links.length / sizeof number);
	buffer_add(&keys->links, &number, sizeof number);
	for (; links.length >= IMAP_LINK_OCTETS; links = span_from(links, IMAP_LINK_OCTETS)) {
		number = link_number(keys, links);
		buffer_add(&keys->links, &number, sizeof number);
	}
}

void
keys_add(struct keys *keys, uint64_t content_id, unsigned fields, const struct store_ordering *ordering)
{
	const struct span texts[KEYS_TEXT_COUNT] = { ordering->subject, ordering->from, ordering->to, ordering->cc,
		ordering->from_name, ordering->to_name };
	uint32_t slot = slot_of(keys, content_id);
	unsigned missing = fields & ~(unsigned)keys->known[slot];

	keys->sent_s[slot] = ordering->sent_s;
	keys->has_sent_date[slot] = ordering->has_sent_date;
	keys->is_reply[slot] = ordering->is_reply;
	for (unsigned i = 0; i < KEYS_TEXT_COUNT; i++)
		if (missing & 1u << i)
			add_text(keys, slot, i, texts[i]);
	if (missing & STORE_ORDERING_LINKS)
		add_links(keys, slot, ordering->links);
	keys->known[slot] |= (uint8_t)missing;
}

const uint32_t *
keys_links(const struct keys *keys, uint32_t slot, size_t *count_out)
{
	const uint32_t *links = (const uint32_t *)(const void *)keys->links.at + keys->links_at[slot];

	*count_out = links[0];
	return links + 1;
}
