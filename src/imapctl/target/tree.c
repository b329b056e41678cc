/*
 * The list is written before the first message, and says "incomplete" until the export has come to its end: so a
 * folder is known as ours from its first moment on.
 */
#include "tree.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "files.h"

/* Anything but what a first export had begun to write when it was killed. */
static bool
is_occupied(const char *root)
{
	DIR *folder = opendir(root);
	struct dirent *entry;
	bool is_found = false;

	if (folder == NULL)
		return true;
	while (!is_found && (entry = readdir(folder)) != NULL)
		is_found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, MANIFEST_NAME ".new") != 0;
	closedir(folder);
	return is_found;
}

static enum target_status
check_manifest(struct tree *tree, const char *kind, const char *user)
{
	const struct manifest *manifest = &tree->manifest;

	if (strcmp(manifest->kind, kind) != 0)
		return target_refuse(&tree->target, "%s holds an export in the format %s", tree->root, manifest->kind);
	if (strcmp(manifest->user, user) != 0)
		return target_refuse(&tree->target, "%s holds an export of another user, %s", tree->root, manifest->user);
	return TARGET_OK;
}

enum target_status
tree_open(struct tree *tree, const char *root, const char *kind, const char *user)
{
	tree->root = memory_copy_string(root);
	if (manifest_read(root, &tree->manifest))
		return check_manifest(tree, kind, user);
	if (mkdir(root, 0700) != 0 && errno != EEXIST)
		return errno != ENOENT ? target_fail(&tree->target, root) :
		    target_refuse(&tree->target, "%s: %s; of a path the last folder alone is made", root, strerror(errno));
	if (is_occupied(root))
		return target_refuse(&tree->target, "%s is there already, and holds no export of imapd", root);
	free(tree->manifest.kind);
	free(tree->manifest.user);
	tree->manifest.kind = memory_copy_string(kind);
	tree->manifest.user = memory_copy_string(user);
	return TARGET_OK;
}

static enum target_status
write_manifest(struct tree *tree, bool is_complete)
{
	struct buffer path = { 0 }, text = { 0 };
	enum target_status status = TARGET_OK;

	tree->manifest.is_complete = is_complete;
	manifest_write(&tree->manifest, &text);
	files_add_path(&path, tree->root, MANIFEST_NAME);
	if (!files_replace(buffer_string(&path), buffer_span(&text)) || !files_sync_folder(tree->root))
		status = target_fail(&tree->target, buffer_string(&path));
	buffer_free(&path);
	buffer_free(&text);
	return status;
}

/* What an earlier export has listed and is gone meanwhile stays listed: its mail is still there. */
enum target_status
tree_plan(struct target *target, const struct target_mailbox *mailboxes, size_t count)
{
	struct tree *tree = CONTAINER_OF(target, struct tree, target);
	struct buffer path = { 0 }, name = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct manifest_entry *entry = manifest_find_name(&tree->manifest, mailboxes[i].name);

		buffer_clear(&path);
		buffer_clear(&name);
		buffer_add_span(&name, mailboxes[i].name);
		if (mailboxes[i].is_selectable)
			tree->add_path(mailboxes[i].name, &path);
		if (entry == NULL || (entry->path[0] == '\0' && mailboxes[i].is_selectable))
			entry = manifest_add(&tree->manifest, buffer_string(&path), buffer_string(&name));
		entry->is_planned = true;
		entry->is_subscribed = mailboxes[i].is_subscribed;
		free(entry->use);
		entry->use = memory_copy_span(mailboxes[i].use);
	}
	buffer_free(&path);
	buffer_free(&name);
	return write_manifest(tree, false);
}

/* Remove a mailbox that is gone; one with mail of others stays, and stays listed. */
static enum target_status
drop_entry(struct tree *tree, struct manifest_entry *entry)
{
	struct target_mailbox mailbox = { .name = span_from_string(entry->name), .uidvalidity = entry->uidvalidity,
		.uidnext = entry->uidnext };
	enum target_status status = TARGET_OK;

	if (entry->path[0] != '\0') {
		status = tree->target.begin(&tree->target, &mailbox);
		if (status == TARGET_OK)
			status = tree->drop(tree);
	}
	entry->is_gone = status == TARGET_OK;
	return status == TARGET_FAILED ? status : TARGET_OK;
}

enum target_status
tree_finish(struct target *target)
{
	struct tree *tree = CONTAINER_OF(target, struct tree, target);
	enum target_status status = TARGET_OK;

	for (size_t i = 0; i < tree->manifest.count && status == TARGET_OK; i++) {
		struct manifest_entry *entry = &tree->manifest.entries[i];

		if (target->is_whole && !entry->is_planned && (target->is_mirror || entry->path[0] == '\0'))
			status = drop_entry(tree, entry);
	}
	return status == TARGET_OK ? write_manifest(tree, true) : status;
}

enum target_status
tree_begin(struct tree *tree, const struct target_mailbox *mailbox)
{
	struct manifest_entry *entry = manifest_find_name(&tree->manifest, mailbox->name);

	target_clear_entries(&tree->target);
	tree->entry = entry;
	tree->uidvalidity = mailbox->uidvalidity;
	tree->uidnext = mailbox->uidnext;
	tree->is_stale = entry->uidvalidity != 0 && entry->uidvalidity != mailbox->uidvalidity;
	tree->stale_uidvalidity = tree->is_stale ? entry->uidvalidity : 0;
	if (tree->is_stale && !tree->target.is_mirror)
		return target_refuse(&tree->target, "another mailbox of this name was exported before (its UIDVALIDITY was %u); "
		    "--mirror replaces that", entry->uidvalidity);
	entry->uidvalidity = mailbox->uidvalidity;
	return TARGET_OK;
}

void
tree_end(struct tree *tree)
{
	tree->entry->uidnext = tree->uidnext;
}

void
tree_close(struct tree *tree)
{
	manifest_free(&tree->manifest);
	target_free_rest(&tree->target);
	free(tree->root);
}
