/*
 * One list is both what was found and what is still to be looked into: folders found are put behind its end.
 */
#include "folder_tree.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "links.h"

#define DEPTH_MAX 200	/* KMail's trees have two directories for each level */

/* Does the directory lie below itself, by a link, or deeper than any program makes it? */
static bool
is_circle(const struct folder_tree *tree, size_t above, const struct stat *facts)
{
	for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
		const struct folder *folder = &tree->folders[above];

		if (folder->device == facts->st_dev && folder->inode == facts->st_ino)
			return true;
		if (folder->parent == above)
			return false;
		above = folder->parent;
	}
	return true;
}

static struct folder *
add_folder(struct folder_tree *tree, size_t parent, const char *path, const struct stat *facts)
{
	struct folder *folder;

	tree->folders = memory_resize(tree->folders, tree->count + 1, sizeof *folder);
	folder = &tree->folders[tree->count++];
	*folder = (struct folder){ .path = memory_copy_string(path), .parent = parent,
		.device = facts->st_dev, .inode = facts->st_ino };
	return folder;
}

static void
on_directory(struct folder_tree *tree, size_t above, const char *path, const char *entry, const struct stat *facts)
{
	int error = link_is_trusted(path, facts) ? 0 : errno;
	struct buffer name = { 0 };
	struct folder *folder;

	buffer_add_span(&name, buffer_span(&tree->folders[above].name));
	if (!is_circle(tree, above, facts) &&
	    tree->is_folder(&tree->folders[above], path, entry, &name)) {
		folder = add_folder(tree, above, path, facts);
		folder->name = name;
		folder->error = error;
		name = (struct buffer){ 0 };
	}
	buffer_free(&name);
}

static void
on_path(struct folder_tree *tree, size_t above, const struct dirent *entry, const char *path)
{
	struct stat facts = { .st_mode = S_IFREG };

	if (entry->d_type != DT_REG && stat(path, &facts) != 0)
		return;		/* a link to nowhere, or gone since it was listed */
	if (S_ISDIR(facts.st_mode))
		on_directory(tree, above, path, entry->d_name, &facts);
	else if (S_ISREG(facts.st_mode) && tree->on_file != NULL)
		tree->on_file(tree, path, entry->d_name);
}

static void
on_entry(struct folder_tree *tree, size_t above, const struct dirent *entry)
{
	struct buffer path = { 0 };

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return;
	buffer_printf(&path, "%s/%s", tree->folders[above].path, entry->d_name);
	on_path(tree, above, entry, buffer_string(&path));
	buffer_free(&path);
}

static void
look_into(struct folder_tree *tree, size_t at)
{
	struct dirent **entries;
	int count;

	if (tree->folders[at].error != 0)
		return;
	count = scandir(tree->folders[at].path, &entries, NULL, alphasort);
	if (count < 0) {
		tree->folders[at].error = errno;
		return;
	}
	for (int i = 0; i < count; i++) {
		on_entry(tree, at, entries[i]);
		free(entries[i]);
	}
	free(entries);
}

static bool
walk(struct folder_tree *tree, const char *path)
{
	size_t at = tree->count;
	struct stat facts;

	if (stat(path, &facts) != 0)
		return false;
	add_folder(tree, at, path, &facts);
	for (; at < tree->count; at++)
		look_into(tree, at);
	return true;
}

bool
folder_tree_walk(struct folder_tree *tree, const char *path)
{
	if (!walk(tree, path))
		return false;
	errno = tree->folders[0].error;
	return errno == 0;
}

void
folder_tree_walk_also(struct folder_tree *tree, const char *path)
{
	walk(tree, path);
}

bool
folder_tree_has_error(const struct folder_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->folders[i].error != 0)
			return true;
	}
	return false;
}

void
folder_files(const struct folder *folder,
    void (*on_file)(const struct folder *folder, const char *path, const char *entry, void *context), void *context)
{
	struct dirent **entries;
	int count = folder->error != 0 ? -1 : scandir(folder->path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		struct buffer path = { 0 };
		struct stat facts;

		buffer_printf(&path, "%s/%s", folder->path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && stat(buffer_string(&path), &facts) == 0 &&
		    S_ISREG(facts.st_mode) && link_is_trusted(buffer_string(&path), &facts))
			on_file(folder, buffer_string(&path), entries[i]->d_name, context);
		buffer_free(&path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void
folder_tree_free(struct folder_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->folders[i].path);
		buffer_free(&tree->folders[i].name);
	}
	free(tree->folders);
	tree->folders = NULL;
	tree->count = 0;
}
