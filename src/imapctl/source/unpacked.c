/*
 * A source of what lies in a temporary folder, told by the name of what it came from.
 */
#include "unpacked.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"

struct unpacked {
	struct source source;
	struct source *inner;
	struct unpack unpack;
	char *path;
};

/* Name where it came from where the temporary folder is named. */
static void
rename_origin(const struct unpacked *unpacked, struct buffer *origin)
{
	struct span folder = buffer_span(&unpacked->unpack.directory), rest;
	struct buffer name = { 0 };

	if (!span_starts_with(buffer_span(origin), folder))
		return;
	rest = span_from(buffer_span(origin), folder.length);
	buffer_printf(&name, "%s%.*s", unpacked->path, SPAN_ARGS(rest));
	buffer_free(origin);
	*origin = name;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct unpacked *unpacked = CONTAINER_OF(source, struct unpacked, source);
	enum source_result result;
	int error;

	unpacked->inner->octets_max = source->octets_max;
	unpacked->inner->labels = source->labels;
	result = source_next(unpacked->inner, message);
	error = errno;
	source->done = unpacked->inner->done;
	rename_origin(unpacked, &message->origin);
	for (size_t i = 0; result == SOURCE_END && i < unpacked->inner->note_count; i++)
		rename_origin(unpacked, &unpacked->inner->notes[i].first);
	if (result == SOURCE_END)
		source_take_notes(source, unpacked->inner);
	errno = error;
	return result;
}

static void
unpacked_close(struct source *source)
{
	struct unpacked *unpacked = CONTAINER_OF(source, struct unpacked, source);

	source_close(&unpacked->inner);
	unpack_remove(&unpacked->unpack);
	free(unpacked->path);
	free(unpacked);
}

struct source *
unpacked_source(struct unpack *unpack, struct source *inner, const char *path, const char *what)
{
	struct unpacked *unpacked = NEW(struct unpacked);
	struct source *source = &unpacked->source;

	source->next = next;
	source->close = unpacked_close;
	source->total = inner->total;
	buffer_printf(&source->what, "%s%.*s", what, SPAN_ARGS(buffer_span(&inner->what)));
	unpacked->inner = inner;
	unpacked->path = memory_copy_string(path);
	unpacked->unpack = *unpack;
	*unpack = (struct unpack){ 0 };
	return source;
}
