/*
 * Building the tree of names.  Worker thread.
 */
#include <stdlib.h>

#include "base/map.h"
#include "imap/list_match.h"
#include "imap/mailbox_name.h"
#include "tree.h"

struct build {
	struct arena *arena;
	struct map *by_name;
	const struct list_request *request;
};

static bool
is_matched(const struct list_request *request, struct span name)
{
	for (size_t i = 0; i < request->pattern_count; i++)
		if (imap_pattern_matches(request->patterns[i], name))
			return true;
	return false;
}

static struct list_entry *
entry_of(struct build *build, struct span name)
{
	struct list_entry *entry = map_get(build->by_name, name);

	if (entry != NULL)
		return entry;
	entry = ARENA_NEW(build->arena, struct list_entry);
	entry->name = name;
	entry->is_matched = is_matched(build->request, name);
	map_put(build->by_name, name, entry);
	return entry;
}

static enum store_status
add_mailboxes(struct build *build, struct store *store)
{
	struct store_mailbox *mailboxes;
	size_t count;
	enum store_status status = store_mailbox_list(store, build->arena, &mailboxes, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++)
		entry_of(build, span_from_string(mailboxes[i].name))->mailbox = &mailboxes[i];
	return status;
}

static enum store_status
add_subscriptions(struct build *build, struct store *store)
{
	struct span *names;
	size_t count;
	enum store_status status = store_subscription_list(store, build->arena, &names, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++)
		entry_of(build, names[i])->is_subscribed = true;
	return status;
}

static bool
is_selected(const struct build *build, const struct list_entry *entry)
{
	unsigned select = build->request->select;

	if ((select & IMAP_LIST_SELECT_SUBSCRIBED) != 0 && !entry->is_subscribed)
		return false;
	if ((select & IMAP_LIST_SELECT_SPECIAL_USE) != 0 &&
	    (entry->mailbox == NULL || entry->mailbox->special_use == NULL))
		return false;
	return (select & IMAP_LIST_SELECT_SUBSCRIBED) != 0 || entry->mailbox != NULL;
}

/* Tell the names above what is below them. */
static void
mark_above(struct build *build, const struct list_entry *entry)
{
	for (struct span name = imap_name_parent(entry->name); name.length > 0; name = imap_name_parent(name)) {
		struct list_entry *above = entry_of(build, name);

		above->has_children |= entry->mailbox != NULL;
		above->has_selected_below |= entry->is_selected;
		above->has_hidden_below |= entry->is_selected && !entry->is_matched;
	}
}

static int
compare(const void *left, const void *right)
{
	const struct list_entry *const *a = left, *const *b = right;

	return span_compare((*a)->name, (*b)->name);
}

static size_t
collect(struct build *build, struct list_entry **entries)
{
	size_t position = 0, count = 0;
	struct span name;
	void *value;

	while (map_next(build->by_name, &position, &name, &value))
		entries[count++] = value;
	return count;
}

static void
finish(struct build *build, struct list_tree *tree_out)
{
	size_t own = map_count(build->by_name);
	struct list_entry **entries = arena_alloc_array(build->arena, own + 1, sizeof entries[0]);

	collect(build, entries);
	for (size_t i = 0; i < own; i++)
		entries[i]->is_selected = is_selected(build, entries[i]);
	for (size_t i = 0; i < own; i++)
		mark_above(build, entries[i]);
	tree_out->count = map_count(build->by_name);
	tree_out->entries = arena_alloc_array(build->arena, tree_out->count + 1, sizeof entries[0]);
	collect(build, tree_out->entries);
	qsort(tree_out->entries, tree_out->count, sizeof entries[0], compare);
}

enum store_status
list_tree_build(struct store *store, struct arena *arena, const struct list_request *request,
    struct list_tree *tree_out)
{
	struct build build = { arena, map_new(), request };
	enum store_status status = add_mailboxes(&build, store);

	if (status == STORE_OK && request->wants_subscribed)
		status = add_subscriptions(&build, store);
	if (status == STORE_OK)
		finish(&build, tree_out);
	map_free(&build.by_name);
	return status;
}
