/*
 * dovecot-keywords has "0 $Label1" for the letter a, and so on.  courierimapkeywords/:list has keywords, one a
 * line, an empty line, then "unique-name:0 3" with numbers of those lines.  Changes since lie beside it, one
 * file a message with its keywords as lines: "unique-name", or ".5986206.unique-name" of which the highest
 * number counts.
 */
#include "maildir_keywords.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lines.h"

static void
read_dovecot(struct maildir_keywords *keywords, struct lines *lines)
{
	struct span text;

	while (lines_next(lines, &text)) {
		size_t space = span_find(text, ' ');
		struct span name = span_from(text, space + 1);
		uint64_t index;

		if (name.length == 0 ||
		    !span_to_number(span_slice(text, 0, space), UINT32_MAX, &index))
			continue;
		if (index >= MAILDIR_LETTERS)
			keywords->has_more = true;
		else if (keywords->names[index] == NULL)
			keywords->names[index] = memory_copy_span(name);
	}
}

static void
add_name(struct buffer *list, struct span name)
{
	if (list->length > 0)
		buffer_add_octet(list, ' ');
	buffer_add_span(list, name);
}

/* The list of a message, made empty when there is none. */
static struct buffer *
list_of(struct maildir_keywords *keywords, struct span base)
{
	struct buffer *list = map_get(keywords->lists, base);

	if (list == NULL) {
		list = NEW(struct buffer);
		map_put(keywords->lists, base, list);
	}
	buffer_clear(list);
	return list;
}

/* "unique-name:0 3", the numbers being those of the names. */
static void
add_courier_line(struct maildir_keywords *keywords, char *const *names, size_t count, struct span line)
{
	size_t colon = span_find(line, ':');
	struct span numbers = span_from(line, colon + 1);
	struct buffer *list = list_of(keywords, span_slice(line, 0, colon));

	while (numbers.length > 0) {
		size_t space = span_find(numbers, ' ');
		uint64_t number;

		if (span_to_number(span_slice(numbers, 0, space), UINT32_MAX, &number) && number < count)
			add_name(list, span_from_string(names[number]));
		numbers = span_from(numbers, space + 1);
	}
}

static void
read_courier_list(struct maildir_keywords *keywords, struct lines *lines)
{
	char **names = NULL;
	size_t count = 0;
	struct span text;

	while (lines_next(lines, &text) && text.length > 0) {
		names = memory_resize(names, count + 1, sizeof *names);
		names[count++] = memory_copy_span(text);
	}
	while (lines_next(lines, &text))
		add_courier_line(keywords, names, count, text);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static void
read_courier_change(struct maildir_keywords *keywords, const char *folder, const char *name, struct span base)
{
	struct buffer *list;
	struct lines lines;
	struct span text;

	if (!lines_open(&lines, folder, name))
		return;
	list = list_of(keywords, base);
	while (lines_next(&lines, &text)) {
		if (text.length > 0)
			add_name(list, text);
	}
	lines_close(&lines);
}

/* Those with numbers first and the low ones before the high, as the last one read counts. */
static int
by_age(const struct dirent **a, const struct dirent **b)
{
	bool a_has_number = (*a)->d_name[0] == '.', b_has_number = (*b)->d_name[0] == '.';

	if (a_has_number != b_has_number)
		return a_has_number ? -1 : 1;
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static void
read_courier_changes(struct maildir_keywords *keywords, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, by_age);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		struct span base = span_from_string(name);

		if (name[0] == '.') {
			base = span_from(base, 1);
			base = span_from(base, span_find(base, '.') + 1);
		}
		if (base.length > 0 && name[0] != ':')
			read_courier_change(keywords, folder, name, base);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void
read_courier(struct maildir_keywords *keywords, const char *path, struct lines *lines)
{
	struct buffer folder = { 0 };

	keywords->lists = map_new();
	read_courier_list(keywords, lines);
	buffer_printf(&folder, "%s/courierimapkeywords", path);
	read_courier_changes(keywords, buffer_string(&folder));
	buffer_free(&folder);
}

void
maildir_keywords_read(struct maildir_keywords *keywords, const char *path)
{
	struct lines lines;

	if (lines_open(&lines, path, "dovecot-keywords")) {
		read_dovecot(keywords, &lines);
		lines_close(&lines);
	}
	if (lines_open(&lines, path, "courierimapkeywords/:list")) {
		read_courier(keywords, path, &lines);
		lines_close(&lines);
	}
}

void
maildir_keywords_free(struct maildir_keywords *keywords)
{
	size_t position = 0;
	void *list;
	struct span base;

	for (size_t i = 0; i < MAILDIR_LETTERS; i++)
		free(keywords->names[i]);
	while (keywords->lists != NULL && map_next(keywords->lists, &position, &base, &list)) {
		buffer_free(list);
		free(list);
	}
	map_free(&keywords->lists);
	*keywords = (struct maildir_keywords){ 0 };
}

struct span
maildir_keywords_of(const struct maildir_keywords *keywords, struct span base)
{
	const struct buffer *list = keywords->lists == NULL ? NULL : map_get(keywords->lists, base);

	return list == NULL ? (struct span){ NULL, 0 } : buffer_span(list);
}
