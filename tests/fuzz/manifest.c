/*
 * The manifest of a backup, of any octets.  What it says of a user leads to no file but the user's own; written anew, as the
 * next run begins, it says the same of the same users; and a line that breaks off is none.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../../src/imapctl/backup/catalogue.h"
#include "base/file.h"
#include "base/memory.h"

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static struct folder folder;
static char path[128];

static void
unmake(void)
{
	unlinkat(folder.descriptor, "manifest", 0);
	unlinkat(folder.descriptor, "manifest.partial", 0);
	rmdir(path);
}

/* What imapctl says of a bad one is not looked at here; libFuzzer has its own stream already. */
int
LLVMFuzzerInitialize(int *count, char ***words)
{
	const char *where = getenv("TMPDIR");

	(void)count;
	(void)words;
	snprintf(path, sizeof path, "%s/fuzz-manifest.XXXXXX", where == NULL ? "/tmp" : where);
	if (mkdtemp(path) == NULL || folder_open(&folder, path) != EX_OK)
		abort();
	atexit(unmake);
	stderr = fopen("/dev/null", "w");
	return 0;
}

static void
write_manifest(struct span text)
{
	int file = openat(folder.descriptor, "manifest", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert(file >= 0 && file_write(file, text));
	close(file);
}

static struct catalogue *
read_manifest(void)
{
	int code = EX_OK;
	struct catalogue *catalogue = catalogue_read(&folder, false, &code);

	assert((catalogue == NULL) == (code != EX_OK) && code != EX_IOERR);
	return catalogue;
}

/* Any name comes back out of a list of names, and a list has an end. */
static void
check_names(const struct catalogue_user *user, struct arena *arena)
{
	struct span names = catalogue_field(user, arena, "groups");
	struct buffer list = { 0 };

	while (names.length > 0)
		(void)catalogue_take_name(&names, arena);
	catalogue_add_name(&list, SPAN("first"));
	catalogue_add_name(&list, user->name);
	names = buffer_span(&list);
	assert(span_equals(catalogue_take_name(&names, arena), SPAN("first")));
	assert(span_equals(catalogue_take_name(&names, arena), user->name) && names.length == 0);
	buffer_free(&list);
}

static void
check_user(const struct catalogue_user *user, struct arena *arena)
{
	struct buffer wanted = { 0 };

	folder_file_name(user->name, &wanted);
	assert(user->name.length > 0 && wanted.length <= 255 && span_find(buffer_span(&wanted), '/') == wanted.length);
	assert(user->file.length == 0 || span_equals(user->file, buffer_span(&wanted)));
	assert(user->before == NULL || (user->before->before == NULL && span_equals(user->before->name, user->name)));
	check_names(user, arena);
	buffer_free(&wanted);
}

static void
check_users(const struct catalogue *catalogue)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < catalogue_count(catalogue); i++) {
		const struct catalogue_user *user = catalogue_at(catalogue, i);

		assert(catalogue_find(catalogue, user->name) == user);
		assert(i == 0 || span_compare(catalogue_at(catalogue, i - 1)->name, user->name) < 0);
		check_user(user, arena);
	}
	arena_free(&arena);
}

/* There are no files in the folder, so that the last line of a user holds. */
static void
check_same(const struct catalogue *one, const struct catalogue *other)
{
	assert(catalogue_count(one) == catalogue_count(other));
	for (size_t i = 0; i < catalogue_count(one); i++)
		assert(span_equals(catalogue_at(one, i)->line, catalogue_at(other, i)->line));
}

/* The lines that hold come first, then what a run adds. */
static void
check_next_run(struct catalogue *catalogue)
{
	struct catalogue *again;
	struct span at;

	assert(catalogue_begin(catalogue));
	assert((again = read_manifest()) != NULL && !catalogue_is_ended(again, &at) && at.length > 0);
	check_same(catalogue, again);
	catalogue_free(&again);
	assert(catalogue_add(catalogue, SPAN("run state=ended at=now")) && catalogue_add(catalogue, SPAN("user name=last")));
	assert((again = read_manifest()) != NULL && catalogue_is_ended(again, &at));
	assert(catalogue_find(again, SPAN("last")) != NULL);
	catalogue_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct catalogue *catalogue;

	write_manifest(span_of(octets, size));
	if ((catalogue = read_manifest()) == NULL)
		return 0;
	check_users(catalogue);
	check_next_run(catalogue);
	catalogue_free(&catalogue);
	return 0;
}
