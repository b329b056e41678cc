#include "mh_list.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DIGITS_MAX 18

/* Backups (",2", "#2"), context, active, .overview and whatever else has another name are none. */
bool
mh_is_message(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && digits <= DIGITS_MAX && name[digits] == '\0';
}

static int
is_number(const struct dirent *entry)
{
	return mh_is_message(entry->d_name);
}

/* A folder may be called 2020. */
static bool
is_directory(const struct dirent *entry, const char *path)
{
	struct buffer full = { 0 };
	struct stat facts;
	bool is_one;

	if (entry->d_type == DT_REG)
		return false;
	buffer_printf(&full, "%s/%s", path, entry->d_name);
	is_one = stat(buffer_string(&full), &facts) == 0 && S_ISDIR(facts.st_mode);
	buffer_free(&full);
	return is_one;
}

static int
by_number(const void *left, const void *right)
{
	const struct mh_message *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);
}

int
mh_list_read(struct mh_list *list, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_number, NULL);

	if (count < 0)
		return errno;
	list->messages = memory_new_array((size_t)count, sizeof *list->messages);
	for (int i = 0; i < count; i++) {
		if (!is_directory(entries[i], path))
			list->messages[list->count++] = (struct mh_message){
				.number = strtoull(entries[i]->d_name, NULL, 10),
				.name = memory_copy_string(entries[i]->d_name), .flags = FLAG_SEEN };
		free(entries[i]);
	}
	free(entries);
	qsort(list->messages, list->count, sizeof *list->messages, by_number);
	return 0;
}

void
mh_list_free(struct mh_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->messages[i].name);
		buffer_free(&list->messages[i].keywords);
	}
	free(list->messages);
	*list = (struct mh_list){ 0 };
}
