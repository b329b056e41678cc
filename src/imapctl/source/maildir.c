/*
 * The maildir format: the folders of a tree, and in each the messages of new/ and cur/ in one order, with the
 * flags and keywords that their names and the servers' lists give them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "between.h"
#include "folder_name.h"
#include "letter.h"
#include "maildir_keywords.h"
#include "maildir_list.h"
#include "maildir_name.h"
#include "maildir_tree.h"
#include "manifest.h"
#include "marks.h"
#include "source.h"
#include "troubles.h"

struct maildir {
	struct source source;
	struct folder_tree tree;
	struct troubles troubles;
	size_t folder;			/* the next one to be listed */
	struct buffer path, mailbox;	/* of the one under way */
	bool is_empty;			/* it is a mailbox without messages, still to be told */
	struct maildir_list list;
	size_t file;			/* the next one in it */
	struct maildir_keywords keywords;
};

static void
note(struct maildir *maildir, const char *what, const char *origin)
{
	source_note(&maildir->source, NOTE_NOT_TAKEN_OVER, span_from_string(what), span_from_string(origin));
}

static void
note_unreadable_part(struct maildir *maildir, const char *part, int error)
{
	struct buffer path = { 0 };

	if (error == 0)
		return;
	buffer_printf(&path, "%s/%s", buffer_string(&maildir->path), part);
	troubles_unreadable(&maildir->troubles, buffer_string(&path), error);
	buffer_free(&path);
}

/* The mailbox that a folder stands for: its name, or what an export says.  Gives why it can be none, or NULL. */
static const char *
set_mailbox(struct maildir *maildir, const struct folder *folder)
{
	const struct manifest *manifest = maildir->source.manifest;

	if (manifest != NULL && manifest_mailbox(manifest, span_from_string(maildir->tree.folders[0].path),
	    span_from_string(folder->path), &maildir->mailbox))
		return NULL;
	return folder_name_finish(buffer_span(&folder->name), &maildir->mailbox);
}

static void
begin_folder(struct maildir *maildir, const struct folder *folder)
{
	const char *why;
	uint64_t count;

	buffer_clear(&maildir->path);
	buffer_clear(&maildir->mailbox);
	buffer_add_string(&maildir->path, folder->path);
	if ((why = set_mailbox(maildir, folder)) != NULL) {
		count = maildir_count(folder->path);
		troubles_refused_folder(&maildir->troubles, folder->path, why, count);
		maildir->source.done += count;
		return;
	}
	maildir_list_read(&maildir->list, folder->path);
	note_unreadable_part(maildir, "new", maildir->list.new_error);
	note_unreadable_part(maildir, "cur", maildir->list.cur_error);
	maildir->is_empty = maildir->list.count == 0 && maildir->list.new_error == 0 &&
	    maildir->list.cur_error == 0;
	maildir_keywords_read(&maildir->keywords, folder->path);
	if (maildir->keywords.has_more)
		note(maildir, "keywords beyond the 26th, which Dovecot keeps in its index alone", folder->path);
}

/* False: there is no further folder. */
static bool
next_folder(struct maildir *maildir)
{
	const struct folder *folder;

	maildir_list_free(&maildir->list);
	maildir_keywords_free(&maildir->keywords);
	maildir->file = 0;
	if (maildir->folder == maildir->tree.count)
		return false;
	folder = &maildir->tree.folders[maildir->folder++];
	if (folder->error != 0) {
		troubles_unreadable(&maildir->troubles, folder->path, folder->error);
		return true;
	}
	if (maildir_is_one(folder->path))
		begin_folder(maildir, folder);
	return true;
}

static void
note_letter(struct maildir *maildir, char letter, const char *why, struct message *message)
{
	struct buffer what = { 0 };

	buffer_printf(&what, "letter %c of a file name, %s", letter, why);
	note(maildir, buffer_string(&what), buffer_string(&message->origin));
	buffer_free(&what);
}

static void
add_letter(struct maildir *maildir, struct message *message, char letter)
{
	static const struct {
		char letter;
		unsigned flag;
	} flags[] = { { 'P', FLAG_FORWARDED }, { 'R', FLAG_ANSWERED }, { 'S', FLAG_SEEN },
		{ 'T', FLAG_DELETED }, { 'D', FLAG_DRAFT }, { 'F', FLAG_FLAGGED } };

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if (flags[i].letter == letter) {
			message->flags |= flags[i].flag;
			return;
		}
	}
	if (letter < 'a' || letter > 'z')
		note_letter(maildir, letter, "which has no meaning", message);
	else if (maildir->keywords.names[letter - 'a'] == NULL)
		note_letter(maildir, letter, "for a keyword that dovecot-keywords does not name", message);
	else
		marks_add_keywords(&maildir->source, message,
		    span_from_string(maildir->keywords.names[letter - 'a']));
}

/* Behind ":2," and up to a comma, which Dovecot lets more follow. */
static void
add_flags(struct maildir *maildir, struct message *message, const char *name)
{
	size_t base = maildir_base_length(name);
	const char *letter = name + base;

	if (letter[0] != '\0' && letter[1] == '2' && letter[2] == ',') {
		for (letter += 3; *letter != '\0' && *letter != ','; letter++)
			add_letter(maildir, message, *letter);
	}
	marks_add_keywords(&maildir->source, message, maildir_keywords_of(&maildir->keywords, span_of(name, base)));
}

static void
set_origin(const struct maildir *maildir, struct message *message, const struct maildir_file *file)
{
	buffer_clear(&message->origin);
	buffer_printf(&message->origin, "%.*s/%s/%s", SPAN_ARGS(buffer_span(&maildir->path)),
	    file->is_new ? "new" : "cur", file->name);
}

static enum source_result
read_letter(struct message *message, const struct maildir_file *file)
{
	const char *path = buffer_string(&message->origin);
	struct maildir_name name;
	enum source_result result;

	if (!maildir_name_read(file->name, &name))
		return letter_read(message, path);
	result = name.is_octets ? letter_read_octets(message, path) : letter_read(message, path);
	message->date_s = name.date_s;
	return result;
}

/* Read a message; one that got other flags since it was listed has another name now. */
static enum source_result
read_message(struct maildir *maildir, struct message *message, struct maildir_file *file)
{
	enum source_result result;

	set_origin(maildir, message, file);
	result = read_letter(message, file);
	if (result == SOURCE_UNREADABLE && errno == ENOENT &&
	    maildir_find_renamed(file, buffer_string(&maildir->path))) {
		set_origin(maildir, message, file);
		result = read_letter(message, file);
	}
	if (result == SOURCE_MESSAGE) {
		buffer_add_span(&message->mailbox, buffer_span(&maildir->mailbox));
		add_flags(maildir, message, file->name);
	}
	return result;
}

static enum source_result
give_mailbox(struct maildir *maildir, struct message *message)
{
	maildir->is_empty = false;
	buffer_add_span(&message->origin, buffer_span(&maildir->path));
	buffer_add_span(&message->mailbox, buffer_span(&maildir->mailbox));
	return SOURCE_MAILBOX;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct maildir *maildir = CONTAINER_OF(source, struct maildir, source);
	enum source_result result;

	message_clear(message);
	for (;;) {
		if (troubles_give(&maildir->troubles, message, &result))
			return result;
		if (maildir->is_empty)
			return give_mailbox(maildir, message);
		if (maildir->file < maildir->list.count) {
			source->done++;
			return read_message(maildir, message, &maildir->list.files[maildir->file++]);
		}
		if (!next_folder(maildir))
			return SOURCE_END;
	}
}

static void
maildir_close(struct source *source)
{
	struct maildir *maildir = CONTAINER_OF(source, struct maildir, source);

	maildir_list_free(&maildir->list);
	maildir_keywords_free(&maildir->keywords);
	folder_tree_free(&maildir->tree);
	troubles_free(&maildir->troubles);
	buffer_free(&maildir->path);
	buffer_free(&maildir->mailbox);
	free(maildir);
}

static bool
has_maildir(const struct folder_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		if (maildir_is_one(tree->folders[i].path))
			return true;
	}
	return false;
}

static void
count_messages(struct maildir *maildir)
{
	for (size_t i = 0; i < maildir->tree.count; i++) {
		if (maildir->tree.folders[i].error == 0)
			maildir->source.total += maildir_count(maildir->tree.folders[i].path);
	}
}

/* Dovecot and Courier keep keywords with the mail; others do not. */
static void
note_databases(struct maildir *maildir, const char *path)
{
	static const struct {
		const char *file, *what;
	} others[] = { { ".notmuch", "tags of notmuch, which are in its database alone" },
		{ "..cmeta", "labels of Evolution, which are in its folders.db alone" } };

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct buffer file = { 0 };

		buffer_printf(&file, "%s/%s", path, others[i].file);
		if (access(buffer_string(&file), F_OK) == 0)
			note(maildir, others[i].what, path);
		buffer_free(&file);
	}
}

static struct source *
open_maildirs(const char *path)
{
	struct maildir *maildir = NEW(struct maildir);
	struct source *source = &maildir->source;
	int error = 0;

	source->next = next;
	source->close = maildir_close;
	troubles_init(&maildir->troubles);
	if (!maildir_tree_walk(&maildir->tree, path))
		error = errno == ENOTDIR ? EBADMSG : errno;
	else if (!has_maildir(&maildir->tree) && !folder_tree_has_error(&maildir->tree))
		error = EBADMSG;
	if (error != 0) {
		source_close(&source);
		errno = error;
		return NULL;
	}
	count_messages(maildir);
	note_databases(maildir, path);
	return source;
}

/* KMail and others keep mbox files between maildirs. */
struct source *
maildir_open(const char *path)
{
	struct folder_tree tree = { 0 };
	struct source *source = open_maildirs(path);

	if (source != NULL && maildir_tree_walk(&tree, path))
		return between_add(source, &tree, path, open_maildirs, "maildirs, and mbox files between them", NULL);
	folder_tree_free(&tree);
	return source;
}
