/*
 * The .emlx files of Apple Mail: a line with the length of the message, the message, and a property list with flags and
 * date.  They lie in folders X.mbox, in older versions X.imapmbox, which may hold others; what lies between, as
 * "9A0C/Data/3/1/Messages", says nothing of the mailbox.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "folder_name.h"
#include "input.h"
#include "several.h"
#include "source.h"
#include "walk.h"

#define LIST_OCTETS_MAX 65536

struct emlx {
	struct source source;
	char *path;
	bool is_read;
};

/* The number behind a key of the property list; false: there is none. */
static bool
find_number(struct span list, struct span key, uint64_t *number_out)
{
	struct span start = SPAN("<integer>");

	for (size_t at = 0; at + key.length < list.length; at++) {
		if (!span_starts_with(span_from(list, at), key))
			continue;
		list = span_from(list, at + key.length);
		while (list.length > 0 && strchr(" \t\r\n", list.at[0]) != NULL && list.at[0] != '\0')
			list = span_from(list, 1);
		if (!span_starts_with(list, start))
			return false;
		list = span_from(list, start.length);
		return span_to_number(span_slice(list, 0, span_find(list, '<')), UINT64_MAX, number_out);
	}
	return false;
}

static void
take_list(struct message *message, struct span list)
{
	static const struct {
		unsigned bit, flag;
	} flags[] = { { 0, FLAG_SEEN }, { 1, FLAG_DELETED }, { 2, FLAG_ANSWERED }, { 4, FLAG_FLAGGED }, { 6, FLAG_DRAFT },
		{ 8, FLAG_FORWARDED } };
	uint64_t bits = 0, seconds;

	find_number(list, SPAN("<key>flags</key>"), &bits);
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if ((bits >> flags[i].bit & 1) != 0)
			message->flags |= flags[i].flag;
	}
	if ((bits >> 24 & 1) != 0)
		message_add_keyword(message, SPAN("$Junk"));
	if ((bits >> 25 & 1) != 0)
		message_add_keyword(message, SPAN("$NotJunk"));
	message_use_date_field(message);
	if (find_number(list, SPAN("<key>date-received</key>"), &seconds) && seconds > 0 && seconds <= UINT32_MAX) {
		message->date_s = (int64_t)seconds;
		message->has_date = true;
	}
}

static void
read_list(struct input *input, struct message *message)
{
	struct buffer list = { 0 };
	struct span piece;

	while (list.length < LIST_OCTETS_MAX && input_octets(input, INPUT_PIECE_MAX, &piece))
		buffer_add_span(&list, piece);
	take_list(message, buffer_span(&list));
	buffer_free(&list);
}

static bool
ends_with(struct span name, const char *ending)
{
	size_t length = strlen(ending);

	return name.length > length && span_equals_nocase(span_from(name, name.length - length), span_of(ending, length));
}

static enum source_result
read_message(struct emlx *emlx, struct input *input, struct message *message)
{
	uint64_t length;
	struct span piece;

	if (!input_line(input, &piece) || !span_to_number(span_trim(span_without_line_end(piece)), INT64_MAX, &length) ||
	    length > input_size(input) - input_offset(input))
		return message_refuse(message, "its first line does not say how long the message is");
	for (; length > 0 && input_octets(input, length, &piece); length -= piece.length)
		message_add(message, piece);
	message->date_s = input_time(input);
	message->has_date = true;
	read_list(input, message);
	if (input_error(input) != 0)
		return source_end(input, message);
	if (ends_with(span_from_string(emlx->path), ".partial.emlx"))
		source_note(&emlx->source, NOTE_DOUBTFUL,
		    SPAN("a message whose attachments Apple Mail keeps elsewhere, or has not fetched, came in without them"),
		    buffer_span(&message->origin));
	return message->is_too_large ? message_refuse_size(message) : SOURCE_MESSAGE;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct emlx *emlx = CONTAINER_OF(source, struct emlx, source);
	struct input *input;
	enum source_result result;

	message_clear(message);
	if (emlx->is_read)
		return SOURCE_END;
	emlx->is_read = true;
	source->done = 1;
	buffer_add_string(&message->origin, emlx->path);
	if ((input = input_open(emlx->path, source->octets_max)) == NULL)
		return message_fail(message, errno);
	result = read_message(emlx, input, message);
	input_close(&input);
	return result;
}

static void
emlx_close(struct source *source)
{
	struct emlx *emlx = CONTAINER_OF(source, struct emlx, source);

	free(emlx->path);
	free(emlx);
}

static struct source *
open_one(const char *path)
{
	struct emlx *emlx = NEW(struct emlx);

	emlx->source.next = next;
	emlx->source.close = emlx_close;
	emlx->source.total = 1;
	emlx->path = memory_copy_string(path);
	return &emlx->source;
}

/* What Apple Mail calls the mailboxes that it uses itself. */
static struct span
known_name(struct span level)
{
	static const struct {
		struct span own, mailbox;
	} names[] = { { SPAN("Sent Messages"), SPAN("Sent") }, { SPAN("Deleted Messages"), SPAN("Trash") } };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_equals_nocase(level, names[i].own))
			return names[i].mailbox;
	}
	return level;
}

/* A level "X.mbox" of a path; false: it is none. */
static bool
is_box(struct span level, struct span *name_out)
{
	static const char *const endings[] = { ".mbox", ".imapmbox" };

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		if (!ends_with(level, endings[i]))
			continue;
		*name_out = span_slice(level, 0, level.length - strlen(endings[i]));
		return true;
	}
	return false;
}

/*
 * The mailbox of a path below the one that is imported: its levels that are X.mbox.
 *
 *	account_out  the level above the first of them; empty: there is none
 */
static void
add_mailbox_name(struct buffer *name, struct span path, struct span *account_out)
{
	size_t above = name->length;
	struct span box;

	*account_out = (struct span){ NULL, 0 };
	while (path.length > 0) {
		size_t end = span_find(path, '/');
		struct span level = span_slice(path, 0, end);

		if (is_box(level, &box))
			folder_name_add_level(name, name->length == above ? known_name(box) : box);
		else if (name->length == above && level.length > 0)
			*account_out = level;
		path = span_from(path, end + 1);
	}
}

struct tree {
	struct several *several;
	struct span account;	/* of the first mailbox; borrowed from first */
	struct buffer first;
	bool has_accounts;	/* more than one */
	size_t messages;
};

/* Are there mailboxes of more than one account? */
static void
note_account(struct tree *tree, struct span path)
{
	struct buffer name = { 0 };
	struct span account;

	add_mailbox_name(&name, path, &account);
	if (name.length > 0 && tree->first.length == 0) {
		buffer_add_octet(&tree->first, '/');
		buffer_add_span(&tree->first, account);
	} else if (name.length > 0 && !span_equals(account, span_from(buffer_span(&tree->first), 1))) {
		tree->has_accounts = true;
	}
	buffer_free(&name);
}

static bool
is_message(const FTSENT *entry)
{
	return entry->fts_info == FTS_F && ends_with(span_from_string(entry->fts_name), ".emlx");
}

/* Walk over the tree; *tree says what was met.  False: errno says why not. */
static bool
look_around(struct tree *tree, char *path)
{
	FTS *walk = walk_open(path);
	FTSENT *entry;

	if (walk == NULL)
		return false;
	while ((entry = fts_read(walk)) != NULL) {
		if (entry->fts_level == 0)
			continue;
		tree->messages += is_message(entry);
		if (entry->fts_info == FTS_D)
			note_account(tree, span_from_string(entry->fts_path + strlen(path)));
	}
	walk_close(walk);
	return true;
}

static void
add_entry(struct tree *tree, const FTSENT *entry, struct span below)
{
	struct buffer name = { 0 }, full = { 0 };
	struct span account, box;

	add_mailbox_name(&name, below, &account);
	if (tree->has_accounts && account.length > 0)
		folder_name_add_text(&full, account);
	if (full.length > 0 && name.length > 0)
		buffer_add_octet(&full, '/');
	buffer_add_span(&full, buffer_span(&name));
	if (is_message(entry))
		several_add(tree->several, entry->fts_path, buffer_span(&full), open_one);
	else if (entry->fts_info == FTS_D && is_box(span_from_string(entry->fts_name), &box))
		several_add(tree->several, entry->fts_path, buffer_span(&full), NULL);
	else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
		several_fail(tree->several, entry->fts_path, entry->fts_errno);
	buffer_free(&name);
	buffer_free(&full);
}

static struct source *
open_tree(struct tree *tree, char *path)
{
	struct several *several = several_new();
	struct source *source = several_source(several);
	FTS *walk = walk_open_numbers(path);
	FTSENT *entry;

	tree->several = several;
	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_level > 0)
			add_entry(tree, entry, span_from_string(entry->fts_path + strlen(path)));
	}
	walk_close(walk);
	buffer_printf(&source->what, "mail of Apple Mail, %zu message%s", tree->messages, tree->messages == 1 ? "" : "s");
	return source;
}

struct source *
emlx_open(const char *path)
{
	struct tree tree = { 0 };
	struct source *source = NULL;
	struct stat facts;
	char *copy;
	int error = EBADMSG;

	if (stat(path, &facts) != 0)
		return NULL;
	if (S_ISREG(facts.st_mode) && ends_with(span_from_string(path), ".emlx"))
		return open_one(path);
	copy = memory_copy_string(path);
	if (!S_ISDIR(facts.st_mode))
		error = EBADMSG;
	else if (!look_around(&tree, copy))
		error = errno;
	else if (tree.messages > 0)
		source = open_tree(&tree, copy);
	buffer_free(&tree.first);
	free(copy);
	errno = error;
	return source;
}
