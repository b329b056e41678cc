/*
 * One window over the file, filled by pread(2).
 */
#include "input.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "expand.h"
#include "spool.h"

struct input {
	int descriptor;
	char *path;
	uint64_t size;
	int64_t time_s;
	uint64_t offset;		/* of the next octet to give */
	uint64_t window_offset;
	size_t window_length;
	bool is_last_window;		/* the file ends with it */
	int error;
	bool is_error_taken;
	uint8_t window[2 * INPUT_PIECE_MAX];
};

/* A stream of what cannot be read in place; NULL: errno says why. */
static FILE *
open_stream(const struct input *input, const struct stat *facts)
{
	struct stat same;
	int again;

	if (S_ISREG(facts->st_mode))
		return expand_open(input->path, &same);
	again = fcntl(input->descriptor, F_DUPFD_CLOEXEC, 0);
	return again < 0 ? NULL : fdopen(again, "r");
}

/* Go on with a copy that can seek; false: errno says why. */
static bool
replace(struct input *input, struct stat *facts, uint64_t expanded_max)
{
	bool is_pipe = !S_ISREG(facts->st_mode);
	FILE *stream = open_stream(input, facts);
	int copy, error;

	if (stream == NULL)
		return false;
	copy = spool_copy(stream, is_pipe ? UINT64_MAX : expanded_max);
	error = errno;
	fclose(stream);
	errno = error;
	if (copy < 0)
		return false;
	close(input->descriptor);
	input->descriptor = copy;
	return fstat(copy, facts) == 0;
}

/* Make it a file that can seek; false: errno says why. */
static bool
settle(struct input *input, uint64_t expanded_max)
{
	struct stat facts;

	if (fstat(input->descriptor, &facts) != 0)
		return false;
	if (S_ISDIR(facts.st_mode)) {
		errno = EISDIR;
		return false;
	}
	input->time_s = facts.st_mtime;
	if ((!S_ISREG(facts.st_mode) || expand_is_needed(input->descriptor)) &&
	    !replace(input, &facts, expanded_max))
		return false;
	input->size = (uint64_t)facts.st_size;
	return true;
}

struct input *
input_open(const char *path, uint64_t expanded_max)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC), error;
	struct input *input;

	if (descriptor < 0)
		return NULL;
	input = NEW(struct input);
	input->descriptor = descriptor;
	input->path = memory_copy_string(path);
	if (!settle(input, expanded_max)) {
		error = errno;
		input_close(&input);
		errno = error;
	}
	return input;
}

void
input_close(struct input **input)
{
	if (*input == NULL)
		return;
	close((*input)->descriptor);
	free((*input)->path);
	free(*input);
	*input = NULL;
}

const char *
input_path(const struct input *input)
{
	return input->path;
}

uint64_t
input_size(const struct input *input)
{
	return input->size;
}

int64_t
input_time(const struct input *input)
{
	return input->time_s;
}

uint64_t
input_offset(const struct input *input)
{
	return input->offset;
}

int
input_error(const struct input *input)
{
	return input->error;
}

int
input_take_error(struct input *input)
{
	int error = input->is_error_taken ? 0 : input->error;

	input->is_error_taken = error != 0 || input->is_error_taken;
	return error;
}

void
input_seek(struct input *input, uint64_t offset)
{
	input->offset = offset;
}

size_t
input_look(struct input *input, uint64_t offset, void *out, size_t size)
{
	size_t length = 0;

	while (length < size && input->error == 0) {
		ssize_t got = pread(input->descriptor, (char *)out + length, size - length, (off_t)(offset + length));

		if (got == 0)
			break;
		if (got > 0)
			length += (size_t)got;
		else if (errno != EINTR)
			input->error = errno;
	}
	return length;
}

static bool
is_in_window(const struct input *input)
{
	uint64_t end = input->window_offset + input->window_length;

	return input->offset >= input->window_offset && input->offset <= end &&
	    (input->is_last_window || end - input->offset >= INPUT_PIECE_MAX);
}

/* What comes next, a piece of it at least if there is so much. */
static struct span
ahead(struct input *input)
{
	if (!is_in_window(input)) {
		input->window_offset = input->offset;
		input->window_length = input_look(input, input->offset, input->window, sizeof input->window);
		input->is_last_window = input->window_length < sizeof input->window;
	}
	return span_slice(span_of(input->window, input->window_length), input->offset - input->window_offset,
	    INPUT_PIECE_MAX);
}

bool
input_line(struct input *input, struct span *line_out)
{
	struct span rest = ahead(input);

	*line_out = span_slice(rest, 0, span_find(rest, '\n') + 1);
	input->offset += line_out->length;
	return line_out->length > 0;
}

bool
input_octets(struct input *input, uint64_t count, struct span *octets_out)
{
	struct span rest = ahead(input);

	*octets_out = span_slice(rest, 0, count < INPUT_PIECE_MAX ? (size_t)count : INPUT_PIECE_MAX);
	input->offset += octets_out->length;
	return octets_out->length > 0;
}
