#include "eml_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "imap/flags.h"
#include "lines.h"

#define FIRST_WORD "imapd-messages 1"

static const struct {
	struct span name;
	unsigned flag;
} flag_names[] = { { SPAN("\\Answered"), FLAG_ANSWERED }, { SPAN("\\Flagged"), FLAG_FLAGGED },
	{ SPAN("\\Deleted"), FLAG_DELETED }, { SPAN("\\Seen"), FLAG_SEEN }, { SPAN("\\Draft"), FLAG_DRAFT },
	{ SPAN("$Forwarded"), FLAG_FORWARDED } };

static void
read_line(struct eml_list *list, struct span line)
{
	size_t end = span_find(line, '\t');

	if (end < line.length)
		free(map_put(list->lines, span_slice(line, 0, end), memory_copy_span(span_from(line, end + 1))));
}

void
eml_list_read(struct eml_list *list, const char *folder)
{
	struct lines lines;
	struct span line;
	uint64_t number;

	if (!lines_open(&lines, folder, EML_LIST_NAME))
		return;
	if (lines_next(&lines, &line) && span_starts_with(line, SPAN(FIRST_WORD "\t")) &&
	    span_to_number(span_from(line, sizeof FIRST_WORD), UINT32_MAX, &number)) {
		list->uidvalidity = (uint32_t)number;
		list->lines = map_new();
		while (lines_next(&lines, &line))
			read_line(list, line);
	}
	lines_close(&lines);
}

static void
take_word(struct message *message, struct span word)
{
	for (size_t i = 0; i < COUNT_OF(flag_names); i++) {
		if (span_equals_nocase(word, flag_names[i].name)) {
			message->flags |= flag_names[i].flag;
			return;
		}
	}
	message_add_keyword(message, word);
}

bool
eml_list_take(const struct eml_list *list, struct span file, struct message *message)
{
	const char *line = list->lines == NULL ? NULL : map_get(list->lines, file);
	struct span words;
	int end = 0;

	if (line == NULL || sscanf(line, "%20" SCNd64 "\t%n", &message->date_s, &end) != 1)
		return false;
	message->has_date = true;
	for (words = span_from_string(line + end); words.length > 0; words = span_from(words, span_find(words, ' ') + 1))
		take_word(message, span_slice(words, 0, span_find(words, ' ')));
	return true;
}

void
eml_list_write_first(uint32_t uidvalidity, struct buffer *out)
{
	buffer_printf(out, FIRST_WORD "\t%u\n", uidvalidity);
}

void
eml_list_write(const char *file, int64_t date_s, unsigned flags, struct span keywords, struct buffer *out)
{
	char before = '\t';

	buffer_printf(out, "%s\t%lld", file, (long long)date_s);
	for (size_t i = 0; i < COUNT_OF(flag_names); i++) {
		if ((flags & flag_names[i].flag) != 0)
			buffer_printf(out, "%c%.*s", before, SPAN_ARGS(flag_names[i].name));
		before = (flags & flag_names[i].flag) != 0 ? ' ' : before;
	}
	if (keywords.length > 0 || before == '\t')
		buffer_printf(out, "%c%.*s", before, SPAN_ARGS(keywords));
	buffer_add_octet(out, '\n');
}

void
eml_list_free(struct eml_list *list)
{
	size_t position = 0;
	struct span file;
	void *line;

	while (list->lines != NULL && map_next(list->lines, &position, &file, &line))
		free(line);
	map_free(&list->lines);
	*list = (struct eml_list){ 0 };
}
