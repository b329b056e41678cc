/*
 * A tree of folders with a file for each message, "0000000007.eml" for UID 7, which holds the octets as IMAP shows them.
 * Dates, flags and keywords stand in a list beside them (source/eml_list.h), and the files have the dates, too.
 *
 * As in maildir.c messages get their names some hundred at a time, when they and the list are safe on the disk.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../source/eml_list.h"
#include "base/memory.h"
#include "files.h"
#include "folder_path.h"
#include "tree.h"

#define BATCH_MESSAGES 500
#define BATCH_OCTETS ((size_t)64 << 20)
#define NAME_OCTETS 14		/* "0000000007.eml" */

struct eml_target {
	struct tree tree;
	struct buffer folder;		/* of the mailbox under way */
	struct eml_list list;		/* as it was */
	size_t waiting, waiting_octets;	/* messages that have no name yet: the last entries */
	size_t first_waiting;
	bool is_changed;		/* the list is to be written */
};

static struct eml_target *
of(struct target *target)
{
	return CONTAINER_OF(target, struct eml_target, tree.target);
}

static void
add_path(struct span name, struct buffer *out)
{
	folder_path_tree(name, "", out);
}

static void
path_of(struct eml_target *eml, const char *before, uint32_t uid, const char *behind, struct buffer *out)
{
	buffer_clear(out);
	buffer_printf(out, "%s/%s%010u.eml%s", buffer_string(&eml->folder), before, uid, behind);
}

/* "0000000007.eml", or ".0000000007.eml.new". */
static bool
read_name(const char *name, uint32_t *uid_out, bool *is_waiting_out)
{
	uint64_t uid;

	*is_waiting_out = name[0] == '.';
	name += *is_waiting_out;
	if (strlen(name) < NAME_OCTETS || strcmp(name + NAME_OCTETS, *is_waiting_out ? ".new" : "") != 0 ||
	    memcmp(name + 10, ".eml", 4) != 0 || !span_to_number(span_of(name, 10), UINT32_MAX, &uid))
		return false;
	*uid_out = (uint32_t)uid;
	return true;
}

static enum target_status
remove_file(struct eml_target *eml, const char *name)
{
	struct buffer path = { 0 };
	enum target_status status = TARGET_OK;

	files_add_path(&path, buffer_string(&eml->folder), name);
	if (unlink(buffer_string(&path)) != 0 && errno != ENOENT)
		status = target_fail(&eml->tree.target, buffer_string(&path));
	buffer_free(&path);
	return status;
}

/* A file of the folder; others than those called by UIDs are of no interest. */
static enum target_status
on_file(struct eml_target *eml, const char *name)
{
	struct message message = { 0 };
	enum target_status status = TARGET_OK;
	bool is_waiting;
	uint32_t uid;

	if (!read_name(name, &uid, &is_waiting))
		return TARGET_OK;
	if (is_waiting)
		return remove_file(eml, name);
	if (!eml_list_take(&eml->list, span_from_string(name), &message))
		status = target_refuse(&eml->tree.target, "%s/%s was put there by another program: export into another folder",
		    buffer_string(&eml->folder), name);
	else if (eml->list.uidvalidity != eml->tree.uidvalidity)
		status = remove_file(eml, name);
	else
		target_add_entry(&eml->tree.target, uid, message.flags, buffer_span(&message.keywords), NULL)->date_s = message.date_s;
	message_free(&message);
	return status;
}

static enum target_status
list_files(struct eml_target *eml)
{
	enum target_status status = TARGET_OK;
	DIR *folder = opendir(buffer_string(&eml->folder));
	struct dirent *entry;

	if (folder == NULL)
		return target_fail(&eml->tree.target, buffer_string(&eml->folder));
	while (status == TARGET_OK && (entry = readdir(folder)) != NULL)
		status = on_file(eml, entry->d_name);
	closedir(folder);
	target_sort(&eml->tree.target);
	return status;
}

static enum target_status
begin(struct target *target, const struct target_mailbox *mailbox)
{
	struct eml_target *eml = of(target);
	enum target_status status = tree_begin(&eml->tree, mailbox);

	eml_list_free(&eml->list);
	eml->waiting = eml->waiting_octets = 0;
	if (status != TARGET_OK)
		return status;
	buffer_clear(&eml->folder);
	files_add_path(&eml->folder, eml->tree.root, eml->tree.entry->path);
	if (!files_make_folder(eml->tree.root, eml->tree.entry->path))
		return target_fail(target, buffer_string(&eml->folder));
	eml_list_read(&eml->list, buffer_string(&eml->folder));
	if (eml->list.lines != NULL && eml->list.uidvalidity != mailbox->uidvalidity && !target->is_mirror)
		return target_refuse(target, "%s holds another mailbox of this name; --mirror replaces it", buffer_string(&eml->folder));
	eml->is_changed = eml->list.lines == NULL || eml->list.uidvalidity != mailbox->uidvalidity;
	return list_files(eml);
}

static enum target_status
write_list(struct eml_target *eml)
{
	struct target *target = &eml->tree.target;
	struct buffer path = { 0 }, text = { 0 };
	enum target_status status = TARGET_OK;
	char name[32];

	eml_list_write_first(eml->tree.uidvalidity, &text);
	for (size_t i = 0; i < target->entry_count; i++) {
		const struct target_entry *entry = &target->entries[i];

		if (entry->uid == 0)
			continue;
		snprintf(name, sizeof name, "%010u.eml", entry->uid);
		eml_list_write(name, entry->date_s, entry->flags, span_from_string(entry->keywords), &text);
	}
	files_add_path(&path, buffer_string(&eml->folder), EML_LIST_NAME);
	if (!files_replace(buffer_string(&path), buffer_span(&text)))
		status = target_fail(target, buffer_string(&path));
	eml->is_changed = false;
	buffer_free(&path);
	buffer_free(&text);
	return status;
}

static enum target_status
rename_waiting(struct eml_target *eml)
{
	struct target *target = &eml->tree.target;
	struct buffer from = { 0 }, to = { 0 };
	enum target_status status = TARGET_OK;

	for (size_t i = eml->first_waiting; i < target->entry_count && status == TARGET_OK; i++) {
		path_of(eml, ".", target->entries[i].uid, ".new", &from);
		path_of(eml, "", target->entries[i].uid, "", &to);
		if (rename(buffer_string(&from), buffer_string(&to)) != 0)
			status = target_fail(target, buffer_string(&from));
	}
	buffer_free(&from);
	buffer_free(&to);
	return status;
}

static enum target_status
settle(struct eml_target *eml)
{
	enum target_status status;

	if (eml->waiting == 0)
		return TARGET_OK;
	status = write_list(eml);
	if (status == TARGET_OK && !files_sync_all(buffer_string(&eml->folder)))
		status = target_fail(&eml->tree.target, buffer_string(&eml->folder));
	if (status == TARGET_OK)
		status = rename_waiting(eml);
	eml->waiting = eml->waiting_octets = 0;
	return status;
}

/* The list is written for each batch: the longer it is, the more messages must wait. */
static bool
is_batch(const struct eml_target *eml)
{
	return eml->waiting_octets >= BATCH_OCTETS ||
	    (eml->waiting >= BATCH_MESSAGES && eml->waiting >= eml->tree.target.entry_count / 8);
}

static enum target_status
add(struct target *target, const struct target_message *message)
{
	struct eml_target *eml = of(target);
	struct buffer path = { 0 };
	bool is_dated;
	enum target_status status = TARGET_OK;

	path_of(eml, ".", message->uid, ".new", &path);
	if (!files_write_dated(buffer_string(&path), message->octets, message->date_s, &is_dated))
		status = target_fail(target, buffer_string(&path));
	buffer_free(&path);
	if (status != TARGET_OK)
		return status;
	if (eml->waiting++ == 0)
		eml->first_waiting = target->entry_count;
	eml->waiting_octets += message->octets.length;
	target_add_entry(target, message->uid, message->flags, message->keywords, NULL)->date_s = message->date_s;
	return is_batch(eml) ? settle(eml) : TARGET_OK;
}

static enum target_status
change(struct target *target, struct target_entry *entry, const struct target_message *message)
{
	free(entry->keywords);
	entry->keywords = memory_copy_span(message->keywords);
	entry->flags = message->flags;
	of(target)->is_changed = true;
	return TARGET_OK;
}

static enum target_status
take_out(struct target *target, struct target_entry *entry)
{
	struct eml_target *eml = of(target);
	char name[32];

	snprintf(name, sizeof name, "%010u.eml", entry->uid);
	entry->uid = 0;
	eml->is_changed = true;
	return remove_file(eml, name);
}

static enum target_status
end(struct target *target)
{
	struct eml_target *eml = of(target);
	enum target_status status = settle(eml);

	target_sort(target);
	if (status == TARGET_OK && eml->is_changed)
		status = write_list(eml);
	if (status == TARGET_OK && !files_sync_all(buffer_string(&eml->folder)))
		status = target_fail(target, buffer_string(&eml->folder));
	if (status == TARGET_OK)
		tree_end(&eml->tree);
	return status;
}

static enum target_status
drop(struct tree *tree)
{
	static const char *const names[] = { EML_LIST_NAME, NULL };
	struct eml_target *eml = CONTAINER_OF(tree, struct eml_target, tree);
	enum target_status status = TARGET_OK;

	for (size_t i = 0; i < tree->target.entry_count && status == TARGET_OK; i++)
		status = take_out(&tree->target, &tree->target.entries[i]);
	if (status != TARGET_OK)
		return status;
	files_remove(buffer_string(&eml->folder), names);
	rmdir(buffer_string(&eml->folder));	/* unless other mailboxes lie in it */
	return TARGET_OK;
}

static void
eml_target_close(struct target *target)
{
	struct eml_target *eml = of(target);

	eml_list_free(&eml->list);
	buffer_free(&eml->folder);
	tree_close(&eml->tree);
	free(eml);
}

struct target *
eml_target_open(const char *root, const char *user, enum target_status *status_out)
{
	struct eml_target *eml = NEW(struct eml_target);

	eml->tree.add_path = add_path;
	eml->tree.drop = drop;
	eml->tree.target = (struct target){ .plan = tree_plan, .begin = begin, .add = add, .change = change, .remove = take_out,
		.end = end, .finish = tree_finish, .close = eml_target_close };
	*status_out = tree_open(&eml->tree, root, "eml", user);
	return &eml->tree.target;
}
