#include "between.h"

#include "base/memory.h"
#include "contents.h"
#include "folder_name.h"

bool
between_is_box(const char *path)
{
	several_opener *open;
	const char *why;

	return contents_of(path, &open, &why) == CONTENTS_MANY;
}

struct between {
	struct several *several;
	bool (*is_message)(const char *name);
};

static void
add_box(const struct folder *folder, const char *path, const char *entry, void *context)
{
	struct between *between = context;
	struct buffer name = { 0 };
	several_opener *open;
	const char *why;

	if ((between->is_message != NULL && between->is_message(entry)) || contents_of(path, &open, &why) != CONTENTS_MANY)
		return;
	buffer_add_span(&name, buffer_span(&folder->name));
	folder_name_add_level(&name, span_from_string(entry));
	several_add(between->several, path, buffer_span(&name), open);
	buffer_free(&name);
}

struct source *
between_add(struct source *source, struct folder_tree *tree, const char *path, several_opener *open, const char *what,
    bool (*is_message)(const char *name))
{
	struct several *several = several_new();
	struct between between = { several, is_message };
	struct source *all = several_source(several);

	several_add(several, path, (struct span){ NULL, 0 }, open);
	for (size_t i = 0; i < tree->count; i++)
		folder_files(&tree->folders[i], add_box, &between);
	folder_tree_free(tree);
	if (several_count(several) == 1) {
		source_close(&all);
		return source;
	}
	source_close(&source);
	buffer_add_string(&all->what, what);
	return all;
}
