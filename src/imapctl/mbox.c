/*
 * The mbox format.  A message begins with a From_ line that holds a date: some archives forget to quote
 * "From here on we ..." in bodies, others leave out the empty line before a From_ line, and a date tells
 * both apart.  `>From `, `>>From ` lose one `>` (mboxrd).  Status fields give flags and stay where they
 * are: the message comes out as it went in.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "mime/header.h"
#include "source.h"

struct mbox {
	struct source source;
	FILE *file;
	char *path;
	char *line;		/* the line read ahead */
	size_t line_capacity;
	ssize_t line_length;	/* -1: end of the file */
	bool is_over;		/* an unreadable rest was reported */
};

static struct span
current(const struct mbox *mbox)
{
	return span_of(mbox->line, mbox->line_length < 0 ? 0 : (size_t)mbox->line_length);
}

static bool
is_empty_line(struct span line)
{
	return line.length <= 2 && span_find(line, '\n') + 1 == line.length &&
	    (line.length == 1 || line.at[0] == '\r');
}

static void
read_line(struct mbox *mbox)
{
	mbox->line_length = getline(&mbox->line, &mbox->line_capacity, mbox->file);
	if (mbox->line_length > 0)
		mbox->source.done += (uint64_t)mbox->line_length;
}

/* `+0100` as seconds; 0 when there is none. */
static int64_t
parse_zone(const char *text)
{
	int sign, hours, minutes;

	while (*text == ' ')
		text++;
	sign = *text == '-' ? -1 : 1;
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d%2d", &hours, &minutes) != 2)
		return 0;
	return sign * (hours * 3600L + minutes * 60L);
}

/* `Thu Dec  1 03:46:52 2005` at the place; seconds may lack, and `EST ` or ` +0100` surround the year. */
static bool
parse_date(const char *text, int64_t *date_out)
{
	struct tm when = { 0 };
	const char *rest = strptime(text, "%a %b %d %H:%M", &when), *year;

	if (rest == NULL)
		return false;
	if (*rest == ':' && (rest = strptime(rest, ":%S", &when)) == NULL)
		return false;
	rest += strcspn(rest, "0123456789+-");
	year = strptime(rest, "%Y", &when);
	if (year == NULL)
		return false;
	*date_out = timegm(&when) - parse_zone(year);
	return true;
}

bool
from_line_date(struct span line, int64_t *date_out)
{
	char text[512];

	if (!span_starts_with(line, SPAN("From ")) || line.length >= sizeof text)
		return false;
	memcpy(text, line.at, line.length);
	text[line.length] = '\0';
	for (const char *at = text + 4; (at = strchr(at, ' ')) != NULL; at++) {
		if (parse_date(at + 1, date_out))
			return true;
	}
	return false;
}

/* A From_ line's leading `>` may be one that a writer put there to protect it. */
static struct span
unquoted(struct span line)
{
	size_t depth = 0;

	while (depth < line.length && line.at[depth] == '>')
		depth++;
	return depth > 0 && span_starts_with(span_from(line, depth), SPAN("From ")) ? span_from(line, 1)
										   : line;
}

static unsigned
flags_of(struct span message)
{
	static const struct {
		char letter;
		unsigned flag;
	} letters[] = { { 'R', FLAG_SEEN }, { 'A', FLAG_ANSWERED }, { 'F', FLAG_FLAGGED },
		{ 'D', FLAG_DELETED }, { 'T', FLAG_DRAFT } };
	static const char *const fields[] = { "Status", "X-Status" };
	unsigned flags = 0;

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct mime_field field;

		if (!mime_field_find(message, span_from_string(fields[i]), &field))
			continue;
		for (size_t j = 0; j < COUNT_OF(letters); j++) {
			if (span_find(field.value, (uint8_t)letters[j].letter) < field.value.length)
				flags |= letters[j].flag;
		}
	}
	return flags;
}

static bool
is_next_message(const struct mbox *mbox)
{
	int64_t date;

	return from_line_date(current(mbox), &date);
}

/* The empty line before a From_ line, and before the end, belongs to the format. */
static void
drop_separator(struct buffer *octets)
{
	if (octets->length >= 4 && memcmp(octets->at + octets->length - 4, "\r\n\r\n", 4) == 0)
		octets->length -= 2;
}

/* A file that became unreadable is reported once. */
static enum source_result
end(struct mbox *mbox, struct message *message)
{
	if (mbox->is_over || !ferror(mbox->file))
		return SOURCE_END;
	mbox->is_over = true;
	buffer_add_string(&message->origin, mbox->path);
	return SOURCE_UNREADABLE;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct mbox *mbox = CONTAINER_OF(source, struct mbox, source);

	message_clear(message);
	if (mbox->line_length < 0)
		return end(mbox, message);
	buffer_printf(&message->origin, "%s:%llu", mbox->path,
	    (unsigned long long)(mbox->source.done - (uint64_t)mbox->line_length));
	message->has_date = from_line_date(current(mbox), &message->date_s);
	for (read_line(mbox); mbox->line_length >= 0 && !is_next_message(mbox); read_line(mbox))
		add_with_crlf(&message->octets, unquoted(current(mbox)));
	drop_separator(&message->octets);
	message->flags = flags_of(buffer_span(&message->octets));
	return SOURCE_MESSAGE;
}

static void
mbox_close(struct source *source)
{
	struct mbox *mbox = CONTAINER_OF(source, struct mbox, source);

	fclose(mbox->file);
	free(mbox->line);
	free(mbox->path);
	free(mbox);
}

struct source *
mbox_open(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat facts;
	struct mbox *mbox;

	if (file == NULL)
		return NULL;
	mbox = NEW(struct mbox);
	mbox->source.next = next;
	mbox->source.close = mbox_close;
	mbox->file = file;
	mbox->path = memory_copy_string(path);
	if (fstat(fileno(file), &facts) == 0)
		mbox->source.total = (uint64_t)facts.st_size;
	do
		read_line(mbox);
	while (mbox->line_length >= 0 && is_empty_line(current(mbox)));
	if (mbox->line_length >= 0 && !span_starts_with(current(mbox), SPAN("From "))) {
		mbox_close(&mbox->source);
		errno = EBADMSG;
		return NULL;
	}
	return &mbox->source;
}
