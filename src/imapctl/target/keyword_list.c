#include "keyword_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files.h"

/* In the order in which the letters stand in a name. */
static const struct {
	char letter;
	unsigned flag;
} letters[] = { { 'D', FLAG_DRAFT }, { 'F', FLAG_FLAGGED }, { 'P', FLAG_FORWARDED }, { 'R', FLAG_ANSWERED },
	{ 'S', FLAG_SEEN }, { 'T', FLAG_DELETED } };

static struct span
next_word(struct span *rest)
{
	size_t end = span_find(*rest, ' ');
	struct span word = span_slice(*rest, 0, end);

	*rest = span_from(*rest, end + 1);
	return word;
}

void
keyword_list_read(struct keyword_list *list, const char *folder)
{
	maildir_keywords_read(&list->known, folder);
	if (list->known.lists == NULL)
		list->known.lists = map_new();
}

void
keyword_list_free(struct keyword_list *list)
{
	maildir_keywords_free(&list->known);
	*list = (struct keyword_list){ 0 };
}

/* The number of a keyword's letter; MAILDIR_LETTERS: it has none. */
static size_t
find_letter(const struct keyword_list *list, struct span keyword)
{
	for (size_t i = 0; i < MAILDIR_LETTERS; i++) {
		if (list->known.names[i] != NULL &&
		    span_equals_nocase(span_from_string(list->known.names[i]), keyword))
			return i;
	}
	return MAILDIR_LETTERS;
}

/* Gives the keyword a letter, if one is left.  False: it has none. */
static bool
give_letter(struct keyword_list *list, struct span keyword)
{
	size_t number = 0;

	if (find_letter(list, keyword) < MAILDIR_LETTERS)
		return true;
	while (number < MAILDIR_LETTERS && list->known.names[number] != NULL)
		number++;
	if (number == MAILDIR_LETTERS)
		return false;
	list->known.names[number] = memory_copy_span(keyword);
	list->has_new_letters = true;
	return true;
}

/* Say in Courier's list what a message has; nothing when it needs no place there. */
static void
set_line(struct keyword_list *list, struct span base, struct span keywords)
{
	struct buffer *line = map_remove(list->known.lists, base);

	if (line == NULL && keywords.length == 0)
		return;
	list->has_new_lines = true;
	if (keywords.length == 0) {
		buffer_free(line);
		free(line);
		return;
	}
	if (line == NULL)
		line = NEW(struct buffer);
	buffer_clear(line);
	buffer_add_span(line, keywords);
	map_put(list->known.lists, base, line);
}

void
keyword_list_note(struct keyword_list *list, struct span base, unsigned flags, struct span keywords)
{
	bool has_letters = (flags & FLAG_FORWARDED) == 0 || give_letter(list, SPAN("$Forwarded"));
	struct span rest = keywords;

	while (rest.length > 0)
		has_letters &= give_letter(list, next_word(&rest));
	set_line(list, base, has_letters ? (struct span){ NULL, 0 } : keywords);
}

void
keyword_list_add_letters(const struct keyword_list *list, unsigned flags, struct span keywords, struct buffer *out)
{
	bool has[MAILDIR_LETTERS + 1] = { 0 };

	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if ((flags & letters[i].flag) != 0)
			buffer_add_octet(out, (uint8_t)letters[i].letter);
	}
	if ((flags & FLAG_FORWARDED) != 0)
		has[find_letter(list, SPAN("$Forwarded"))] = true;
	while (keywords.length > 0)
		has[find_letter(list, next_word(&keywords))] = true;
	for (size_t i = 0; i < MAILDIR_LETTERS; i++) {
		if (has[i])
			buffer_add_octet(out, (uint8_t)('a' + i));
	}
}

static void
read_letter(const struct keyword_list *list, uint8_t letter, struct message *message)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if (letters[i].letter == letter)
			message->flags |= letters[i].flag;
	}
	if (letter >= 'a' && letter <= 'z' && list->known.names[letter - 'a'] != NULL)
		message_add_keyword(message, span_from_string(list->known.names[letter - 'a']));
}

unsigned
keyword_list_read_letters(const struct keyword_list *list, struct span name, struct buffer *keywords_out)
{
	size_t base = span_find(name, ':');
	struct span info = span_from(name, base), line = maildir_keywords_of(&list->known, span_slice(name, 0, base));
	struct message message = { 0 };
	unsigned flags;

	for (size_t i = 3; span_starts_with(info, SPAN(":2,")) && i < info.length && info.at[i] != ','; i++)
		read_letter(list, info.at[i], &message);
	while (line.length > 0)
		message_add_keyword(&message, next_word(&line));
	buffer_add_span(keywords_out, buffer_span(&message.keywords));
	flags = message.flags;
	message_free(&message);
	return flags;
}

/* "0 $Label1" for the letter a, and so on. */
static bool
write_letters(const struct keyword_list *list, const char *folder)
{
	struct buffer path = { 0 }, text = { 0 };
	bool is_written;

	for (size_t i = 0; i < MAILDIR_LETTERS && list->known.names[i] != NULL; i++)
		buffer_printf(&text, "%zu %s\n", i, list->known.names[i]);
	files_add_path(&path, folder, "dovecot-keywords");
	is_written = files_replace(buffer_string(&path), buffer_span(&text));
	buffer_free(&path);
	buffer_free(&text);
	return is_written;
}

/* The number of a keyword among those that were met, from 0 on; a new one is put behind the others. */
static uintptr_t
number_of(struct map *numbers, struct span keyword, struct buffer *names)
{
	uintptr_t number = (uintptr_t)map_get(numbers, keyword);

	if (number == 0) {
		number = map_count(numbers) + 1;
		map_put(numbers, keyword, (void *)number);
		buffer_add_span(names, keyword);
		buffer_add_octet(names, '\n');
	}
	return number - 1;
}

static void
add_lines(const struct keyword_list *list, struct buffer *names, struct buffer *lines)
{
	struct map *numbers = map_new();
	size_t position = 0;
	struct span base;
	void *line;

	while (map_next(list->known.lists, &position, &base, &line)) {
		struct span rest = buffer_span(line);

		buffer_add_span(lines, base);
		for (char before = ':'; rest.length > 0; before = ' ')
			buffer_printf(lines, "%c%zu", before, (size_t)number_of(numbers, next_word(&rest), names));
		buffer_add_octet(lines, '\n');
	}
	map_free(&numbers);
}

/* The names, an empty line, then "file:0 3" with their numbers. */
static bool
write_lines(const struct keyword_list *list, const char *folder)
{
	struct buffer path = { 0 }, names = { 0 }, lines = { 0 };
	bool is_written;

	add_lines(list, &names, &lines);
	buffer_add_octet(&names, '\n');
	buffer_add_span(&names, buffer_span(&lines));
	files_add_path(&path, folder, "courierimapkeywords/:list");
	is_written = files_make_folder(folder, "courierimapkeywords") &&
	    files_replace(buffer_string(&path), buffer_span(&names));
	buffer_free(&path);
	buffer_free(&names);
	buffer_free(&lines);
	return is_written;
}

bool
keyword_list_write(struct keyword_list *list, const char *folder)
{
	if (list->has_new_letters && !write_letters(list, folder))
		return false;
	list->has_new_letters = false;
	if (list->has_new_lines && !write_lines(list, folder))
		return false;
	list->has_new_lines = false;
	return true;
}
