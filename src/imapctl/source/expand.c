/*
 * The stream is a cookie of the C library's, so that whoever reads lines or blocks from a file reads a
 * compressed one with the same calls.  A file may hold several compressed members one behind the other, as
 * gzip(1) and the others allow; each must be whole.
 */
#include "expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "expand_methods.h"
#include "links.h"

struct expand {
	int descriptor;
	const struct expand_method *method;	/* NULL: the octets are what the file holds */
	void *decoder;				/* NULL: between two members */
	uint8_t in[65536];
	size_t in_at, in_length;
	bool is_all_read;
};

/* Read more behind what is left of the input; false: errno says why. */
static bool
fill(struct expand *expand)
{
	ssize_t got;

	memmove(expand->in, expand->in + expand->in_at, expand->in_length - expand->in_at);
	expand->in_length -= expand->in_at;
	expand->in_at = 0;
	do
		got = read(expand->descriptor, expand->in + expand->in_length,
		    sizeof expand->in - expand->in_length);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	expand->is_all_read = got == 0;
	expand->in_length += (size_t)got;
	return true;
}

static ssize_t
fail(int error)
{
	errno = error;
	return -1;
}

static void
end_member(struct expand *expand)
{
	if (expand->decoder != NULL)
		expand->method->end(expand->decoder);
	expand->decoder = NULL;
}

/* Decode once from what was read; 0 when that gave no octets. */
static ssize_t
decode(struct expand *expand, char *out, size_t room)
{
	struct expand_work work = { span_of(expand->in + expand->in_at, expand->in_length - expand->in_at),
		(uint8_t *)out, room };
	size_t had = work.in.length;
	enum expand_step step;

	if (expand->decoder == NULL)
		expand->decoder = expand->method->begin();
	step = expand->method->step(expand->decoder, &work);
	expand->in_at = expand->in_length - work.in.length;
	if (step == EXPAND_END)
		end_member(expand);
	else if (step == EXPAND_TOO_LARGE)
		return fail(ENOMEM);
	else if (step == EXPAND_DAMAGED || (had > 0 && had == work.in.length && room == work.room))
		return fail(EILSEQ);
	return (ssize_t)(room - work.room);
}

/* No more input comes, and no more output: good between members only. */
static ssize_t
end_of_input(const struct expand *expand)
{
	if (expand->decoder == NULL ||
	    (expand->method->may_end != NULL && expand->method->may_end(expand->decoder)))
		return 0;
	return fail(ENODATA);
}

static ssize_t
read_expanded(struct expand *expand, char *out, size_t room)
{
	for (;;) {
		ssize_t length;

		if (expand->in_at == expand->in_length && !expand->is_all_read && !fill(expand))
			return -1;
		if (expand->in_at == expand->in_length && expand->decoder == NULL)
			return 0;
		if ((length = decode(expand, out, room)) != 0)
			return length;
		if (expand->in_at == expand->in_length && expand->is_all_read)
			return end_of_input(expand);
	}
}

static ssize_t
read_plain(struct expand *expand, char *out, size_t room)
{
	size_t length = expand->in_length - expand->in_at;

	if (length == 0 && !expand->is_all_read) {
		if (!fill(expand))
			return -1;
		length = expand->in_length;
	}
	if (length > room)
		length = room;
	memcpy(out, expand->in + expand->in_at, length);
	expand->in_at += length;
	return (ssize_t)length;
}

static ssize_t
on_read(void *cookie, char *out, size_t room)
{
	struct expand *expand = cookie;

	return expand->method == NULL ? read_plain(expand, out, room) : read_expanded(expand, out, room);
}

static int
on_close(void *cookie)
{
	struct expand *expand = cookie;

	end_member(expand);
	close(expand->descriptor);
	free(expand);
	return 0;
}

/* O_NONBLOCK: a pipe with nobody at its other end must not hold us up. */
static int
open_file(const char *path, struct stat *facts_out)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error;

	if (descriptor < 0)
		return -1;
	if (fstat(descriptor, facts_out) != 0)
		error = errno;
	else if (!link_is_trusted(path, facts_out))
		error = errno;
	else if (S_ISREG(facts_out->st_mode))
		return descriptor;
	else
		error = S_ISDIR(facts_out->st_mode) ? EISDIR : ENXIO;
	close(descriptor);
	return (int)fail(error);
}

/* Read what tells whether it is compressed.  False: errno says why it cannot be read. */
static bool
recognize(struct expand *expand)
{
	while (expand->in_length < EXPAND_MAGIC_MAX && !expand->is_all_read) {
		if (!fill(expand))
			return false;
	}
	expand->method = expand_method_find(span_of(expand->in, expand->in_length));
	if (expand->method == NULL || expand->method->begin != NULL)
		return true;
	errno = expand->method->trouble;
	return false;
}

FILE *
expand_open(const char *path, struct stat *facts_out)
{
	cookie_io_functions_t calls = { .read = on_read, .close = on_close };
	int descriptor = open_file(path, facts_out);
	struct expand *expand;

	if (descriptor < 0)
		return NULL;
	expand = NEW(struct expand);
	expand->descriptor = descriptor;
	if (!recognize(expand)) {
		int error = errno;

		on_close(expand);
		errno = error;
		return NULL;
	}
	return fopencookie(expand, "r", calls);
}

bool
expand_is_needed(int descriptor)
{
	uint8_t head[EXPAND_MAGIC_MAX];
	ssize_t length = pread(descriptor, head, sizeof head, 0);

	return length > 0 && expand_method_find(span_of(head, (size_t)length)) != NULL;
}

static const struct {
	int error;
	const char *text;
} troubles[] = {
	{ EILSEQ, "its compressed data are damaged" },
	{ ENODATA, "its compressed data end too early" },
	{ ENOMEM, "expanding it would take too much memory" },
	{ ENOKEY, "it is encrypted by Dovecot; let doveadm export it there" },
	{ EPERM, "it is a link by one user to what belongs to another" },
	{ ENXIO, "it is no file, but a pipe, socket or device" },
};

const char *
expand_error_text(int error)
{
	for (size_t i = 0; i < COUNT_OF(troubles); i++) {
		if (troubles[i].error == error)
			return troubles[i].text;
	}
	return NULL;
}
