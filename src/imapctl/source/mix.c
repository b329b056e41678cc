/*
 * The format mix: a folder with .mixmeta (names of keywords), .mixindex (a line for each message), .mixstatus
 * (its flags) and .mixHEX (the messages).  Folders in it are mailboxes below it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cclient.h"
#include "folder_name.h"
#include "input.h"
#include "mbox.h"
#include "mime/date.h"
#include "walk.h"

struct status {
	uint32_t uid, keywords, flags;
};

struct mix {
	struct source source;
	char *path;
	FTS *walk;
	struct buffer folder, mailbox;		/* the one that is read */
	const char *why_no_mailbox;		/* NULL: its name can be a mailbox's */
	struct input *index;			/* NULL: look for the next folder */
	struct input *data;
	uint32_t data_number;
	struct cclient_keywords keywords;
	struct status *statuses;		/* by UID */
	size_t status_count;
};

/* A line of the index: where a message is, and when it came. */
struct entry {
	uint32_t uid, size, file, position, header_size;
	int64_t date_s;
};

static struct input *
open_file(const char *folder, const char *name)
{
	struct buffer path = { 0 };
	struct input *input;

	buffer_printf(&path, "%s/%s", folder, name);
	input = input_open(buffer_string(&path), UINT64_MAX);
	buffer_free(&path);
	return input;
}

/* Split ":a:b:c:" into its parts; returns how many there are. */
static size_t
split(struct span line, struct span *parts, size_t most)
{
	size_t count = 0;

	line = span_without_line_end(line);
	if (line.length == 0 || line.at[0] != ':')
		return 0;
	for (line = span_from(line, 1); line.length > 0 && count < most; count++) {
		size_t end = span_find(line, ':');

		parts[count] = span_slice(line, 0, end);
		line = span_from(line, end + 1);
	}
	return count;
}

/* "20240101090100+0000" */
static bool
read_date(struct span text, int64_t *date_out)
{
	static const size_t lengths[] = { 4, 2, 2, 2, 2, 2 };
	uint64_t numbers[COUNT_OF(lengths)], zone;
	size_t at = 0;

	for (size_t i = 0; i < COUNT_OF(lengths); at += lengths[i++]) {
		if (!span_to_number(span_slice(text, at, lengths[i]), 9999, &numbers[i]))
			return false;
	}
	if (text.length != at + 5 || !span_to_number(span_from(text, at + 1), 2359, &zone) || numbers[1] < 1 ||
	    numbers[1] > 12)
		return false;
	zone = zone / 100 * 60 + zone % 100;
	*date_out = (int64_t)mime_date_day((int32_t)numbers[0], (unsigned)numbers[1], (unsigned)numbers[2]) * 86400 +
	    (int64_t)(numbers[3] * 3600 + numbers[4] * 60 + numbers[5]) -
	    (text.at[at] == '-' ? -1 : 1) * (int64_t)zone * 60;
	return true;
}

static bool
read_entry(struct span line, struct entry *entry)
{
	struct span parts[7];

	return split(line, parts, 7) == 7 && span_to_hex_number(parts[0], 8, &entry->uid) &&
	    read_date(parts[1], &entry->date_s) && span_to_hex_number(parts[2], 8, &entry->size) &&
	    span_to_hex_number(parts[3], 8, &entry->file) && span_to_hex_number(parts[4], 8, &entry->position) &&
	    span_to_hex_number(parts[5], 8, &entry->header_size);
}

static int
by_uid(const void *a, const void *b)
{
	const struct status *left = a, *right = b;

	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

static void
read_statuses(struct mix *mix)
{
	struct input *input = open_file(buffer_string(&mix->folder), ".mixstatus");
	struct span line, parts[4];

	mix->status_count = 0;
	while (input != NULL && input_line(input, &line)) {
		struct status status;

		if (split(line, parts, 4) < 3 || !span_to_hex_number(parts[0], 8, &status.uid) ||
		    !span_to_hex_number(parts[1], 8, &status.keywords) || !span_to_hex_number(parts[2], 4, &status.flags))
			continue;
		mix->statuses = memory_resize(mix->statuses, mix->status_count + 1, sizeof status);
		mix->statuses[mix->status_count++] = status;
	}
	if (mix->status_count > 0)
		qsort(mix->statuses, mix->status_count, sizeof *mix->statuses, by_uid);
	input_close(&input);
}

/* "KWork $Forwarded" */
static void
read_keywords(struct mix *mix)
{
	struct input *input = open_file(buffer_string(&mix->folder), ".mixmeta");
	struct span line;

	cclient_keywords_free(&mix->keywords);
	while (input != NULL && input_line(input, &line)) {
		line = span_trim(span_without_line_end(line));
		if (line.length == 0 || line.at[0] != 'K')
			continue;
		for (line = span_from(line, 1); line.length > 0; line = span_from(line, span_find(line, ' ') + 1))
			cclient_keywords_add(&mix->keywords, span_slice(line, 0, span_find(line, ' ')));
	}
	input_close(&input);
}

static bool
is_mix(const char *folder)
{
	struct buffer path = { 0 };
	struct stat facts;
	bool is_one;

	buffer_printf(&path, "%s/.mixmeta", folder);
	is_one = stat(buffer_string(&path), &facts) == 0;
	buffer_free(&path);
	return is_one;
}

static void
leave_folder(struct mix *mix)
{
	input_close(&mix->index);
	input_close(&mix->data);
}

/* Open the next folder; false when all were seen. */
static bool
next_folder(struct mix *mix)
{
	FTSENT *entry;

	leave_folder(mix);
	while ((entry = fts_read(mix->walk)) != NULL) {
		if (entry->fts_info != FTS_D || !is_mix(entry->fts_path))
			continue;
		buffer_clear(&mix->folder);
		buffer_add_string(&mix->folder, entry->fts_path);
		buffer_clear(&mix->mailbox);
		mix->why_no_mailbox = folder_name_of_path(span_from_string(entry->fts_path + strlen(mix->path)), &mix->mailbox);
		if ((mix->index = open_file(entry->fts_path, ".mixindex")) == NULL)
			continue;
		read_keywords(mix);
		read_statuses(mix);
		return true;
	}
	return false;
}

static struct input *
data_file(struct mix *mix, uint32_t number)
{
	char name[16];

	if (mix->data != NULL && mix->data_number == number)
		return mix->data;
	input_close(&mix->data);
	if (number == 0)
		snprintf(name, sizeof name, ".mix");
	else
		snprintf(name, sizeof name, ".mix%08x", (unsigned)number);
	mix->data_number = number;
	mix->data = open_file(buffer_string(&mix->folder), name);
	return mix->data;
}

/* Whether a message stands where the index says. */
static bool
is_there(struct input *data, const struct entry *entry)
{
	char mark[14], wanted[14];

	snprintf(wanted, sizeof wanted, ":msg:%08x", (unsigned)entry->uid);
	return input_look(data, entry->position, mark, 13) == 13 && memcmp(mark, wanted, 13) == 0 &&
	    (uint64_t)entry->position + entry->header_size + entry->size <= input_size(data);
}

static void
take_status(struct mix *mix, uint32_t uid, struct message *message)
{
	struct status wanted = { .uid = uid }, *found = NULL;

	if (mix->status_count > 0)
		found = bsearch(&wanted, mix->statuses, mix->status_count, sizeof wanted, by_uid);
	if (found != NULL)
		cclient_take(&mix->source, message, &mix->keywords, found->keywords, found->flags);
}

static enum source_result
read_message(struct mix *mix, const struct entry *entry, struct message *message)
{
	struct input *data = data_file(mix, entry->file);
	uint64_t rest = entry->size;
	struct span piece;

	if (data == NULL)
		return SOURCE_UNREADABLE;
	if (!is_there(data, entry))
		return message_refuse(message, "no message stands where .mixindex says");
	input_seek(data, (uint64_t)entry->position + entry->header_size);
	for (; rest > 0 && input_octets(data, rest, &piece); rest -= piece.length)
		message_add(message, piece);
	if (rest > 0) {
		errno = input_error(data);
		return SOURCE_UNREADABLE;
	}
	message->has_date = true;
	message->date_s = entry->date_s;
	take_status(mix, entry->uid, message);
	return message->is_too_large ? message_refuse_size(message) : SOURCE_MESSAGE;
}

/* The next line of an index that tells of a message; false when all folders were seen. */
static bool
next_line(struct mix *mix, struct span *line_out)
{
	while (mix->index != NULL || next_folder(mix)) {
		while (input_line(mix->index, line_out)) {
			mix->source.done += line_out->length;
			if (line_out->at[0] == ':')
				return true;
		}
		leave_folder(mix);
	}
	return false;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct mix *mix = CONTAINER_OF(source, struct mix, source);
	struct entry entry = { 0 };
	struct span line;

	message_clear(message);
	if (!next_line(mix, &line))
		return SOURCE_END;
	buffer_printf(&message->origin, "%s:%llu", input_path(mix->index),
	    (unsigned long long)(input_offset(mix->index) - line.length));
	buffer_add_span(&message->mailbox, buffer_span(&mix->mailbox));
	if (mix->why_no_mailbox != NULL)
		return message_refuse(message, mix->why_no_mailbox);
	if (!read_entry(line, &entry))
		return message_refuse(message, "a line of .mixindex is damaged");
	return read_message(mix, &entry, message);
}

static void
mix_close(struct source *source)
{
	struct mix *mix = CONTAINER_OF(source, struct mix, source);

	leave_folder(mix);
	walk_close(mix->walk);
	cclient_keywords_free(&mix->keywords);
	buffer_free(&mix->folder);
	buffer_free(&mix->mailbox);
	free(mix->statuses);
	free(mix->path);
	free(mix);
}

/* How many octets of indexes there are, so that progress has an end. */
static uint64_t
count_octets(char *path)
{
	FTS *walk = walk_open(path);
	uint64_t octets = 0;
	FTSENT *entry;

	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info == FTS_F && strcmp(entry->fts_name, ".mixindex") == 0)
			octets += (uint64_t)entry->fts_statp->st_size;
	}
	walk_close(walk);
	return octets;
}

struct source *
mix_open(const char *path)
{
	struct stat facts;
	struct mix *mix;
	FTS *walk;

	if (stat(path, &facts) != 0)
		return NULL;
	if (!S_ISDIR(facts.st_mode) || !is_mix(path)) {
		errno = S_ISDIR(facts.st_mode) ? EBADMSG : ENOTDIR;
		return NULL;
	}
	mix = NEW(struct mix);
	mix->path = memory_copy_string(path);
	if ((walk = walk_open(mix->path)) == NULL) {
		free(mix->path);
		free(mix);
		return NULL;
	}
	mix->walk = walk;
	mix->source.next = next;
	mix->source.close = mix_close;
	mix->source.total = count_octets(mix->path);
	return &mix->source;
}
