/*
 * Blocks with extents, which hang on their contents; contents by their ids.
 */
#include "bodies.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

#define EXTENTS_MAX 1024		/* of a content; as many pieces of FETCH fill the cache */

struct kept_content {
	uint64_t id;
	uint32_t header_length;
	struct buffer parts;
	struct list extents;		/* by where they begin in the content */
	size_t count;
	struct kept_extent *last;	/* found; or NULL */
};

struct kept_extent {
	struct list link;		/* in content->extents, or alone */
	struct kept_content *content;
	struct fetch_block *block;
	struct fetch_extent what;
};

struct fetch_block {
	struct state_place place;	/* in the cache, while bodies is not NULL */
	struct fetch_bodies *bodies;
	struct list link;		/* in bodies->blocks */
	atomic_uint holders;		/* workers let go, too */
	struct buffer octets;
	size_t reply_length;
	struct kept_extent *extents;
	size_t count;
};

struct fetch_bodies {
	struct state_extra extra;
	struct state_cache *cache;
	struct map *contents;
	struct list blocks;
};

/* ---- notes ------------------------------------------------------------------------------------------------ */

void
fetch_notes_add(struct fetch_notes *notes, const struct fetch_extent *extent)
{
	struct buffer parts = extent->parts;

	if (extent->length == 0) {
		buffer_free(&parts);
		return;
	}
	if (notes->count == notes->capacity) {
		notes->capacity = notes->capacity * 2 + 4;
		notes->extents = memory_resize(notes->extents, notes->capacity, sizeof *notes->extents);
	}
	notes->extents[notes->count++] = *extent;
}

void
fetch_notes_clear(struct fetch_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		buffer_free(&notes->extents[i].parts);
	notes->count = 0;
	buffer_free(&notes->beyond);
}

void
fetch_notes_fini(struct fetch_notes *notes)
{
	fetch_notes_clear(notes);
	free(notes->extents);
}

/* ---- blocks ----------------------------------------------------------------------------------------------- */

struct fetch_block *
fetch_block_new(struct buffer *piece, struct fetch_notes *notes)
{
	struct fetch_block *block = NEW(struct fetch_block);

	atomic_init(&block->holders, 1);
	block->reply_length = piece->length;
	buffer_add_span(piece, buffer_span(&notes->beyond));
	block->octets = *piece;
	*piece = (struct buffer){ 0 };
	list_init(&block->link);
	block->extents = memory_new_array(notes->count, sizeof *block->extents);
	block->count = notes->count;
	for (size_t i = 0; i < notes->count; i++) {
		block->extents[i] = (struct kept_extent){ .block = block, .what = notes->extents[i] };
		block->extents[i].what.place += notes->extents[i].is_beyond ? block->reply_length : 0;
		list_init(&block->extents[i].link);
	}
	notes->count = 0;
	return block;
}

struct span
fetch_block_reply(const struct fetch_block *block)
{
	return span_slice(buffer_span(&block->octets), 0, block->reply_length);
}

void
fetch_block_release(const void *octets, size_t length, void *context)
{
	struct fetch_block *block = context;

	(void)octets;
	(void)length;
	if (atomic_fetch_sub(&block->holders, 1) != 1)
		return;
	for (size_t i = 0; i < block->count; i++)
		buffer_free(&block->extents[i].what.parts);
	buffer_free(&block->octets);
	free(block->extents);
	free(block);
}

/* ---- what is kept ----------------------------------------------------------------------------------------- */

static struct span
key_of(const uint64_t *content_id)
{
	return span_of(content_id, sizeof *content_id);
}

static struct fetch_bodies *
bodies_of(const struct state *state)
{
	struct state_extra *extra = state->extras[STATE_BODIES];

	return extra == NULL ? NULL : CONTAINER_OF(extra, struct fetch_bodies, extra);
}

static struct kept_content *
find_content(const struct state *state, uint64_t content_id)
{
	const struct fetch_bodies *bodies = bodies_of(state);

	return bodies == NULL ? NULL : map_get(bodies->contents, key_of(&content_id));
}

static bool
has_octet(const struct kept_extent *extent, uint64_t at)
{
	return at >= extent->what.at && at - extent->what.at < extent->what.length;
}

/* The extent that has this octet.  Who goes through a content looks for what lies behind the last one found. */
static struct kept_extent *
find_extent(struct kept_content *content, uint64_t at)
{
	struct list *link = content->last == NULL ? content->extents.next : &content->last->link;

	for (size_t left = content->count; left > 0; link = link->next) {
		if (link == &content->extents)
			continue;
		content->last = LIST_ENTRY(link, struct kept_extent, link);
		if (has_octet(content->last, at))
			return content->last;
		left--;
	}
	return NULL;
}

static void
insert_extent(struct kept_content *content, struct kept_extent *extent)
{
	struct list *before = content->extents.previous;

	while (before != &content->extents && LIST_ENTRY(before, struct kept_extent, link)->what.at > extent->what.at)
		before = before->previous;
	list_push_front(before, &extent->link);
	extent->content = content;
	content->count++;
}

static void
leave_content(struct fetch_bodies *bodies, struct kept_extent *extent)
{
	struct kept_content *content = extent->content;

	if (content == NULL)
		return;
	list_remove(&extent->link);
	extent->content = NULL;
	content->last = NULL;
	if (--content->count > 0)
		return;
	map_remove(bodies->contents, key_of(&content->id));
	buffer_free(&content->parts);
	free(content);
}

/* It is out of the cache: whom it is being sent to still holds it. */
static void
forget(struct fetch_block *block)
{
	for (size_t i = 0; i < block->count; i++)
		leave_content(block->bodies, &block->extents[i]);
	list_remove(&block->link);
	block->bodies = NULL;
	fetch_block_release(NULL, 0, block);
}

static void
on_drop(struct state_place *place)
{
	forget(CONTAINER_OF(place, struct fetch_block, place));
}

static void
on_state_gone(struct state_extra *extra)
{
	struct fetch_bodies *bodies = CONTAINER_OF(extra, struct fetch_bodies, extra);

	while (!list_is_empty(&bodies->blocks)) {
		struct fetch_block *block = LIST_ENTRY(bodies->blocks.next, struct fetch_block, link);

		state_cache_remove(bodies->cache, &block->place);
		forget(block);
	}
	map_free(&bodies->contents);
	free(bodies);
}

static struct fetch_bodies *
begin_to_keep(struct state_cache *cache, struct state *state)
{
	struct fetch_bodies *bodies = NEW(struct fetch_bodies);

	bodies->extra = (struct state_extra){ .state = state, .on_gone = on_state_gone };
	bodies->cache = cache;
	bodies->contents = map_new();
	list_init(&bodies->blocks);
	state->extras[STATE_BODIES] = &bodies->extra;
	return bodies;
}

/* What another block has already is not wanted twice, and of one content not ever more: each look goes through them. */
static bool
join_content(struct fetch_bodies *bodies, struct kept_extent *extent)
{
	struct kept_content *content = map_get(bodies->contents, key_of(&extent->what.content_id));

	if (content != NULL && content->parts.length == 0)
		buffer_add_span(&content->parts, buffer_span(&extent->what.parts));
	if (content != NULL && (content->count == EXTENTS_MAX || find_extent(content, extent->what.at) != NULL))
		return false;
	if (content == NULL) {
		content = NEW(struct kept_content);
		content->id = extent->what.content_id;
		content->header_length = extent->what.header_length;
		buffer_add_span(&content->parts, buffer_span(&extent->what.parts));
		list_init(&content->extents);
		map_put(bodies->contents, key_of(&content->id), content);
	}
	insert_extent(content, extent);
	return true;
}

void
fetch_bodies_keep(struct state_cache *cache, struct state *state, struct fetch_block *block)
{
	struct fetch_bodies *bodies = bodies_of(state);
	size_t octets = sizeof *block + block->octets.capacity +
	    block->count * (sizeof *block->extents + sizeof(struct kept_content));
	bool is_wanted = false;

	if (bodies == NULL)
		bodies = begin_to_keep(cache, state);
	for (size_t i = 0; i < block->count; i++) {
		is_wanted |= join_content(bodies, &block->extents[i]);
		octets += 2 * block->extents[i].what.parts.capacity;	/* the content has its own */
	}
	if (!is_wanted)
		return;
	atomic_fetch_add(&block->holders, 1);
	block->bodies = bodies;
	list_push_back(&bodies->blocks, &block->link);
	state_place_init(&block->place, on_drop);
	state_cache_add(bodies->cache, &block->place, octets);
}

bool
fetch_bodies_know(const struct state *state, uint64_t content_id, uint32_t *header_length_out, struct span *parts_out)
{
	const struct kept_content *content = find_content(state, content_id);

	if (content == NULL)
		return false;
	*header_length_out = content->header_length;
	*parts_out = buffer_span(&content->parts);
	return true;
}

bool
fetch_bodies_cover(const struct state *state, uint64_t content_id, uint64_t at, uint64_t length)
{
	struct kept_content *content = find_content(state, content_id);
	const struct kept_extent *extent;

	for (uint64_t end = at + length; at < end; at = extent->what.at + extent->what.length)
		if (content == NULL || (extent = find_extent(content, at)) == NULL)
			return false;
	return true;
}

/* Used last, goes last. */
static void
touch(struct fetch_block *block)
{
	size_t octets = block->place.octets;

	state_cache_remove(block->bodies->cache, &block->place);
	state_cache_add(block->bodies->cache, &block->place, octets);
}

struct span
fetch_bodies_take(struct state *state, uint64_t content_id, uint64_t at, uint64_t length, struct fetch_block **block_out)
{
	struct kept_content *content = find_content(state, content_id);
	const struct kept_extent *extent = content == NULL ? NULL : find_extent(content, at);
	struct fetch_block *block;
	uint64_t skipped, left;

	if (extent == NULL)
		return span_of(NULL, 0);
	block = *block_out = extent->block;
	atomic_fetch_add(&block->holders, 1);
	skipped = at - extent->what.at;
	left = extent->what.length - skipped;
	touch(block);
	return span_slice(buffer_span(&block->octets), extent->what.place + skipped, left < length ? left : length);
}
