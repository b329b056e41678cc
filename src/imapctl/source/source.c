/*
 * Finding a source by the name of its format, and what it notes on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "input.h"
#include "mbox.h"
#include "source.h"

/* In the order in which they are tried when none is named; eml takes what nothing else does. */
static const struct {
	const char *kind;
	bool is_file_of_many;	/* also tried when it is called an mbox, as people call them all */
	struct source *(*open)(const char *path);
} kinds[] = {
	{ "maildir", false, maildir_open },
	{ "mix", false, mix_open },
	{ "mh", false, mh_open },
	{ "mbox", true, mbox_open },
	{ "mmdf", true, mmdf_open },
	{ "babyl", true, babyl_open },
	{ "mbx", true, mbx_open },
	{ "eml", false, eml_open },
};

/* Whether a format was not recognized, as opposed to a path that cannot be opened at all. */
static bool
is_other_kind(void)
{
	return errno == EBADMSG || errno == EISDIR || errno == ENOTDIR;
}

struct source *
source_open(const char *kind, const char *path)
{
	struct source *source = NULL;
	bool is_known = kind == NULL;
	int error = EINVAL;

	for (size_t i = 0; i < COUNT_OF(kinds) && source == NULL; i++) {
		bool is_named = kind != NULL && strcmp(kinds[i].kind, kind) == 0;

		is_known |= is_named;
		if (!is_named && kind != NULL && !(kinds[i].is_file_of_many && strcmp(kind, "mbox") == 0))
			continue;
		if ((source = kinds[i].open(path)) == NULL && !is_other_kind())
			return NULL;
		error = errno;
	}
	if (source != NULL)
		source->octets_max = SIZE_MAX;
	errno = is_known ? error : EINVAL;
	return source;
}

void
source_kinds(struct buffer *out)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (i > 0)
			buffer_add_string(out, i + 1 < COUNT_OF(kinds) ? ", " : " and ");
		buffer_add_string(out, kinds[i].kind);
	}
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
