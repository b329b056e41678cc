#include "letter.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>

#include "expand.h"
#include "expand_methods.h"

#define START_OCTETS 64		/* in which a file of octets that are no mail shows */

static enum source_result
read_octets(struct message *message, FILE *file, void (*add)(struct message *message, struct span octets))
{
	char piece[65536];
	size_t length;

	while (!message->is_too_large && (length = fread(piece, 1, sizeof piece, file)) > 0)
		add(message, span_of(piece, length));
	if (message->is_too_large)
		return message_refuse_size(message);
	return ferror(file) ? message_fail(message, errno) : SOURCE_MESSAGE;
}

/* Controls that neither text nor a charset's escapes begin with. */
static bool
is_binary(struct span octets)
{
	struct span start = span_slice(octets, 0, START_OCTETS);

	for (size_t i = 0; i < start.length; i++) {
		if (start.at[i] < 0x07)
			return true;
	}
	return false;
}

static bool
begins_with_from_line(struct span text)
{
	return span_find(text, '\n') < text.length &&
	    (span_starts_with(text, SPAN("From ")) || span_starts_with(text, SPAN(">From ")));
}

bool
letter_is_mail(struct span octets)
{
	return octets.length > 0 && !is_binary(octets) && !begins_with_from_line(octets) &&
	    expand_method_find(span_slice(octets, 0, EXPAND_MAGIC_MAX)) == NULL;
}

/* Read what was opened, and the time of the file. */
static enum source_result
read_open(struct message *message, FILE *file, const struct stat *facts,
    void (*add)(struct message *message, struct span octets))
{
	enum source_result result = read_octets(message, file, add);
	int error = errno;

	fclose(file);
	errno = error;
	message->date_s = facts->st_mtime;
	message->has_date = true;
	return result;
}

enum source_result
letter_read_octets(struct message *message, const char *path)
{
	struct stat facts = { 0 };
	FILE *file = fopen(path, "re");

	if (file == NULL || fstat(fileno(file), &facts) != 0) {
		int error = errno;

		if (file != NULL)
			fclose(file);
		return message_fail(message, error);
	}
	return read_open(message, file, &facts, message_add_octets);
}

enum source_result
letter_read(struct message *message, const char *path)
{
	struct stat facts;
	FILE *file = expand_open(path, &facts);
	enum source_result result;

	if (file == NULL)
		return message_fail(message, errno);
	result = read_open(message, file, &facts, message_add);
	if (result != SOURCE_MESSAGE)
		return result;
	if (begins_with_from_line(buffer_span(&message->octets)))
		buffer_consume(&message->octets, span_find(buffer_span(&message->octets), '\n') + 1);
	if (message->octets.length == 0)
		return message_refuse(message, "it is empty");
	if (is_binary(buffer_span(&message->octets)))
		return message_refuse(message, "it is no mail, but octets of another kind");
	return SOURCE_MESSAGE;
}
