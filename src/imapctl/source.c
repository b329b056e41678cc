/*
 * Finding a source by the name of its format, and what it notes on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source.h"

static const struct {
	const char *kind;
	struct source *(*open)(const char *path);
} kinds[] = {
	{ "mbox", mbox_open },
	{ "maildir", maildir_open },
	{ "mh", mh_open },
	{ "eml", eml_open },
};

struct source *
source_open(const char *kind, const char *path)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct source *source;

		if (strcmp(kinds[i].kind, kind) != 0)
			continue;
		if ((source = kinds[i].open(path)) != NULL)
			source->octets_max = UINT64_MAX;
		return source;
	}
	errno = EINVAL;
	return NULL;
}

void
source_close(struct source **source)
{
	struct note *notes;
	size_t count;

	if (*source == NULL)
		return;
	notes = (*source)->notes;
	count = (*source)->note_count;
	(*source)->close(*source);
	*source = NULL;
	for (size_t i = 0; i < count; i++) {
		buffer_free(&notes[i].what);
		buffer_free(&notes[i].first);
	}
	free(notes);
}

/* The note of these words, with a count of 0 when it is new. */
static struct note *
find_note(struct source *source, enum note_kind kind, struct span what)
{
	struct note *note;

	for (size_t i = 0; i < source->note_count; i++) {
		note = &source->notes[i];
		if (note->kind == kind && span_equals(buffer_span(&note->what), what))
			return note;
	}
	source->notes = memory_resize(source->notes, source->note_count + 1, sizeof *note);
	note = &source->notes[source->note_count++];
	*note = (struct note){ .kind = kind };
	buffer_add_span(&note->what, what);
	return note;
}

void
source_note(struct source *source, enum note_kind kind, struct span what, struct span origin)
{
	struct note *note = find_note(source, kind, what);

	if (note->count++ == 0)
		buffer_add_span(&note->first, origin);
}
