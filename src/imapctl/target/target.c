/*
 * What every target does alike: it knows the messages that it has, and says what is wrong.
 */
#include "target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int
by_uid(const void *left, const void *right)
{
	const struct target_entry *a = left, *b = right;

	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

struct target_entry *
target_find(const struct target *target, uint32_t uid)
{
	struct target_entry key = { .uid = uid };

	if (target->entry_count == 0)
		return NULL;
	return bsearch(&key, target->entries, target->entry_count, sizeof key, by_uid);
}

struct target_entry *
target_add_entry(struct target *target, uint32_t uid, unsigned flags, struct span keywords, const char *file)
{
	struct target_entry *entry;

	if (target->entry_count == target->entry_room) {
		target->entry_room = target->entry_room == 0 ? 64 : 2 * target->entry_room;
		target->entries = memory_resize(target->entries, target->entry_room, sizeof *entry);
	}
	entry = &target->entries[target->entry_count++];
	*entry = (struct target_entry){ .uid = uid, .flags = flags, .keywords = memory_copy_span(keywords),
		.file = file == NULL ? NULL : memory_copy_string(file) };
	return entry;
}

void
target_sort(struct target *target)
{
	if (target->entry_count > 0)
		qsort(target->entries, target->entry_count, sizeof *target->entries, by_uid);
}

void
target_clear_entries(struct target *target)
{
	for (size_t i = 0; i < target->entry_count; i++) {
		free(target->entries[i].keywords);
		free(target->entries[i].file);
	}
	target->entry_count = 0;
}

void
target_free_rest(struct target *target)
{
	target_clear_entries(target);
	free(target->entries);
	buffer_free(&target->trouble);
}

enum target_status
target_refuse(struct target *target, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	buffer_clear(&target->trouble);
	buffer_add_string(&target->trouble, text);
	target->error = 0;
	free(text);
	return TARGET_REFUSED;
}

enum target_status
target_fail(struct target *target, const char *path)
{
	int error = errno;

	target_refuse(target, "%s: %s", path, strerror(error));
	target->error = error;
	return TARGET_FAILED;
}
