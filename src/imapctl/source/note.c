/*
 * What every source does alike: it notes what is worth telling on the way, and ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "input.h"
#include "source.h"

static void
free_notes(struct note *notes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_free(&notes[i].what);
		buffer_free(&notes[i].first);
	}
	free(notes);
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
	buffer_free(&(*source)->what);
	(*source)->close(*source);
	*source = NULL;
	free_notes(notes, count);
}

enum source_result
source_end(struct input *input, struct message *message)
{
	int error = input_take_error(input);

	if (error == 0)
		return SOURCE_END;
	message_clear(message);
	buffer_add_string(&message->origin, input_path(input));
	errno = error;
	return SOURCE_UNREADABLE;
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

void
source_take_notes(struct source *source, struct source *other)
{
	for (size_t i = 0; i < other->note_count; i++) {
		struct note *theirs = &other->notes[i], *note = find_note(source, theirs->kind, buffer_span(&theirs->what));

		if (note->count == 0)
			buffer_add_span(&note->first, buffer_span(&theirs->first));
		note->count += theirs->count;
	}
	free_notes(other->notes, other->note_count);
	other->notes = NULL;
	other->note_count = 0;
}
