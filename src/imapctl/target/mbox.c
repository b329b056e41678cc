/*
 * A tree of mbox files, one for each mailbox: "Sub/Below.mbox".  They are mboxrd (each `>*From ` gets a `>`), and flags
 * and keywords stand in the fields of c-client, Dovecot and Mutt.  source/export_field.h says how they are told from
 * what came with the message.
 *
 * A file is never written in place: what is there is copied, what is new put behind it, and all of it renamed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../source/export_field.h"
#include "../source/mbox.h"
#include "base/file.h"
#include "base/memory.h"
#include "files.h"
#include "folder_path.h"
#include "line_ends.h"
#include "mime/header.h"
#include "tree.h"

#define PIECE_OCTETS 65536
#define WAITING_OCTETS ((size_t)1 << 20)
#define SENDER_OCTETS_MAX 320
#define FIRST_FIELD "X-IMAPbase: "

struct mbox_target {
	struct tree tree;
	struct buffer path, other;	/* the file, and the one that will be renamed to it */
	int descriptor;			/* of that, or -1 */
	bool is_anew;			/* what is there is not copied */
	bool is_first;			/* the next message is the first of the file */
	bool has_foreign;		/* messages that others have put there */
	struct buffer waiting;
};

static struct mbox_target *
of(struct target *target)
{
	return CONTAINER_OF(target, struct mbox_target, tree.target);
}

static void
add_path(struct span name, struct buffer *out)
{
	folder_path_tree(name, ".mbox", out);
}

static void
take_message(struct mbox_target *mbox, const struct message *message)
{
	const struct tree *tree = &mbox->tree;

	if (message->uid != 0 && message->uidvalidity == tree->uidvalidity)
		target_add_entry(&mbox->tree.target, message->uid, message->flags, buffer_span(&message->keywords), NULL);
	else if (message->uid == 0 || !tree->is_stale || message->uidvalidity != tree->stale_uidvalidity)
		mbox->has_foreign = true;
}

/* What the file holds; it is read as import reads it. */
static enum target_status
list_messages(struct mbox_target *mbox)
{
	const char *path = buffer_string(&mbox->path);
	struct message message = { 0 };
	struct source *source;
	enum source_result result;

	if (access(path, F_OK) != 0)
		return errno == ENOENT ? TARGET_OK : target_fail(&mbox->tree.target, path);
	if ((source = mbox_open(path)) == NULL)
		return errno == EBADMSG ? target_refuse(&mbox->tree.target, "%s is no mbox any more", path)
					: target_fail(&mbox->tree.target, path);
	source->octets_max = SIZE_MAX;
	while ((result = source_next(source, &message)) == SOURCE_MESSAGE)
		take_message(mbox, &message);
	source_close(&source);
	message_free(&message);
	if (result == SOURCE_UNREADABLE)
		return target_fail(&mbox->tree.target, path);
	target_sort(&mbox->tree.target);
	return TARGET_OK;
}

static void
let_go(struct mbox_target *mbox)
{
	if (mbox->descriptor >= 0) {
		close(mbox->descriptor);
		unlink(buffer_string(&mbox->other));
	}
	mbox->descriptor = -1;
	buffer_clear(&mbox->waiting);
}

static enum target_status
begin_anew(struct target *target)
{
	struct mbox_target *mbox = of(target);

	if (mbox->has_foreign)
		return target_refuse(target, "%s holds mail that another program has put there: export into another folder",
		    buffer_string(&mbox->path));
	target_clear_entries(target);
	mbox->is_anew = true;
	return TARGET_OK;
}

/* The folders that the file lies in. */
static bool
make_folders(struct mbox_target *mbox)
{
	const char *path = mbox->tree.entry->path, *name = strrchr(path, '/');
	char *folder;
	bool is_made;

	if (name == NULL)
		return true;
	folder = memory_copy_span(span_of(path, (size_t)(name - path)));
	is_made = files_make_folder(mbox->tree.root, folder);
	free(folder);
	return is_made;
}

static enum target_status
begin(struct target *target, const struct target_mailbox *mailbox)
{
	struct mbox_target *mbox = of(target);
	enum target_status status = tree_begin(&mbox->tree, mailbox);

	let_go(mbox);
	mbox->is_anew = mbox->has_foreign = false;
	if (status != TARGET_OK)
		return status;
	buffer_clear(&mbox->path);
	files_add_path(&mbox->path, mbox->tree.root, mbox->tree.entry->path);
	buffer_clear(&mbox->other);
	buffer_printf(&mbox->other, "%s.new", buffer_string(&mbox->path));
	if (!make_folders(mbox))
		return target_fail(target, buffer_string(&mbox->path));
	status = list_messages(mbox);
	return status == TARGET_OK && mbox->tree.is_stale ? begin_anew(target) : status;
}

/* UIDVALIDITY, the last UID and the keywords of the mailbox, where Dovecot and c-client want to know them. */
static void
add_first_field(struct mbox_target *mbox, struct buffer *out)
{
	buffer_printf(out, FIRST_FIELD "%u %010u%s%.*s\n", mbox->tree.uidvalidity, mbox->tree.uidnext - 1,
	    mbox->tree.target.keywords.length > 0 ? " " : "", SPAN_ARGS(mbox->tree.target.keywords));
}

/* Begin the file anew with what its first message has, up to that field, and the field as it is now; gives where to go on. */
static size_t
add_start(struct mbox_target *mbox, struct span start)
{
	size_t line = span_find(start, '\n') + 1, field = span_find(span_from(start, line), '\n') + 1;
	struct buffer *out = &mbox->waiting;

	if (!span_starts_with(span_from(start, line), SPAN(FIRST_FIELD)) || line + field > start.length)
		return 0;
	buffer_add_span(out, span_slice(start, 0, line));
	add_first_field(mbox, out);
	return line + field;
}

/* Copy what is there; *last_out has its last two octets. */
static bool
copy_octets(struct mbox_target *mbox, int from, uint64_t *length_out, uint8_t last_out[2])
{
	uint8_t *piece = memory_new(PIECE_OCTETS);
	ssize_t length = 0;
	bool is_good = true;

	while (is_good && (length = read(from, piece, PIECE_OCTETS)) > 0) {
		size_t done = *length_out == 0 ? add_start(mbox, span_of(piece, (size_t)length)) : 0;

		is_good = file_write(mbox->descriptor, buffer_span(&mbox->waiting)) &&
		    file_write(mbox->descriptor, span_from(span_of(piece, (size_t)length), done));
		buffer_clear(&mbox->waiting);
		last_out[0] = length > 1 ? piece[length - 2] : last_out[1];
		last_out[1] = piece[length - 1];
		*length_out += (uint64_t)length;
	}
	free(piece);
	return is_good && length == 0;
}

static bool
copy_file(struct mbox_target *mbox, uint64_t *length_out, uint8_t last_out[2])
{
	int from = open(buffer_string(&mbox->path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool is_good;

	if (from < 0)
		return errno == ENOENT;
	is_good = copy_octets(mbox, from, length_out, last_out);
	close(from);
	return is_good;
}

static enum target_status
start_file(struct mbox_target *mbox)
{
	uint8_t last[2] = { 0 };
	uint64_t length = 0;

	mbox->descriptor = files_create(buffer_string(&mbox->other));
	if (mbox->descriptor < 0 || (!mbox->is_anew && !copy_file(mbox, &length, last)))
		return target_fail(&mbox->tree.target, buffer_string(&mbox->other));
	if (length > 0 && last[1] != '\n')
		buffer_add_octet(&mbox->waiting, '\n');
	if (length > 0 && (last[0] != '\n' || last[1] != '\n'))
		buffer_add_octet(&mbox->waiting, '\n');
	mbox->is_first = length == 0;
	return TARGET_OK;
}

/* The address of Return-Path, if it fits into a separator. */
static struct span
sender_of(struct span octets)
{
	struct mime_field field;
	struct span address;

	if (!mime_field_find(octets, SPAN("return-path"), &field))
		return SPAN("MAILER-DAEMON");
	address = span_trim(span_without_line_end(field.value));
	if (address.length > 2 && address.at[0] == '<' && address.at[address.length - 1] == '>')
		address = span_slice(address, 1, address.length - 2);
	for (size_t i = 0; i < address.length; i++) {
		if (address.at[i] <= ' ' || address.at[i] > '~')
			return SPAN("MAILER-DAEMON");
	}
	return address.length < 3 || address.length > SENDER_OCTETS_MAX ? SPAN("MAILER-DAEMON") : address;
}

/* "From ann@example.org Mon Jan  1 09:01:00 2024", UTC as RFC 4155 has it. */
static void
add_separator(struct buffer *out, const struct target_message *message)
{
	time_t seconds = (time_t)message->date_s;
	struct tm parts = { 0 };
	char date[64];

	gmtime_r(&seconds, &parts);
	strftime(date, sizeof date, "%a %b %e %H:%M:%S", &parts);
	buffer_printf(out, "From %.*s %s %04d\n", SPAN_ARGS(sender_of(message->octets)), date, parts.tm_year + 1900);
}

static void
add_letters(struct buffer *out, unsigned flags)
{
	static const struct {
		unsigned flag;
		char letter;
	} letters[] = { { FLAG_DELETED, 'D' }, { FLAG_FLAGGED, 'F' }, { FLAG_ANSWERED, 'A' }, { FLAG_DRAFT, 'T' } };

	buffer_printf(out, "Status: %sO\n", (flags & FLAG_SEEN) != 0 ? "R" : "");
	if ((flags & (FLAG_DELETED | FLAG_FLAGGED | FLAG_ANSWERED | FLAG_DRAFT)) == 0)
		return;
	buffer_add_string(out, "X-Status: ");
	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if ((flags & letters[i].flag) != 0)
			buffer_add_octet(out, (uint8_t)letters[i].letter);
	}
	buffer_add_octet(out, '\n');
}

static void
add_fields(struct mbox_target *mbox, const struct target_message *message, bool is_kept)
{
	struct buffer *out = &mbox->waiting;
	struct export_field field = { .uidvalidity = mbox->tree.uidvalidity, .uid = message->uid,
		.octets = message->octets.length, .date_s = message->date_s, .is_kept = is_kept };

	if (mbox->is_first)
		add_first_field(mbox, out);
	mbox->is_first = false;
	buffer_printf(out, "X-UID: %u\n", message->uid);
	add_letters(out, message->flags);
	if (message->keywords.length > 0 || (message->flags & FLAG_FORWARDED) != 0)
		buffer_printf(out, "X-Keywords: %s%s%.*s\n", (message->flags & FLAG_FORWARDED) != 0 ? "$Forwarded" : "",
		    (message->flags & FLAG_FORWARDED) != 0 && message->keywords.length > 0 ? " " : "",
		    SPAN_ARGS(message->keywords));
	export_field_write(&field, out);
}

/* Whether it begins with `From `, or with that behind any number of `>`. */
static bool
is_quoted(struct span line)
{
	size_t depth = 0;

	while (depth < line.length && line.at[depth] == '>')
		depth++;
	return span_starts_with(span_from(line, depth), SPAN("From "));
}

static void
add_lines(struct buffer *out, struct span octets, bool is_kept)
{
	while (octets.length > 0) {
		struct span line = span_slice(octets, 0, span_find(octets, '\n') + 1);

		if (is_quoted(line))
			buffer_add_octet(out, '>');
		if (is_kept)
			buffer_add_span(out, line);
		else
			line_ends_add_lf(out, line);
		octets = span_from(octets, line.length);
	}
}

static enum target_status
write_waiting(struct mbox_target *mbox)
{
	if (!file_write(mbox->descriptor, buffer_span(&mbox->waiting)))
		return target_fail(&mbox->tree.target, buffer_string(&mbox->other));
	buffer_clear(&mbox->waiting);
	return TARGET_OK;
}

static enum target_status
add(struct target *target, const struct target_message *message)
{
	struct mbox_target *mbox = of(target);
	bool is_kept = !line_ends_are_plain(message->octets), has_end;
	enum target_status status = mbox->descriptor >= 0 ? TARGET_OK : start_file(mbox);

	if (status != TARGET_OK)
		return status;
	has_end = message->octets.length > 0 && message->octets.at[message->octets.length - 1] == '\n';
	add_separator(&mbox->waiting, message);
	add_fields(mbox, message, is_kept);
	add_lines(&mbox->waiting, message->octets, is_kept);
	buffer_add_string(&mbox->waiting, has_end || message->octets.length == 0 ? "\n" : "\n\n");
	return mbox->waiting.length < WAITING_OCTETS ? TARGET_OK : write_waiting(mbox);
}

static bool
finish_file(struct mbox_target *mbox)
{
	bool is_good = fsync(mbox->descriptor) == 0 &&
	    rename(buffer_string(&mbox->other), buffer_string(&mbox->path)) == 0;

	if (is_good) {
		close(mbox->descriptor);
		mbox->descriptor = -1;
	}
	return is_good;
}

static enum target_status
end(struct target *target)
{
	struct mbox_target *mbox = of(target);
	bool is_missing = access(buffer_string(&mbox->path), F_OK) != 0;
	enum target_status status = TARGET_OK;

	if (mbox->descriptor < 0 && (is_missing || mbox->is_anew))
		status = start_file(mbox);
	if (status == TARGET_OK && mbox->descriptor >= 0)
		status = write_waiting(mbox);
	if (status == TARGET_OK && mbox->descriptor >= 0 && !finish_file(mbox))
		status = target_fail(target, buffer_string(&mbox->path));
	if (status == TARGET_OK && !files_sync_all(mbox->tree.root))
		status = target_fail(target, mbox->tree.root);
	let_go(mbox);
	if (status == TARGET_OK)
		tree_end(&mbox->tree);
	return status;
}

static enum target_status
drop(struct tree *tree)
{
	struct mbox_target *mbox = CONTAINER_OF(tree, struct mbox_target, tree);

	if (mbox->has_foreign)
		return TARGET_REFUSED;
	if (unlink(buffer_string(&mbox->path)) != 0 && errno != ENOENT)
		return target_fail(&tree->target, buffer_string(&mbox->path));
	return TARGET_OK;
}

static void
mbox_target_close(struct target *target)
{
	struct mbox_target *mbox = of(target);

	let_go(mbox);
	buffer_free(&mbox->path);
	buffer_free(&mbox->other);
	buffer_free(&mbox->waiting);
	tree_close(&mbox->tree);
	free(mbox);
}

struct target *
mbox_target_open(const char *root, const char *user, enum target_status *status_out)
{
	struct mbox_target *mbox = NEW(struct mbox_target);

	mbox->descriptor = -1;
	mbox->tree.add_path = add_path;
	mbox->tree.drop = drop;
	mbox->tree.target = (struct target){ .plan = tree_plan, .begin = begin, .begin_anew = begin_anew, .add = add, .end = end,
		.finish = tree_finish, .close = mbox_target_close };
	*status_out = tree_open(&mbox->tree, root, "mbox", user);
	return &mbox->tree.target;
}
