/*
 * The MH format: a folder's messages are its files that are called by numbers, folders lie in folders, and
 * each is a mailbox.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "between.h"
#include "folder_name.h"
#include "folder_tree.h"
#include "letter.h"
#include "lines.h"
#include "marks.h"
#include "mh_list.h"
#include "mime/header.h"
#include "source.h"
#include "troubles.h"

struct mh {
	struct source source;
	struct folder_tree tree;
	struct troubles troubles;
	size_t folder;			/* the next one to be listed */
	struct buffer path, mailbox;	/* of the one under way */
	struct mh_list list;
	size_t message;			/* the next one in it */
};

static bool
has_file(const char *folder, const char *name)
{
	struct buffer path = { 0 };
	bool is_there;

	buffer_printf(&path, "%s/%s", folder, name);
	is_there = access(buffer_string(&path), F_OK) == 0;
	buffer_free(&path);
	return is_there;
}

/* Folders that Claws Mail and Sylpheed use themselves get the names by which all know them. */
static bool
is_folder(const struct folder *above, const char *path, const char *entry, struct buffer *name)
{
	static const struct {
		struct span own, mailbox;
	} known[] = { { SPAN("draft"), SPAN("Drafts") }, { SPAN("sent"), SPAN("Sent") }, { SPAN("trash"), SPAN("Trash") },
		{ SPAN("junk"), SPAN("Junk") } };
	struct span level = span_from_string(entry);

	if (entry[0] == '.')
		return false;
	for (size_t i = 0; i < COUNT_OF(known) && above->name.length == 0; i++) {
		if (span_equals(level, known[i].own) && (has_file(path, ".claws_mark") || has_file(path, ".sylpheed_mark")))
			level = known[i].mailbox;
	}
	folder_name_add_level(name, level);
	return true;
}

/* What nmh and Evolution keep beside messages. */
static bool
is_litter(const char *entry)
{
	static const struct span endings[] = { SPAN(".cmeta"), SPAN(".ibex.index"), SPAN(".ibex.index.data"), SPAN(".ev-summary") };
	struct span name = span_from_string(entry);

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		if (name.length > endings[i].length && span_equals(span_from(name, name.length - endings[i].length), endings[i]))
			return true;
	}
	return strcmp(entry, "context") == 0;
}

/* Somebody may have thought it a message; what MH programs themselves put there is left alone. */
static void
on_file(struct folder_tree *tree, const char *path, const char *entry)
{
	struct mh *mh = CONTAINER_OF(tree, struct mh, tree);

	if (strchr(".,#", entry[0]) == NULL && !mh_is_message(entry) && !is_litter(entry) && !between_is_box(path))
		source_note(&mh->source, NOTE_LEFT_OUT,
		    SPAN("a file whose name is no number, and so no message of MH"), span_from_string(path));
}

static void
note(struct mh *mh, const char *what, struct span origin)
{
	source_note(&mh->source, NOTE_NOT_TAKEN_OVER, span_from_string(what), origin);
}

/* Who writes folders like those of MH, and keeps marks elsewhere, leaves a file that tells. */
static void
note_others(struct mh *mh, const char *path)
{
	static const struct {
		const char *file, *what;
	} others[] = { { ".overview", "marks of Gnus, which are in ~/.newsrc.eld" },
		{ ".mxindex", "marks of c-client's format mx, which are in .mxindex; mailutil copy makes an mbox of it" } };

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (has_file(path, others[i].file))
			note(mh, others[i].what, span_from_string(path));
	}
}

static void
begin_folder(struct mh *mh, const struct folder *folder)
{
	int error = mh_list_read(&mh->list, folder->path);
	const char *why;

	buffer_clear(&mh->path);
	buffer_clear(&mh->mailbox);
	buffer_add_string(&mh->path, folder->path);
	if (error != 0)
		troubles_unreadable(&mh->troubles, folder->path, error);
	if (mh->list.count == 0)	/* it may be there for the folders in it alone */
		return;
	if ((why = folder_name_finish(buffer_span(&folder->name), &mh->mailbox)) != NULL) {
		troubles_refused_folder(&mh->troubles, folder->path, why, mh->list.count);
		mh->source.done += mh->list.count;
		mh_list_free(&mh->list);
		return;
	}
	mh_marks_read(&mh->list, folder->path);
	note_others(mh, folder->path);
}

/* False: there is no further folder. */
static bool
next_folder(struct mh *mh)
{
	const struct folder *folder;

	mh_list_free(&mh->list);
	mh->message = 0;
	if (mh->folder == mh->tree.count)
		return false;
	folder = &mh->tree.folders[mh->folder++];
	if (folder->error != 0)
		troubles_unreadable(&mh->troubles, folder->path, folder->error);
	else
		begin_folder(mh, folder);
	return true;
}

/* What anno(1), repl(1) and forw(1) put before the first field. */
static void
add_annotations(struct message *message)
{
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(buffer_span(&message->octets), &offset, &field)) {
		if (span_equals_nocase(field.name, SPAN("Replied")))
			message->flags |= FLAG_ANSWERED;
		else if (span_equals_nocase(field.name, SPAN("Forwarded")))
			message->flags |= FLAG_FORWARDED;
		else if (!span_equals_nocase(field.name, SPAN("Resent")))
			return;
	}
}

static enum source_result
read_message(struct mh *mh, struct message *message, const struct mh_message *listed)
{
	enum source_result result;

	buffer_printf(&message->origin, "%.*s/%s", SPAN_ARGS(buffer_span(&mh->path)), listed->name);
	result = letter_read(message, buffer_string(&message->origin));
	if (result != SOURCE_MESSAGE)
		return result;
	buffer_add_span(&message->mailbox, buffer_span(&mh->mailbox));
	message->flags = listed->flags;
	add_annotations(message);
	marks_take_field(&mh->source, message, SPAN("X-Evolution"));
	marks_add_keywords(&mh->source, message, buffer_span(&listed->keywords));
	if (listed->has_colour)
		note(mh, "a colour label", buffer_span(&message->origin));
	return result;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct mh *mh = CONTAINER_OF(source, struct mh, source);
	enum source_result result;

	message_clear(message);
	for (;;) {
		if (troubles_give(&mh->troubles, message, &result))
			return result;
		if (mh->message < mh->list.count) {
			source->done++;
			return read_message(mh, message, &mh->list.messages[mh->message++]);
		}
		if (!next_folder(mh))
			return SOURCE_END;
	}
}

static void
mh_close(struct source *source)
{
	struct mh *mh = CONTAINER_OF(source, struct mh, source);

	mh_list_free(&mh->list);
	folder_tree_free(&mh->tree);
	troubles_free(&mh->troubles);
	buffer_free(&mh->path);
	buffer_free(&mh->mailbox);
	free(mh);
}

/* An mbox may be called 2020, too. */
static bool
is_file_of_many(const char *folder, const char *name)
{
	struct buffer path = { 0 };
	bool is_one;

	buffer_printf(&path, "%s/%s", folder, name);
	is_one = between_is_box(buffer_string(&path));
	buffer_free(&path);
	return is_one;
}

/* Whether there are messages, and not only mbox files, is told in *is_one. */
static uint64_t
count_messages(const struct folder_tree *tree, bool *is_one)
{
	uint64_t count = 0;

	for (size_t i = 0; i < tree->count; i++) {
		struct mh_list list = { 0 };

		if (tree->folders[i].error == 0)
			mh_list_read(&list, tree->folders[i].path);
		count += list.count;
		*is_one |= list.count > 0 && !is_file_of_many(tree->folders[i].path, list.messages[0].name);
		mh_list_free(&list);
	}
	return count;
}

/* nmh keeps sequences of one user alone in its file "context": "atr-NAME-FOLDER: 1 3". */
static void
note_private_sequences(struct mh *mh, const char *path)
{
	struct lines lines;
	struct span text;

	if (!lines_open(&lines, path, "context"))
		return;
	while (lines_next(&lines, &text)) {
		if (span_starts_with(text, SPAN("atr-")))
			note(mh, "a private sequence, which is in nmh's file context", span_from_string(path));
	}
	lines_close(&lines);
}

static struct source *
open_folders(const char *path)
{
	struct mh *mh = NEW(struct mh);
	struct source *source = &mh->source;
	bool is_one = false;
	int error = 0;

	source->next = next;
	source->close = mh_close;
	troubles_init(&mh->troubles);
	mh->tree.is_folder = is_folder;
	mh->tree.on_file = on_file;
	if (!folder_tree_walk(&mh->tree, path))
		error = errno == ENOTDIR ? EBADMSG : errno;
	else
		source->total = count_messages(&mh->tree, &is_one);
	if (error == 0 && !is_one && !folder_tree_has_error(&mh->tree))
		error = EBADMSG;
	if (error != 0) {
		source_close(&source);
		errno = error;
		return NULL;
	}
	note_private_sequences(mh, path);
	return source;
}

/* Gnus has folders like those of MH beside some that are mbox files. */
struct source *
mh_open(const char *path)
{
	struct folder_tree tree = { .is_folder = is_folder };
	struct source *source = open_folders(path);

	if (source != NULL && folder_tree_walk(&tree, path))
		return between_add(source, &tree, path, open_folders, "MH folders, and mbox files between them", mh_is_message);
	folder_tree_free(&tree);
	return source;
}
