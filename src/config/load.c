/*
 * From the text of imapd.conf and what it includes to struct config, collecting all that is wrong.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "load.h"

#define CONTROLS_MAX 3	/* lines with control characters: more is no text */

static bool read_file(struct load *load, const char *path, unsigned column);

/* A path that is not absolute begins at the folder of the including file. */
static char *
resolve(struct load *load, struct span path)
{
	const char *file = load->sources[load->depth - 1].path, *slash = strrchr(file, '/');
	struct buffer out = { 0 };
	char *resolved;

	if (path.at[0] != '/' && slash != NULL)
		buffer_add(&out, file, (size_t)(slash - file) + 1);
	buffer_add_span(&out, path);
	resolved = memory_copy_span(buffer_span(&out));
	buffer_free(&out);
	return resolved;
}

static void
include(struct load *load)
{
	unsigned line = load->line, column;
	char *path;

	if (load->words.count != 2 || load_word(load, 1).length == 0) {
		load_complain(load, CONFIG_WRONG, load->words.at[load->words.count > 2 ? 2 : load->words.count - 1].column,
		    "include takes the name of one file");
		return;
	}
	column = load->words.at[1].column;
	path = resolve(load, load_word(load, 1));
	read_file(load, path, column);
	free(path);
	load->line = line;
}

static const struct config_place *
new_place(struct load *load, size_t option)
{
	struct config_places *places = load->config->places;
	struct config_place *place = memory_new(sizeof *place + load->words.count * sizeof place->columns[0]);

	place->file = load->sources[load->depth - 1].path;
	place->file_number = load->sources[load->depth - 1].number;
	place->line = load->line;
	place->count = (unsigned)load->words.count;
	for (size_t i = 0; i < load->words.count; i++)
		place->columns[i] = load->words.at[i].column;
	place->option = option;
	*places->end = place;
	places->end = &place->next;
	return place;
}

/* Remember where an option was set; false when it was set before and may be only once. */
static bool
note_place(struct load *load, size_t index, const struct config_place *place, bool is_guess)
{
	struct config_places *places = load->config->places;
	const struct config_place *before = places->at[index].place;

	if (before == NULL || (places->at[index].is_guess && !is_guess)) {
		places->at[index].place = place;
		places->at[index].is_guess = is_guess;
		return true;
	}
	if (!option_is_repeatable(&options[index]) && !is_guess)
		config_complain(load->problems, CONFIG_WRONG, place, 0, "%s is set in %s:%u already",
		    options[index].name, before->file, before->line);
	return option_is_repeatable(&options[index]);
}

static void
set_values(struct load *load, struct config *config, size_t index, const struct config_place *place)
{
	struct config_places *places = load->config->places;
	struct span values[OPTION_VALUES_MAX] = { { NULL, 0 } };
	struct buffer reason = { 0 };
	struct setting setting = { &options[index], config, place, values, load->words.count - 1, load->problems, 0, &reason,
		false };

	for (size_t i = 0; i < setting.count && i < OPTION_VALUES_MAX; i++)
		values[i] = load_word(load, i + 1);
	if (!option_takes(&setting) || !option_set(&setting)) {
		setting_blame(&setting, 0);	/* the last one, too */
		if (config == load->config) {
			places->at[index].is_wrong = true;
			places->at[index].is_meant = setting.is_meant;
		}
	}
	buffer_free(&reason);
}

/* What was set before stays; but whoever takes out that line instead shall know all of this one. */
static void
look_at_values(struct load *load, size_t index, const struct config_place *place)
{
	struct config scratch = { 0 };

	set_values(load, &scratch, index, place);
	option_fini(&options[index], &scratch);
}

/* A line with words. */
static void
set(struct load *load)
{
	const struct config_place *place;
	const char *name;
	bool is_guess;
	size_t index;

	if (line_has_section(load) || (name = line_find_name(load, &is_guess)) == NULL)
		return;
	line_drop_equals(load, name);
	index = option_find(span_from_string(name));
	if (index == OPTION_COUNT) {
		include(load);
		return;
	}
	place = new_place(load, index);
	if (note_place(load, index, place, is_guess))
		set_values(load, load->config, index, place);
	else
		look_at_values(load, index, place);
}

/* A space that is none counts as one, which is told: nobody sees the difference. */
static struct span
replace_blanks(struct load *load, struct span line, struct buffer *copy)
{
	size_t length = 0;
	unsigned column;

	while ((column = words_find_blank(line, &length)) > 0) {
		load_complain(load, CONFIG_WRONG, column, "what looks like a space here is none, but another character; type it "
		    "anew");
		if (copy->length == 0)
			buffer_add_span(copy, line);
		memset(copy->at + column - 1, ' ', length);
		line = buffer_span(copy);
	}
	return line;
}

/* "name value \\" */
static void
drop_backslash(struct load *load)
{
	struct word *last = &load->words.at[load->words.count - 1];

	if (load->words.count < 2 || last->is_quoted || last->text.length == 0 || last->text.at[last->text.length - 1] != '\\')
		return;
	load_complain(load, CONFIG_WRONG, last->column + (unsigned)last->text.length - 1, "a line ends where it ends: no backslash "
	    "joins the next one to it");
	if (--last->text.length == 0)
		words_remove(&load->words, load->words.count - 1);
}

static void
read_words(struct load *load, struct span line)
{
	const char *reason;
	unsigned column;

	if (!words_split(&load->words, line, &column, &reason)) {
		load_complain(load, CONFIG_WRONG, column, reason);
	} else if (!words_are_utf8(&load->words, &column)) {
		load_complain(load, CONFIG_WRONG, column, "this is not UTF-8; save the file as UTF-8");
	} else if (load->words.count > 0) {
		drop_backslash(load);
		set(load);
	}
}

static void
read_line(struct load *load, struct span line)
{
	struct buffer copy = { 0 };
	const char *reason;
	unsigned column;

	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (words_find_control(line, &column, &reason)) {
		load->sources[load->depth - 1].controls++;
		load_complain(load, CONFIG_WRONG, column, reason);
	} else {
		read_words(load, replace_blanks(load, line, &copy));
	}
	buffer_free(&copy);
}

/*
 * Whether a text is a configuration, without the mark that Windows' editors put before a text (Unicode 15.0 section
 * 23.8).  False, told: it is a key or the like, of which nothing may be shown, or cannot be read.
 */
static bool
is_configuration(struct load *load, struct span *text)
{
	load->line = 1;
	if (span_starts_with(*text, SPAN("-----BEGIN "))) {
		load_complain(load, CONFIG_WRONG, 1, "the file is PEM, and no configuration");
		return false;
	}
	if (span_starts_with(*text, SPAN("\xff\xfe")) || span_starts_with(*text, SPAN("\xfe\xff"))) {
		load_complain(load, CONFIG_WRONG, 1, "the file is in UTF-16; save it as UTF-8");
		return false;
	}
	if (span_starts_with(*text, SPAN("\xef\xbb\xbf"))) {
		load_complain(load, CONFIG_WARNING, 1, "the file begins with a byte order mark, which is skipped; save it "
		    "without");
		*text = span_from(*text, 3);
	}
	return true;
}

static void
read_lines(struct load *load, struct span rest)
{
	if (!is_configuration(load, &rest))
		return;
	for (load->line = 0; rest.length > 0 && load->sources[load->depth - 1].controls < CONTROLS_MAX;) {
		struct span line = span_slice(rest, 0, span_find(rest, '\n'));

		load->line++;
		read_line(load, line);
		rest = span_from(rest, line.length + 1);
	}
}

static bool
is_open(const struct load *load, const struct source *source)
{
	for (unsigned i = 0; i < load->depth; i++) {
		const struct config_file_id *id = &load->sources[i].id;

		if (strcmp(load->sources[i].path, source->path) == 0 || (id->inode != 0 &&
			id->inode == source->id.inode && id->device == source->id.device))
			return true;
	}
	return false;
}

/* The path, for as long as the configuration lives. */
static const char *
keep_path(struct load *load, const char *path, unsigned *number_out)
{
	struct config_places *places = load->config->places;

	*number_out = places->file_count++;
	places->files = memory_resize(places->files, places->file_count, sizeof *places->files);
	return places->files[*number_out] = memory_copy_string(path);
}

static void
complain_of_file(struct load *load, const char *path, unsigned column, const char *reason)
{
	struct buffer text = { 0 };

	if (column > 0)
		buffer_printf(&text, "%s: ", path);
	buffer_add_string(&text, reason);
	if (column > 0 && strpbrk(path, "*?[") != NULL)
		buffer_add_string(&text, "; include reads one file and knows no patterns");
	if (column == 0)
		buffer_add_string(&text, "; --config names another one");
	if (column > 0)
		load_complain(load, CONFIG_WRONG, column, buffer_string(&text));
	else
		config_complain_at(load->problems, CONFIG_WRONG, path, 0, 0, 0, buffer_string(&text));
	buffer_free(&text);
}

/* Read one file; column is that of its name in the including line, 0 for the first file.  False: it cannot be read. */
static bool
read_file(struct load *load, const char *path, unsigned column)
{
	struct source source = { path, 0, { 0, 0 }, 0 };
	struct buffer text = { 0 };
	const char *reason = NULL;

	if (load->depth == INCLUDE_DEPTH)
		reason = "files that include each other are too deep, above 8";
	else if (!load->reader(load->context, path, &text, &source.id, &reason) && reason == NULL)
		reason = "cannot be read";
	else if (reason == NULL && is_open(load, &source))
		reason = "the file includes itself";
	if (reason != NULL) {
		complain_of_file(load, path, column, reason);
		buffer_free(&text);
		return false;
	}
	source.path = keep_path(load, path, &source.number);
	load->sources[load->depth++] = source;
	read_lines(load, buffer_span(&text));
	load->depth--;
	buffer_free(&text);
	return true;
}

/* The table's own text goes the way of a file's, and is always right. */
static void
set_fallback(const struct option *option, struct config *config)
{
	struct span rest = span_from_string(option->fallback);
	struct buffer reason = { 0 };

	while (rest.length > 0) {
		struct span value = span_slice(rest, 0, span_find(rest, ';'));
		size_t space = option->kind == FOLDER ? value.length : span_find(value, ' ');
		struct span values[] = { span_slice(value, 0, space), span_from(value, space + 1) };
		struct setting setting = { option, config, NULL, values, space < value.length ? 2 : 1, NULL, 0, &reason,
			false };

		if (!option_set(&setting))
			abort();
		rest = span_from(rest, value.length + 1);
	}
	buffer_free(&reason);
}

/* Of what was said wrongly, too, so that nothing has to expect what is not there; but lists stay as they are. */
static void
set_fallbacks(struct config *config)
{
	char name[HOST_NAME_MAX + 1] = "localhost";

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		bool is_list = option_is_repeatable(&options[i]) || options[i].kind == DIRECTORY;

		if (options[i].fallback != NULL && (config->places->at[i].place == NULL ||
			(config->places->at[i].is_wrong && !config->places->at[i].is_meant && !is_list)))
			set_fallback(&options[i], config);
	}
	if (config->hostname == NULL) {
		gethostname(name, sizeof name - 1);
		config->hostname = memory_copy_string(name);
	}
}

struct config *
config_load(const char *path, config_reader *reader, void *context, struct config_problems *problems_out)
{
	struct load load = { .reader = reader, .context = context, .problems = problems_out };

	load.config = NEW(struct config);
	load.config->places = NEW(struct config_places);
	load.config->places->end = &load.config->places->all;
	if (problems_out->first_file == NULL)
		problems_out->first_file = memory_copy_string(path);
	if (read_file(&load, path, 0))
		set_fallbacks(load.config);
	else
		config_free(&load.config);
	words_free(&load.words);
	return load.config;
}

static bool
read_nothing(void *context, const char *path, struct buffer *text_out, struct config_file_id *id_out, const char **reason_out)
{
	(void)context, (void)path, (void)text_out, (void)id_out, (void)reason_out;
	return true;
}

struct config *
config_defaults(void)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load("", read_nothing, NULL, &problems);

	config_problems_free(&problems);
	return config;
}

static void
free_places(struct config_places *places)
{
	while (places->all != NULL) {
		struct config_place *place = places->all;

		places->all = place->next;
		free(place);
	}
	for (unsigned i = 0; i < places->file_count; i++)
		free(places->files[i]);
	free(places->files);
	free(places);
}

void
config_free(struct config **config)
{
	if (*config == NULL)
		return;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		option_fini(&options[i], *config);
	free_places((*config)->places);
	free(*config);
	*config = NULL;
}
