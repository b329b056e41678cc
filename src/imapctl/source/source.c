/*
 * Finding a source by the name of its format.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "mbox.h"
#include "source.h"

static struct source *
open_archive(const char *path)
{
	return archive_open(path, source_open);
}

/* In the order in which they are tried when none is named; eml takes what nothing else does. */
static const struct {
	const char *kind;
	bool is_file_of_many;	/* also tried when it is called an mbox, as people call them all */
	struct source *(*open)(const char *path);
	const char *what;	/* unless the source knows better words */
} kinds[] = {
	{ "archive", false, open_archive, "an archive" },
	{ "pst", false, pst_open, "a file of Outlook" },
	{ "thunderbird", false, thunderbird_open, "folders of Thunderbird" },
	{ "maildir", false, maildir_open, "a maildir" },
	{ "mix", false, mix_open, "a folder of c-client, mix" },
	{ "dbox", false, dbox_open, "a dbox of Dovecot" },
	{ "emlx", false, emlx_open, "a message of Apple Mail" },
	{ "mh", false, mh_open, "an MH folder" },
	{ "mbox", true, mbox_open, "an mbox" },
	{ "mmdf", true, mmdf_open, "an MMDF file" },
	{ "babyl", true, babyl_open, "a Babyl file" },
	{ "mbx", true, mbx_open, "a file of c-client, mbx" },
	{ "mboxes", true, mboxes_open, "a folder of mbox files" },
	{ "eml", false, eml_open, "single messages" },
};

/* Whether a format was not recognized, as opposed to a path that cannot be opened at all. */
static bool
is_other_kind(void)
{
	return errno == EBADMSG || errno == EISDIR || errno == ENOTDIR;
}

static void
set_facts(struct source *source, const char *kind, const char *what)
{
	source->octets_max = SIZE_MAX;
	source->kind = kind;
	if (source->what.length == 0)
		buffer_add_string(&source->what, what);
}

struct source *
source_open(const char *kind, const char *path)
{
	struct source *source = NULL;
	bool is_known = kind == NULL;
	int error = EINVAL;

	if ((source = exported_open(kind, path)) != NULL) {
		set_facts(source, "export", "an export of imapctl");
		return source;
	}
	for (size_t i = 0; i < COUNT_OF(kinds) && source == NULL; i++) {
		bool is_named = kind != NULL && strcmp(kinds[i].kind, kind) == 0;

		is_known |= is_named;
		if (!is_named && kind != NULL && !(kinds[i].is_file_of_many && strcmp(kind, "mbox") == 0))
			continue;
		if ((source = kinds[i].open(path)) == NULL && !is_other_kind())
			return NULL;
		error = is_named || kind == NULL ? errno : error;
		if (source != NULL)
			set_facts(source, kinds[i].kind, kinds[i].what);
	}
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
