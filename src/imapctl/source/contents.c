#include "contents.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "expand.h"
#include "input.h"
#include "mbox.h"
#include "no_mail.h"
#include "separator.h"

#define LOOK_OCTETS 8192

/* The first octets of a file; false: it cannot be read. */
static bool
look(const char *path, char *octets, size_t *length_out)
{
	struct stat facts;
	FILE *file = expand_open(path, &facts);
	bool is_read;

	if (file == NULL)
		return false;
	*length_out = fread(octets, 1, LOOK_OCTETS, file);
	is_read = !ferror(file);
	fclose(file);
	return is_read;
}

static bool
is_mbox(struct span text)
{
	struct from_line from;
	size_t end;

	while (text.length > 0 && (text.at[0] == '\n' || text.at[0] == '\r'))
		text = span_from(text, 1);
	if (span_starts_with(text, SPAN("\xef\xbb\xbf")))
		text = span_from(text, 3);
	end = span_find(text, '\n');
	return from_line_read(span_slice(text, 0, end), &from) &&
	    (from.is_dated || header_follows(span_from(text, end + 1)));
}

/* The fields that Google puts first into each message. */
static bool
is_takeout(struct span text)
{
	struct span rest = span_from(text, span_find(text, '\n') + 1);

	return span_starts_with(rest, SPAN("X-GM-THRID:")) || span_starts_with(rest, SPAN("X-Gmail-Labels:"));
}

/* Whether an mbox holds one message alone and is called as one. */
static const char *
ask_no_mail(const char *path)
{
	const char *name = strrchr(path, '/');
	struct input *input = input_open(path, UINT64_MAX);
	const char *why;

	if (input == NULL)
		return expand_error_text(errno) != NULL ? expand_error_text(errno) : strerror(errno);
	why = no_mail(name == NULL ? path : name + 1, input);
	input_close(&input);
	return why;
}

enum contents
contents_of(const char *path, several_opener **open_out, const char **why_out)
{
	static const struct {
		struct span start;
		several_opener *open;
	} starts[] = { { SPAN("\1\1\1\1\n"), mmdf_open }, { SPAN("BABYL OPTIONS:"), babyl_open },
		{ SPAN("*mbx*\r\n"), mbx_open } };
	char octets[LOOK_OCTETS];
	size_t length = 0;
	struct span text;

	*open_out = NULL;
	if (look(path, octets, &length) && length == 0)
		return CONTENTS_NOTHING;
	text = span_of(octets, length);
	*open_out = mbox_open;
	if (is_mbox(text) && is_takeout(text))
		return CONTENTS_TAKEOUT;
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		*open_out = starts[i].open;
		if (span_starts_with_nocase(text, starts[i].start))
			return CONTENTS_MANY;
	}
	*open_out = eml_open;
	if ((*why_out = ask_no_mail(path)) == NULL)
		return CONTENTS_MESSAGE;
	*open_out = is_mbox(text) ? mbox_open : NULL;
	return is_mbox(text) ? CONTENTS_MANY : CONTENTS_OTHER;
}
