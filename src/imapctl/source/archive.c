/*
 * Archives as they are downloaded: what is in them is unpacked into a temporary folder, all parts of it into one, and
 * then read as what it is.  Google cuts a Takeout into NAME-001.zip, NAME-002.zip.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "unpacked.h"

static bool
unpack_one(struct unpack *unpack, const char *path)
{
	return unpack_zip(unpack, path) || (errno == EBADMSG && unpack_tar(unpack, path));
}

/* Where the digits of "-001." stand in a name; 0: there are none. */
static size_t
find_part_number(const char *name)
{
	for (size_t at = 4; name[0] != '\0' && at < strlen(name); at++) {
		if (name[at] == '.' && name[at - 4] == '-' && strspn(name + at - 3, "0123456789") == 3)
			return at - 3;
	}
	return 0;
}

/* Unpack the parts behind one: the next numbers, and as long as there are some. */
static bool
unpack_others(struct unpack *unpack, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	size_t at = find_part_number(name), before;
	bool is_unpacked = true, is_there = at > 0;
	unsigned long part;

	if (!is_there)
		return true;
	before = (size_t)(name - path) + at;
	part = strtoul(name + at, NULL, 10);
	while (is_unpacked && is_there) {
		struct buffer other = { 0 };
		int digits = (int)strspn(name + at, "0123456789");

		buffer_printf(&other, "%.*s%0*lu%s", (int)before, path, digits, ++part, name + at + digits);
		is_there = access(buffer_string(&other), F_OK) == 0;
		is_unpacked = !is_there || unpack_one(unpack, buffer_string(&other));
		buffer_free(&other);
	}
	return is_unpacked;
}

/* The one folder that is there, and nothing beside it, as "Maildir" in an archive of that; or the whole. */
static void
add_top(struct buffer *path)
{
	struct dirent **entries;
	int count = scandir(buffer_string(path), &entries, NULL, alphasort);	/* with "." and ".." */
	bool is_one = count == 3 && entries[2]->d_type == DT_DIR && strchr(entries[2]->d_name, '.') == NULL &&
	    strcmp(entries[2]->d_name, "cur") != 0;

	if (is_one)
		buffer_printf(path, "/%s", entries[2]->d_name);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
}

static struct source *
open_unpacked(const struct unpack *unpack, struct source *(*open)(const char *kind, const char *path))
{
	struct buffer path = { 0 };
	struct source *source = NULL;

	errno = EBADMSG;
	if (unpack->files > 0) {
		buffer_add_span(&path, buffer_span(&unpack->directory));
		add_top(&path);
		source = open(NULL, buffer_string(&path));
	}
	buffer_free(&path);
	return source;
}

struct source *
archive_open(const char *path, struct source *(*open)(const char *kind, const char *path))
{
	struct unpack unpack = { 0 };
	struct source *inner;
	struct stat facts;
	int error;

	if (stat(path, &facts) != 0)
		return NULL;
	if (!S_ISREG(facts.st_mode)) {
		errno = S_ISDIR(facts.st_mode) ? EISDIR : EBADMSG;
		return NULL;
	}
	if (unpack_one(&unpack, path) && unpack_others(&unpack, path) && (inner = open_unpacked(&unpack, open)) != NULL)
		return unpacked_source(&unpack, inner, path, "an archive of ");
	error = errno;
	unpack_remove(&unpack);
	errno = error;
	return NULL;
}
