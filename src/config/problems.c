/*
 * The list of what is wrong.  Pure.
 */
#include "config/problems.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

#define PROBLEMS_MAX 1000	/* of a kind; whoever checks a picture by mistake has seen enough by then */
#define QUOTED_MAX 80

static bool
is_known(const struct config_problems *problems, const struct config_problem *wanted)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->at[i];

		if (problem->line == wanted->line && problem->column == wanted->column &&
		    (problem->file == NULL) == (wanted->file == NULL) &&
		    (problem->file == NULL || strcmp(problem->file, wanted->file) == 0) &&
		    strcmp(problem->text, wanted->text) == 0)
			return true;
	}
	return false;
}

void
config_complain_at(struct config_problems *problems, enum config_gravity gravity, const char *file,
    unsigned file_number, unsigned line, unsigned column, const char *text)
{
	struct config_problem problem = { gravity, (char *)(uintptr_t)file, file_number, line, column,
		(char *)(uintptr_t)text };

	if (config_problems_count(problems, gravity) == PROBLEMS_MAX || is_known(problems, &problem))
		return;
	problem.file = file == NULL ? NULL : memory_copy_string(file);
	problem.text = memory_copy_string(text);
	problems->at = memory_resize(problems->at, problems->count + 1, sizeof *problems->at);
	problems->at[problems->count++] = problem;
}

static unsigned
column_of(const struct config_place *place, unsigned word)
{
	return word < place->count ? place->columns[word] : place->columns[0];
}

void
config_complain(struct config_problems *problems, enum config_gravity gravity, const struct config_place *place,
    unsigned word, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	if (place != NULL)
		config_complain_at(problems, gravity, place->file, place->file_number, place->line,
		    column_of(place, word), text);
	else
		config_complain_at(problems, gravity, problems->first_file, 0, 1, 1, text);
	free(text);
}

size_t
config_problems_count(const struct config_problems *problems, enum config_gravity gravity)
{
	size_t count = 0;

	for (size_t i = 0; i < problems->count; i++)
		count += problems->at[i].gravity == gravity;
	return count;
}

static bool
is_before(const struct config_problem *a, const struct config_problem *b)
{
	if ((a->file == NULL) != (b->file == NULL))
		return a->file == NULL;
	if (a->file_number != b->file_number)
		return a->file_number < b->file_number;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* By insertion: those of one place stay in the order in which they were found. */
void
config_problems_sort(struct config_problems *problems)
{
	for (size_t i = 1; i < problems->count; i++) {
		struct config_problem problem = problems->at[i];
		size_t at = i;

		for (; at > 0 && is_before(&problem, &problems->at[at - 1]); at--)
			problems->at[at] = problems->at[at - 1];
		problems->at[at] = problem;
	}
}

void
config_problem_print(const struct config_problem *problem, struct buffer *out)
{
	if (problem->file != NULL)
		buffer_printf(out, "%s:", problem->file);
	if (problem->file != NULL && problem->line > 0)
		buffer_printf(out, "%u:%u:", problem->line, problem->column);
	buffer_printf(out, "%s%s%s", problem->file == NULL ? "" : " ",
	    problem->gravity == CONFIG_WARNING ? "warning: " : "", problem->text);
}

void
config_problems_print(const struct config_problems *problems, struct buffer *out)
{
	for (size_t i = 0; i < problems->count; i++) {
		config_problem_print(&problems->at[i], out);
		buffer_add_octet(out, '\n');
	}
}

void
config_problems_free(struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->at[i].file);
		free(problems->at[i].text);
	}
	free(problems->at);
	free(problems->first_file);
	*problems = (struct config_problems){ NULL, 0, NULL };
}

void
config_quote(struct buffer *out, struct span text)
{
	struct span shown = span_slice(text, 0, QUOTED_MAX);

	while (shown.length < text.length && shown.length > 0 && (text.at[shown.length] & 0xc0) == 0x80)
		shown.length--;		/* no half of a character in UTF-8 */
	buffer_add_octet(out, '"');
	for (size_t i = 0; i < shown.length; i++) {
		if (shown.at[i] < ' ' || shown.at[i] == 0x7f)
			buffer_printf(out, "\\x%02x", shown.at[i]);
		else
			buffer_add_octet(out, shown.at[i]);
	}
	buffer_add_string(out, shown.length < text.length ? "...\"" : "\"");
}
