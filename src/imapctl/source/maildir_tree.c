#include "maildir_tree.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "folder_name.h"

static bool
is_directory(const char *path, const char *name)
{
	struct buffer full = { 0 };
	struct stat facts;
	bool is_one;

	buffer_printf(&full, "%s/%s", path, name);
	is_one = stat(buffer_string(&full), &facts) == 0 && S_ISDIR(facts.st_mode);
	buffer_free(&full);
	return is_one;
}

bool
maildir_is_one(const char *path)
{
	return is_directory(path, "cur") || (is_directory(path, "new") && is_directory(path, "tmp"));
}

/* What a Maildir++ folder has and a dot in another's name does not: the file that tells its kind. */
static bool
has_kind_file(const char *path)
{
	struct buffer full = { 0 };
	bool has_one;

	buffer_printf(&full, "%s/maildirfolder", path);
	has_one = access(buffer_string(&full), F_OK) == 0;
	buffer_free(&full);
	return has_one;
}

/* `Sub.Below`, without its first dot, is two levels. */
static void
add_levels(struct buffer *name, struct span entry)
{
	size_t dot;

	do {
		dot = span_find(entry, '.');
		folder_name_add_level(name, span_slice(entry, 0, dot));
		entry = span_from(entry, dot + 1);
	} while (entry.length > 0);
}

/* KMail: `.Sub.directory` holds what lies below Sub, and is no maildir. */
static bool
is_kmail_directory(const char *path, struct span entry, struct span *name_out)
{
	struct span end = SPAN(".directory");

	if (entry.length <= end.length + 1 || maildir_is_one(path) ||
	    !span_equals(span_from(entry, entry.length - end.length), end))
		return false;
	*name_out = span_slice(entry, 1, entry.length - end.length - 1);
	return true;
}

static bool
is_folder(const struct folder *above, const char *path, const char *entry, struct buffer *name)
{
	struct span text = span_from_string(entry), level;
	bool is_first = above->name.length == 0;

	if (maildir_is_one(above->path) && (span_equals(text, SPAN("cur")) ||
	    span_equals(text, SPAN("new")) || span_equals(text, SPAN("tmp"))))
		return false;
	if (text.at[0] != '.')
		folder_name_add_level(name, text);
	else if (is_kmail_directory(path, text, &level))
		folder_name_add_level(name, level);
	else if (is_first && text.length > 2 && text.at[1] == '.') {	/* Evolution: below INBOX */
		folder_name_add_level(name, SPAN("INBOX"));
		add_levels(name, span_from(text, 2));
	} else if (is_first || has_kind_file(path))
		add_levels(name, span_from(text, 1));
	else
		folder_name_add_level(name, span_from(text, 1));
	return true;
}

/* Below a maildir "x" KMail has what lies in ".x.directory" beside it. */
static void
walk_beside(struct folder_tree *tree, const char *path)
{
	struct buffer beside = { 0 };
	char *real = realpath(path, NULL), *name;

	if (real != NULL && (name = strrchr(real, '/')) != NULL && maildir_is_one(path)) {
		buffer_printf(&beside, "%.*s/.%s.directory", (int)(name - real), real, name + 1);
		if (!maildir_is_one(buffer_string(&beside)))
			folder_tree_walk_also(tree, buffer_string(&beside));
		buffer_free(&beside);
	}
	free(real);
}

bool
maildir_tree_walk(struct folder_tree *tree, const char *path)
{
	tree->is_folder = is_folder;
	if (!folder_tree_walk(tree, path))
		return false;
	walk_beside(tree, path);
	return true;
}
