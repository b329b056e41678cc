/*
 * A folder of files that hold many messages each: what alpine, mutt and Dovecot keep in ~/mail, what readpst
 * writes, the exports of Apple Mail and of Google Takeout.  A file is a mailbox, and so is a folder X or X.mbox that
 * has nothing but a file mbox.  Single messages between them are taken, too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "contents.h"
#include "folder_name.h"
#include "folder_tree.h"
#include "mbox.h"
#include "several.h"
#include "source.h"

struct mboxes {
	struct several *several;
	size_t of_many;		/* files that hold many messages, or could */
	size_t of_takeout;
};

/* Without an ending that says what it is. */
static struct span
without(struct span name, struct span ending)
{
	size_t length = name.length - ending.length;

	return name.length > ending.length && span_equals_nocase(span_from(name, length), ending)
	    ? span_slice(name, 0, length) : name;
}

static struct span
plain_name(const char *entry)
{
	static const struct span endings[] = { SPAN(".gz"), SPAN(".bz2"), SPAN(".xz"), SPAN(".zst"), SPAN(".lz4"),
		SPAN(".sbd"), SPAN(".mbox"), SPAN(".mbx"), SPAN(".mmdf") };
	struct span name = span_from_string(entry);

	for (size_t i = 0; i < COUNT_OF(endings); i++)
		name = without(name, endings[i]);
	return name;
}

static bool
is_folder(const struct folder *above, const char *path, const char *entry, struct buffer *name)
{
	(void)above;
	(void)path;
	if (entry[0] == '.')
		return false;
	folder_name_add_level(name, plain_name(entry));
	return true;
}

static void
count_file(const struct folder *folder, const char *path, const char *entry, void *context)
{
	size_t *count = context;

	(void)folder;
	(void)path;
	*count += strcmp(entry, "mbox") != 0 && strcmp(entry, "table_of_contents") != 0;
}

/* A folder with a file mbox, and nothing else, is the mailbox itself. */
static bool
is_folders_own(const struct folder *folder, const char *entry)
{
	size_t others = 0;

	if (strcmp(entry, "mbox") != 0)
		return false;
	folder_files(folder, count_file, &others);
	return others == 0;
}

static void
add_file(struct mboxes *mboxes, const struct folder *folder, const char *path, const char *entry, bool is_one,
    several_opener *open)
{
	struct buffer name = { 0 };

	buffer_add_span(&name, buffer_span(&folder->name));
	if (!is_one && !is_folders_own(folder, entry))
		folder_name_add_level(&name, plain_name(entry));
	several_add(mboxes->several, path, buffer_span(&name), open);
	buffer_free(&name);
}

/* What mail programs and servers put beside mail for themselves. */
static bool
is_known_litter(const char *entry)
{
	static const char *const endings[] = { ".msf", ".dat", ".lock", ".ics", ".vcf", ".html", ".json", ".toc", ".index",
		".plist", ".sbd", ".cmeta", ".ev-summary", ".ibex.index", ".ibex.index.data" };
	struct span name = span_from_string(entry);

	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		if (without(name, span_from_string(endings[i])).length < name.length)
			return true;
	}
	return span_starts_with(name, SPAN("dovecot")) || span_equals(name, SPAN("table_of_contents"));
}

static void
on_file(const struct folder *folder, const char *path, const char *entry, void *context)
{
	struct mboxes *mboxes = context;
	several_opener *open;
	const char *why;

	switch (contents_of(path, &open, &why)) {
	case CONTENTS_MANY:
		mboxes->of_many++;
		add_file(mboxes, folder, path, entry, false, open);
		break;
	case CONTENTS_TAKEOUT:	/* the labels say where each message belongs */
		mboxes->of_many++;
		mboxes->of_takeout++;
		several_add(mboxes->several, path, (struct span){ NULL, 0 }, open);
		break;
	case CONTENTS_MESSAGE:
		add_file(mboxes, folder, path, entry, true, open);
		break;
	case CONTENTS_NOTHING:
		if (!is_known_litter(entry))
			add_file(mboxes, folder, path, entry, false, NULL);
		break;
	default:
		several_leave_out(mboxes->several, path, why);
	}
}

static void
describe(const struct mboxes *mboxes, struct source *source)
{
	if (mboxes->of_takeout > 0)
		several_drop_copies(mboxes->several);
	buffer_printf(&source->what, "%s, %zu file%s", mboxes->of_takeout > 0 ? "a Google Takeout" : "a folder of mbox files",
	    mboxes->of_many, mboxes->of_many == 1 ? "" : "s");
}

struct source *
mboxes_open(const char *path)
{
	struct folder_tree tree = { .is_folder = is_folder };
	struct mboxes mboxes = { .several = several_new() };
	struct source *source = several_source(mboxes.several);
	int error = 0;

	if (!folder_tree_walk(&tree, path))
		error = errno;
	for (size_t i = 0; error == 0 && i < tree.count; i++) {
		if (tree.folders[i].error != 0)
			several_fail(mboxes.several, tree.folders[i].path, tree.folders[i].error);
		folder_files(&tree.folders[i], on_file, &mboxes);
	}
	folder_tree_free(&tree);
	if (error == 0 && mboxes.of_many == 0)
		error = EBADMSG;
	if (error != 0) {
		source_close(&source);
		errno = error;
		return NULL;
	}
	describe(&mboxes, source);
	return source;
}
