/*
 * Maildir++ (https://www.courier-mta.org/imap/README.maildirquota.html) with what Dovecot keeps beside it: it can take
 * the folder over as it is, with UIDs, flags and keywords.
 *
 * Messages are written into tmp/ some hundred at a time.  When these, and the list of what the letters for keywords
 * mean, are safe on the disk they get their names in cur/.  UIDVALIDITY and UID stand in the name, so that the lists
 * can be made anew from the names alone after any crash.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../source/letter.h"
#include "../source/maildir_name.h"
#include "base/digest.h"
#include "base/memory.h"
#include "files.h"
#include "folder_path.h"
#include "imap/mailbox_name.h"
#include "keyword_list.h"
#include "line_ends.h"
#include "tree.h"

#define BATCH_MESSAGES 500
#define BATCH_OCTETS ((size_t)64 << 20)

struct maildir_target {
	struct tree tree;
	struct buffer folder;			/* of the mailbox under way */
	struct keyword_list keywords;		/* what the letters mean, and who has keywords without a letter */
	size_t waiting;				/* messages in tmp/ */
	size_t waiting_octets;
	size_t first_waiting;			/* those that wait are the last entries */
	struct buffer octets;
};

static struct maildir_target *
of(struct target *target)
{
	return CONTAINER_OF(target, struct maildir_target, tree.target);
}

static void
path_in(struct maildir_target *maildir, const char *part, const char *name, struct buffer *out)
{
	buffer_clear(out);
	buffer_printf(out, "%s/%s%s%s", buffer_string(&maildir->folder), part, part[0] == '\0' ? "" : "/", name);
}

/* The part of an entry's "cur/name:2,S" that stays. */
static struct span
base_of(const struct target_entry *entry)
{
	struct span name = span_from(span_from_string(entry->file), 4);

	return span_slice(name, 0, span_find(name, ':'));
}

/* What an entry is called with the flags that it has. */
static void
add_name(struct maildir_target *maildir, const struct target_entry *entry, struct buffer *out)
{
	buffer_add_string(out, "cur/");
	buffer_add_span(out, base_of(entry));
	buffer_add_string(out, ":2,");
	keyword_list_add_letters(&maildir->keywords, entry->flags, span_from_string(entry->keywords), out);
}

/* Rename an entry's file from "tmp/name" or another name to the one that it should have. */
static enum target_status
rename_entry(struct maildir_target *maildir, struct target_entry *entry)
{
	struct buffer name = { 0 }, from = { 0 }, to = { 0 };
	enum target_status status = TARGET_OK;

	add_name(maildir, entry, &name);
	path_in(maildir, "", entry->file, &from);
	path_in(maildir, "", buffer_string(&name), &to);
	if (rename(buffer_string(&from), buffer_string(&to)) != 0)
		status = target_fail(&maildir->tree.target, buffer_string(&from));
	free(entry->file);
	entry->file = memory_copy_string(buffer_string(&name));
	buffer_free(&name);
	buffer_free(&from);
	buffer_free(&to);
	return status;
}

/* A message that is there has the flags of its name. */
static void
take_file(struct maildir_target *maildir, const char *part, const char *file, uint32_t uid)
{
	struct buffer keywords = { 0 }, name = { 0 };
	unsigned flags = keyword_list_read_letters(&maildir->keywords, span_from_string(file), &keywords);

	files_add_path(&name, part, file);
	target_add_entry(&maildir->tree.target, uid, flags, buffer_span(&keywords), buffer_string(&name));
	buffer_free(&keywords);
	buffer_free(&name);
}

static enum target_status
remove_file(struct maildir_target *maildir, const char *part, const char *file)
{
	struct buffer path = { 0 };
	enum target_status status = TARGET_OK;

	path_in(maildir, part, file, &path);
	if (unlink(buffer_string(&path)) != 0 && errno != ENOENT)
		status = target_fail(&maildir->tree.target, buffer_string(&path));
	buffer_free(&path);
	return status;
}

/* A file of a folder: ours, of now or of another UIDVALIDITY, or somebody else's. */
static enum target_status
on_file(struct maildir_target *maildir, const char *part, const char *file)
{
	const struct tree *tree = &maildir->tree;
	bool is_waiting = strcmp(part, "tmp") == 0, is_ours;
	struct maildir_name name;

	is_ours = maildir_name_read(file, &name);
	if (is_ours && (is_waiting || (tree->is_stale && name.uidvalidity == tree->stale_uidvalidity)))
		return remove_file(maildir, part, file);
	if (is_waiting)
		return TARGET_OK;
	if (!is_ours || name.uidvalidity != tree->uidvalidity)
		return target_refuse(&maildir->tree.target, "%s/%s/%s was put there by another program: export into another folder",
		    buffer_string(&maildir->folder), part, file);
	take_file(maildir, part, file, name.uid);
	return TARGET_OK;
}

static enum target_status
list_part(struct maildir_target *maildir, const char *part)
{
	enum target_status status = TARGET_OK;
	struct buffer path = { 0 };
	struct dirent *entry;
	DIR *folder;

	path_in(maildir, part, "", &path);
	if ((folder = opendir(buffer_string(&path))) == NULL) {
		status = target_fail(&maildir->tree.target, buffer_string(&path));
	} else {
		while (status == TARGET_OK && (entry = readdir(folder)) != NULL) {
			if (entry->d_name[0] != '.')
				status = on_file(maildir, part, entry->d_name);
		}
		closedir(folder);
	}
	buffer_free(&path);
	return status;
}

/* cur/, new/, tmp/, and in all but the first the file that tells what the folder is. */
static enum target_status
make_folder(struct maildir_target *maildir)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	struct tree *tree = &maildir->tree;
	struct buffer path = { 0 };
	bool is_made = true;

	buffer_clear(&maildir->folder);
	buffer_printf(&maildir->folder, "%s%s%s", tree->root, strcmp(tree->entry->path, ".") == 0 ? "" : "/",
	    strcmp(tree->entry->path, ".") == 0 ? "" : tree->entry->path);
	for (size_t i = 0; i < COUNT_OF(parts) && is_made; i++) {
		buffer_clear(&path);
		buffer_printf(&path, "%s/%s", tree->entry->path, parts[i]);
		is_made = files_make_folder(tree->root, strcmp(tree->entry->path, ".") == 0 ? parts[i] : buffer_string(&path));
	}
	path_in(maildir, "", "maildirfolder", &path);
	if (is_made && strcmp(tree->entry->path, ".") != 0 && access(buffer_string(&path), F_OK) != 0)
		is_made = files_replace(buffer_string(&path), (struct span){ NULL, 0 });
	buffer_free(&path);
	return is_made ? TARGET_OK : target_fail(&tree->target, buffer_string(&maildir->folder));
}

static enum target_status
begin(struct target *target, const struct target_mailbox *mailbox)
{
	struct maildir_target *maildir = of(target);
	enum target_status status = tree_begin(&maildir->tree, mailbox);

	maildir->waiting = maildir->waiting_octets = 0;
	keyword_list_free(&maildir->keywords);
	if (status == TARGET_OK)
		status = make_folder(maildir);
	if (status == TARGET_OK)
		keyword_list_read(&maildir->keywords, buffer_string(&maildir->folder));
	if (status == TARGET_OK)
		status = list_part(maildir, "tmp");
	if (status == TARGET_OK)
		status = list_part(maildir, "new");
	if (status == TARGET_OK)
		status = list_part(maildir, "cur");
	target_sort(target);
	return status;
}

/* What stands on the disk for a message, and what its name says of that. */
static struct span
disk_form(struct maildir_target *maildir, const struct target_message *message, struct maildir_name *name)
{
	struct span form = message->octets;

	buffer_clear(&maildir->octets);
	if (line_ends_are_plain(message->octets))
		line_ends_add_lf(&maildir->octets, message->octets);
	name->is_octets = !letter_is_mail(buffer_span(&maildir->octets));
	if (!name->is_octets)
		form = buffer_span(&maildir->octets);
	name->date_s = message->date_s;
	name->uidvalidity = maildir->tree.uidvalidity;
	name->uid = message->uid;
	name->size = form.length;
	name->virtual_size = line_ends_virtual_size(form);
	return form;
}

static enum target_status
write_message(struct maildir_target *maildir, const char *name, struct span form, int64_t date_s)
{
	struct target *target = &maildir->tree.target;
	struct buffer path = { 0 };
	enum target_status status = TARGET_OK;
	bool is_dated;

	path_in(maildir, "", name, &path);
	if (!files_write_dated(buffer_string(&path), form, date_s, &is_dated))
		status = target_fail(target, buffer_string(&path));
	else if (!is_dated)
		target->dates_lost++;
	buffer_free(&path);
	return status;
}

/* Give letters and places in lists to the keywords of those that wait, before names have them. */
static enum target_status
write_keywords(struct maildir_target *maildir, size_t first)
{
	struct target *target = &maildir->tree.target;

	for (size_t i = first; i < target->entry_count; i++)
		keyword_list_note(&maildir->keywords, base_of(&target->entries[i]), target->entries[i].flags,
		    span_from_string(target->entries[i].keywords));
	if (!keyword_list_write(&maildir->keywords, buffer_string(&maildir->folder)))
		return target_fail(target, buffer_string(&maildir->folder));
	return TARGET_OK;
}

static enum target_status
settle(struct maildir_target *maildir)
{
	struct target *target = &maildir->tree.target;
	enum target_status status;

	if (maildir->waiting == 0)
		return TARGET_OK;
	status = write_keywords(maildir, maildir->first_waiting);
	if (status == TARGET_OK && !files_sync_all(buffer_string(&maildir->folder)))
		status = target_fail(target, buffer_string(&maildir->folder));
	for (size_t i = maildir->first_waiting; i < target->entry_count && status == TARGET_OK; i++)
		status = rename_entry(maildir, &target->entries[i]);
	maildir->waiting = maildir->waiting_octets = 0;
	return status;
}

static enum target_status
add(struct target *target, const struct target_message *message)
{
	struct maildir_target *maildir = of(target);
	struct buffer file = { 0 };
	struct maildir_name name;
	struct span form = disk_form(maildir, message, &name);
	enum target_status status;

	buffer_add_string(&file, "tmp/");
	maildir_name_write(&name, &file);
	status = write_message(maildir, buffer_string(&file), form, message->date_s);
	if (status == TARGET_OK) {
		if (maildir->waiting++ == 0)
			maildir->first_waiting = target->entry_count;
		maildir->waiting_octets += form.length;
		target_add_entry(target, message->uid, message->flags, message->keywords, buffer_string(&file));
	}
	buffer_free(&file);
	if (status == TARGET_OK && (maildir->waiting >= BATCH_MESSAGES || maildir->waiting_octets >= BATCH_OCTETS))
		status = settle(maildir);
	return status;
}

static enum target_status
change(struct target *target, struct target_entry *entry, const struct target_message *message)
{
	struct maildir_target *maildir = of(target);
	enum target_status status;

	free(entry->keywords);
	entry->keywords = memory_copy_span(message->keywords);
	entry->flags = message->flags;
	keyword_list_note(&maildir->keywords, base_of(entry), entry->flags, message->keywords);
	status = write_keywords(maildir, target->entry_count);
	return status == TARGET_OK ? rename_entry(maildir, entry) : status;
}

static enum target_status
take_out(struct target *target, struct target_entry *entry)
{
	struct maildir_target *maildir = of(target);
	enum target_status status = remove_file(maildir, "", entry->file);

	keyword_list_note(&maildir->keywords, base_of(entry), 0, (struct span){ NULL, 0 });
	entry->uid = 0;
	return status;
}

/* Dovecot's GUID of a mailbox is any that no other has. */
static void
add_guid(const struct tree *tree, struct buffer *out)
{
	struct buffer text = { 0 };
	uint8_t digest[DIGEST_LENGTH];

	buffer_printf(&text, "%s/%s/%u", tree->manifest.user, tree->entry->name, tree->uidvalidity);
	digest_sha256(buffer_span(&text), digest);
	for (size_t i = 0; i < 16; i++)
		buffer_printf(out, "%02x", digest[i]);
	buffer_free(&text);
}

/* "3 V1795806079 N3 G541e...", then "1 :1500000001.P1795806079Q1.imapd,S=261,W=273". */
static enum target_status
write_uids(struct maildir_target *maildir)
{
	struct target *target = &maildir->tree.target;
	struct buffer path = { 0 }, text = { 0 };
	enum target_status status = TARGET_OK;

	buffer_printf(&text, "3 V%u N%u G", maildir->tree.uidvalidity, maildir->tree.uidnext);
	add_guid(&maildir->tree, &text);
	buffer_add_octet(&text, '\n');
	target_sort(target);
	for (size_t i = 0; i < target->entry_count; i++) {
		if (target->entries[i].uid != 0)
			buffer_printf(&text, "%u :%.*s\n", target->entries[i].uid, SPAN_ARGS(base_of(&target->entries[i])));
	}
	path_in(maildir, "", "dovecot-uidlist", &path);
	if (!files_replace(buffer_string(&path), buffer_span(&text)) || !files_sync_all(buffer_string(&maildir->folder)))
		status = target_fail(target, buffer_string(&path));
	buffer_free(&path);
	buffer_free(&text);
	return status;
}

static enum target_status
end(struct target *target)
{
	struct maildir_target *maildir = of(target);
	enum target_status status = settle(maildir);

	if (status == TARGET_OK)
		status = write_keywords(maildir, target->entry_count);
	if (status == TARGET_OK)
		status = write_uids(maildir);
	if (status == TARGET_OK)
		tree_end(&maildir->tree);
	return status;
}

static enum target_status
drop(struct tree *tree)
{
	static const char *const names[] = { "cur", "new", "tmp", "courierimapkeywords/:list", "courierimapkeywords", "dovecot-keywords",
		"dovecot-uidlist", "maildirfolder", NULL };
	struct maildir_target *maildir = CONTAINER_OF(tree, struct maildir_target, tree);
	enum target_status status = TARGET_OK;

	for (size_t i = 0; i < tree->target.entry_count && status == TARGET_OK; i++)
		status = take_out(&tree->target, &tree->target.entries[i]);
	if (status != TARGET_OK)
		return status;
	files_remove(buffer_string(&maildir->folder), names);
	rmdir(buffer_string(&maildir->folder));
	return TARGET_OK;
}

/* Dovecot's and Courier's lists of subscribed mailboxes differ in name and form; this is Dovecot's. */
static enum target_status
write_subscriptions(struct tree *tree)
{
	struct buffer path = { 0 }, text = { 0 }, folder = { 0 };
	enum target_status status = TARGET_OK;

	buffer_add_string(&text, "V\t2\n\n");
	for (size_t i = 0; i < tree->manifest.count; i++) {
		const struct manifest_entry *entry = &tree->manifest.entries[i];

		if (!entry->is_subscribed)
			continue;
		buffer_clear(&folder);
		folder_path_maildir(span_from_string(entry->name), &folder);
		for (size_t at = 1; at < folder.length; at++)
			buffer_add_octet(&text, folder.at[at] == '.' ? '\t' : folder.at[at]);
		buffer_add_string(&text, folder.length == 1 ? "INBOX\n" : "\n");
	}
	files_add_path(&path, tree->root, "subscriptions");
	if (!files_replace(buffer_string(&path), buffer_span(&text)))
		status = target_fail(&tree->target, buffer_string(&path));
	buffer_free(&path);
	buffer_free(&text);
	buffer_free(&folder);
	return status;
}

static enum target_status
finish(struct target *target)
{
	struct maildir_target *maildir = of(target);
	enum target_status status = write_subscriptions(&maildir->tree);

	return status == TARGET_OK ? tree_finish(target) : status;
}

static void
maildir_target_close(struct target *target)
{
	struct maildir_target *maildir = of(target);

	keyword_list_free(&maildir->keywords);
	buffer_free(&maildir->folder);
	buffer_free(&maildir->octets);
	tree_close(&maildir->tree);
	free(maildir);
}

struct target *
maildir_target_open(const char *root, const char *user, enum target_status *status_out)
{
	struct maildir_target *maildir = NEW(struct maildir_target);

	maildir->tree.add_path = folder_path_maildir;
	maildir->tree.drop = drop;
	maildir->tree.target = (struct target){ .plan = tree_plan, .begin = begin, .add = add, .change = change,
		.remove = take_out, .end = end, .finish = finish, .close = maildir_target_close };
	*status_out = tree_open(&maildir->tree, root, "maildir", user);
	return &maildir->tree.target;
}
