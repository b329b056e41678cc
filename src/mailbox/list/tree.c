/*
 * Building the tree of names.  What may take long goes by place, a name at a time, or a pattern of one: patterns with many
 * wildcards cost up to their length times that of the name.  Worker thread.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "imap/list_match.h"
#include "imap/mailbox_name.h"
#include "tree.h"

static struct list_entry *
entry_of(struct list_tree *tree, struct span name)
{
	struct list_entry *entry = map_get(tree->by_name, name);

	if (entry != NULL)
		return entry;
	entry = ARENA_NEW(tree->arena, struct list_entry);
	entry->name = name;
	map_put(tree->by_name, name, entry);
	return entry;
}

static enum store_status
add_mailboxes(struct list_tree *tree, struct store *store)
{
	struct store_mailbox *mailboxes;
	size_t count;
	const struct list_request *request = tree->request;
	enum store_status status = door_list(store, &request->door, request->prefix, tree->arena, &mailboxes, NULL, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++)
		entry_of(tree, span_from_string(mailboxes[i].name))->mailbox = &mailboxes[i];
	for (size_t i = 0; i < request->abroad_count && status == STORE_OK; i++) {
		struct list_entry *entry = entry_of(tree, span_from_string(request->abroad[i].row.name));

		entry->abroad = &request->abroad[i];
		entry->mailbox = &entry->abroad->row;
	}
	return status;
}

static enum store_status
add_subscriptions(struct list_tree *tree, struct store *store)
{
	struct span *names;
	size_t count;
	enum store_status status = store_subscription_list(store, tree->arena, &names, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++)
		entry_of(tree, names[i])->is_subscribed = true;
	return status;
}

static int
compare(const void *left, const void *right)
{
	const struct list_entry *const *a = left, *const *b = right;

	return span_compare((*a)->name, (*b)->name);
}

/* All entries that there are now. */
static void
collect(struct list_tree *tree)
{
	size_t position = 0;
	struct span name;
	void *value;

	tree->entries = arena_alloc_array(tree->arena, map_count(tree->by_name) + 1, sizeof tree->entries[0]);
	tree->count = 0;
	while (map_next(tree->by_name, &position, &name, &value))
		tree->entries[tree->count++] = value;
}

enum store_status
list_tree_begin(struct list_tree *tree, struct store *store, struct arena *arena, const struct list_request *request)
{
	enum store_status status;

	*tree = (struct list_tree){ .arena = arena, .request = request, .by_name = map_new() };
	status = add_mailboxes(tree, store);
	if (status == STORE_OK && request->wants_subscribed)
		status = add_subscriptions(tree, store);
	collect(tree);
	return status;
}

void
list_tree_fini(struct list_tree *tree)
{
	map_free(&tree->by_name);
}

/* ---- what goes by place; true: all are done ------------------------------------------------------------- */

/* Names above others need not exist themselves. */
static bool
add_above(struct list_tree *tree)
{
	if (tree->place < tree->count) {
		for (struct span name = imap_name_parent(tree->entries[tree->place]->name); name.length > 0;
		    name = imap_name_parent(name))
			entry_of(tree, name);
		tree->place++;
		return false;
	}
	tree->own_count = tree->count;
	tree->own = tree->entries;
	collect(tree);
	qsort(tree->entries, tree->count, sizeof tree->entries[0], compare);
	return true;
}

static bool
match(struct list_tree *tree)
{
	struct list_entry *entry;

	if (tree->place == tree->count)
		return true;
	entry = tree->entries[tree->place];
	if (tree->pattern < tree->request->pattern_count && !entry->is_matched) {
		entry->is_matched = imap_pattern_matches(tree->request->patterns[tree->pattern++], entry->name);
	} else {
		tree->pattern = 0;
		tree->place++;
	}
	return false;
}

static bool
is_selected(const struct list_tree *tree, const struct list_entry *entry)
{
	unsigned select = tree->request->select;

	if ((select & IMAP_LIST_SELECT_SUBSCRIBED) != 0 && !entry->is_subscribed)
		return false;
	if ((select & IMAP_LIST_SELECT_SPECIAL_USE) != 0 &&
	    (entry->mailbox == NULL || entry->mailbox->special_use == NULL))
		return false;
	return (select & IMAP_LIST_SELECT_SUBSCRIBED) != 0 || entry->mailbox != NULL;
}

/* Tell the names above what is below them. */
static bool
mark_above(struct list_tree *tree)
{
	struct list_entry *entry;

	if (tree->place == tree->own_count)
		return true;
	entry = tree->own[tree->place++];
	entry->is_selected = is_selected(tree, entry);
	for (struct span name = imap_name_parent(entry->name); name.length > 0; name = imap_name_parent(name)) {
		struct list_entry *above = entry_of(tree, name);

		above->has_children |= entry->mailbox != NULL;
		above->has_selected_below |= entry->is_selected;
		above->has_hidden_below |= entry->is_selected && !entry->is_matched;
	}
	return false;
}

bool
list_tree_advance(struct list_tree *tree, uint64_t until_us)
{
	static bool (*const stages[])(struct list_tree *tree) = { add_above, match, mark_above, NULL };

	while (stages[tree->stage] != NULL) {
		if (stages[tree->stage](tree)) {
			tree->place = 0;
			tree->stage++;
		}
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return stages[tree->stage] == NULL;
}
