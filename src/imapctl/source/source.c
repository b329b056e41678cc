/*
 * Finding a source by the name of its format.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
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

	if ((source = exported_open(kind, path)) != NULL)
		return source;
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
