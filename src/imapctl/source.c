/*
 * What the sources share: messages, line ends, whole files.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "source.h"

static const struct {
	const char *kind;
	struct source *(*open)(const char *path);
} kinds[] = {
	{ "mbox", mbox_open },
	{ "maildir", maildir_open },
	{ "eml", eml_open },
};

struct source *
source_open(const char *kind, const char *path)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].open(path);
	}
	errno = EINVAL;
	return NULL;
}

void
source_close(struct source **source)
{
	if (*source != NULL)
		(*source)->close(*source);
	*source = NULL;
}

void
message_clear(struct message *message)
{
	buffer_clear(&message->octets);
	buffer_clear(&message->origin);
	buffer_clear(&message->mailbox);
	message->flags = 0;
	message->has_date = false;
	message->date_s = 0;
}

void
message_free(struct message *message)
{
	buffer_free(&message->octets);
	buffer_free(&message->origin);
	buffer_free(&message->mailbox);
}

void
add_with_crlf(struct buffer *out, struct span octets)
{
	while (octets.length > 0) {
		size_t lf = span_find(octets, '\n');
		bool has_cr = lf > 0 ? octets.at[lf - 1] == '\r'
				     : out->length > 0 && out->at[out->length - 1] == '\r';

		buffer_add_span(out, span_slice(octets, 0, lf));
		if (lf == octets.length)
			return;
		buffer_add_string(out, has_cr ? "\n" : "\r\n");
		octets = span_from(octets, lf + 1);
	}
}

bool
message_read_file(struct message *message, const char *path)
{
	char piece[65536];
	struct stat facts;
	size_t length;
	FILE *file = fopen(path, "re");
	bool is_read;

	if (file == NULL)
		return false;
	while ((length = fread(piece, 1, sizeof piece, file)) > 0)
		add_with_crlf(&message->octets, span_of(piece, length));
	is_read = !ferror(file) && fstat(fileno(file), &facts) == 0;
	if (is_read) {
		message->date_s = facts.st_mtime;
		message->has_date = true;
	}
	fclose(file);
	return is_read;
}

struct span
message_header(struct span message, const char *name)
{
	struct span wanted = span_from_string(name);

	while (message.length > 0) {
		size_t end = span_find(message, '\n');
		struct span line = span_trim(span_slice(message, 0, end > 0 ? end - 1 : 0));

		if (line.length == 0)
			break;
		if (line.length > wanted.length && line.at[wanted.length] == ':' &&
		    span_starts_with_nocase(line, wanted))
			return span_trim(span_from(line, wanted.length + 1));
		message = span_from(message, end + 1);
	}
	return (struct span){ NULL, 0 };
}

/* `+0100` or `GMT`; an unknown name is taken for UTC, as RFC 5322 section 4.3 advises. */
static int64_t
zone_seconds(const char *text)
{
	int hours, minutes;

	if ((text[0] != '+' && text[0] != '-') || sscanf(text + 1, "%2d%2d", &hours, &minutes) != 2)
		return 0;
	return (text[0] == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
}

/* `Thu, 1 Dec 2005 03:46:52 +0100`, day name and seconds optional: RFC 5322 section 3.3. */
static bool
parse_date(const char *text, int64_t *date_out)
{
	struct tm when = { 0 };
	const char *comma = strchr(text, ','), *rest;

	rest = strptime(comma == NULL ? text : comma + 1, " %d %b %Y %H:%M", &when);
	if (rest == NULL)
		return false;
	if (*rest == ':' && (rest = strptime(rest, ":%S", &when)) == NULL)
		return false;
	rest += strspn(rest, " ");
	*date_out = timegm(&when) - zone_seconds(rest);
	return *date_out >= 0;	/* a clock that was never set */
}

void
message_use_date_field(struct message *message)
{
	struct span value = message_header(buffer_span(&message->octets), "Date");
	char text[128];

	if (value.length >= sizeof text)
		return;
	memcpy(text, value.length > 0 ? value.at : (const uint8_t *)"", value.length);
	text[value.length] = '\0';
	if (parse_date(text, &message->date_s))
		message->has_date = true;
}
