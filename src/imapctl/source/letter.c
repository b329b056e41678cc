#include "letter.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>

#include "expand.h"

#define START_OCTETS 64		/* in which a file of octets that are no mail shows */

static enum source_result
read_octets(struct message *message, FILE *file)
{
	char piece[65536];
	size_t length;

	while (!message->is_too_large && (length = fread(piece, 1, sizeof piece, file)) > 0)
		message_add(message, span_of(piece, length));
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

static void
drop_from_line(struct buffer *octets)
{
	struct span text = buffer_span(octets);
	size_t end = span_find(text, '\n');

	if (end < text.length && (span_starts_with(text, SPAN("From ")) || span_starts_with(text, SPAN(">From "))))
		buffer_consume(octets, end + 1);
}

enum source_result
letter_read(struct message *message, const char *path)
{
	struct stat facts;
	FILE *file = expand_open(path, &facts);
	enum source_result result;
	int error;

	if (file == NULL)
		return message_fail(message, errno);
	result = read_octets(message, file);
	error = errno;
	fclose(file);
	errno = error;
	if (result != SOURCE_MESSAGE)
		return result;
	drop_from_line(&message->octets);
	if (message->octets.length == 0)
		return message_refuse(message, "it is empty");
	if (is_binary(buffer_span(&message->octets)))
		return message_refuse(message, "it is no mail, but octets of another kind");
	message->date_s = facts.st_mtime;
	message->has_date = true;
	return SOURCE_MESSAGE;
}
