/*
 * Keys by what they look through.
 */
#include "groups.h"

#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "mime/fold.h"
#include "mime/text.h"

#define SLICE_OCTETS (64 * 1024)	/* of a header between two looks at the clock */

static int
compare_field(struct span a, struct span b)
{
	size_t length = a.length < b.length ? a.length : b.length;
	int order = length == 0 ? 0 : strncasecmp((const char *)a.at, (const char *)b.at, length);

	return order != 0 ? order : a.length < b.length ? -1 : a.length > b.length;
}

static int
compare_node(const struct imap_search_node *a, const struct imap_search_node *b)
{
	return a->key != b->key ? (a->key < b->key ? -1 : 1) : compare_field(a->field, b->field);
}

static int
compare_leaf(const void *left, const void *right)
{
	const struct imap_search_node *const *a = left, *const *b = right;

	return compare_node(*a, *b);
}

/* All leaves that look for a text, sorted by group. */
static void
list_leaves(struct search_groups *groups)
{
	const struct imap_search *search = groups->program->search;
	const struct imap_search_node **leaves = memory_new_array(search->node_count, sizeof *leaves);

	for (size_t i = 0; i < search->node_count; i++)
		if (imap_search_has_text(search->nodes[i].key))
			leaves[groups->leaf_count++] = &search->nodes[i];
	qsort(leaves, groups->leaf_count, sizeof *leaves, compare_leaf);
	for (size_t i = 0; i < groups->leaf_count; i++)
		groups->leaves[i] = (uint32_t)(leaves[i] - search->nodes);
	free(leaves);
}

void
search_groups_init(struct search_groups *groups, const struct search_program *program)
{
	const struct imap_search_node *nodes = program->search->nodes;

	*groups = (struct search_groups){ .program = program };
	groups->leaves = memory_new_array(program->search->node_count, sizeof *groups->leaves);
	groups->groups = memory_new_array(program->search->node_count, sizeof *groups->groups);
	groups->of_node = memory_new_array(program->search->node_count, sizeof *groups->of_node);
	list_leaves(groups);
	for (size_t i = 0; i < groups->leaf_count; i++) {
		const struct imap_search_node *leaf = &nodes[groups->leaves[i]];

		if (i == 0 || compare_node(leaf, &nodes[groups->leaves[i - 1]]) != 0) {
			groups->groups[groups->count++] = (struct search_group){ .key = leaf->key, .field = leaf->field,
				.first = i };
			groups->header_count += leaf->key == IMAP_SEARCH_HEADER;
		}
		groups->groups[groups->count - 1].count++;
		groups->of_node[groups->leaves[i]] = (uint32_t)groups->count - 1;
	}
}

void
search_groups_fini(struct search_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		mime_keys_free(&groups->groups[i].keys);
	free(groups->leaves);
	free(groups->groups);
	free(groups->of_node);
	buffer_free(&groups->decoded);
	buffer_free(&groups->folded);
	*groups = (struct search_groups){ .program = NULL };
}

static void
make_keys(struct search_groups *groups, struct search_group *group)
{
	struct span *needles = memory_new_array(group->count, sizeof *needles);

	for (size_t i = 0; i < group->count; i++)
		needles[i] = buffer_span(&groups->program->nodes[groups->leaves[group->first + i]].needle);
	group->keys = mime_keys_new(needles, group->count);
	free(needles);
}

static struct search_group *
ready(struct search_groups *groups, struct search_group *group)
{
	if (group->keys == NULL)
		make_keys(groups, group);
	return group;
}

struct search_group *
search_groups_of(struct search_groups *groups, const struct imap_search_node *leaf)
{
	return ready(groups, &groups->groups[groups->of_node[leaf - groups->program->search->nodes]]);
}

void
search_groups_answer(const struct search_groups *groups, const struct search_group *group, uint8_t *known)
{
	for (size_t i = 0; i < group->count; i++) {
		uint8_t *truth = &known[groups->leaves[group->first + i]];

		if (*truth == IMAP_UNKNOWN)
			*truth = mime_keys_found(group->keys, i) ? IMAP_TRUE : IMAP_FALSE;
	}
}

void
search_groups_look(struct search_groups *groups, struct search_group *group, const struct buffer *text,
    uint8_t *known)
{
	mime_keys_restart(group->keys);
	if (text != NULL)
		mime_keys_feed(group->keys, buffer_span(text), true);
	search_groups_answer(groups, group, known);
}

static struct search_group *
find_field(struct search_groups *groups, struct span name)
{
	size_t low = 0, high = groups->header_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_field(name, groups->groups[middle].field);

		if (order == 0)
			return &groups->groups[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void
begin_fields(struct search_groups *groups, struct search_fields *fields)
{
	*fields = (struct search_fields){ .is_begun = true, .open_count = groups->header_count };
	for (size_t i = 0; i < groups->header_count; i++) {
		groups->groups[i].is_found = false;
		mime_keys_restart(ready(groups, &groups->groups[i])->keys);
	}
}

static void
look_at_field(struct search_groups *groups, const struct mime_field *field, struct search_fields *fields)
{
	struct search_group *group = find_field(groups, field->name);

	if (group == NULL || group->is_found)
		return;
	buffer_clear(&groups->decoded);
	buffer_clear(&groups->folded);
	mime_field_text(field, &groups->decoded);
	mime_fold(buffer_span(&groups->decoded), &groups->folded);
	group->is_found = mime_keys_feed(group->keys, buffer_span(&groups->folded), true);
	fields->open_count -= group->is_found;
}

bool
search_groups_read_header(struct search_groups *groups, struct span header, struct search_fields *fields,
    uint64_t until_us, uint8_t *known)
{
	struct mime_field field;
	size_t looked_at;

	if (!fields->is_begun)
		begin_fields(groups, fields);
	looked_at = fields->offset;
	while (fields->open_count > 0 && mime_field_next(header, &fields->offset, &field)) {
		look_at_field(groups, &field, fields);
		if (fields->offset - looked_at < SLICE_OCTETS)
			continue;
		if (clock_monotonic_us() >= until_us)
			return false;
		looked_at = fields->offset;
	}
	for (size_t i = 0; i < groups->header_count; i++)
		search_groups_answer(groups, &groups->groups[i], known);
	return true;
}
