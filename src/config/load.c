/*
 * From the text of imapd.conf and what it includes to struct config, collecting all that is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "options.h"

#define FILE_SIZE_MAX	(1 << 20)
#define INCLUDE_DEPTH	8
#define WORDS_MAX	(OPTION_VALUES_MAX + 2)	/* a name, its values, and one that is too many */

struct word {
	struct buffer text;
	unsigned column;	/* from 1 */
};

struct load {
	struct config *config;
	config_reader *reader;
	void *context;
	struct buffer *errors;
	bool has_failed;
	const char *files[INCLUDE_DEPTH];	/* the file being read, last, and those that include it */
	unsigned depth;
	unsigned line;
	struct word words[WORDS_MAX];
	size_t count;
};

static void read_file(struct load *load, const char *path, unsigned column);

/* Begin a line of errors. */
static void
begin_error(struct load *load, unsigned column)
{
	load->has_failed = true;
	buffer_printf(load->errors, "%s:%u:%u: ", load->files[load->depth - 1], load->line, column);
}

static void
fail(struct load *load, unsigned column, const char *reason)
{
	begin_error(load, column);
	buffer_printf(load->errors, "%s\n", reason);
}

/* Read a word in quotes, whose first one is at *at; leaves *at behind the last. */
static bool
take_quoted(struct load *load, struct span line, size_t *at, struct buffer *out)
{
	size_t start = (*at)++;

	while (*at < line.length && line.at[*at] != '"') {
		if (line.at[*at] == '\\' && *at + 1 < line.length)
			(*at)++;
		buffer_add_octet(out, line.at[(*at)++]);
	}
	if (*at == line.length) {
		fail(load, (unsigned)start + 1, "the quotation mark is not closed");
		return false;
	}
	(*at)++;
	return true;
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* Cut a line into words; false when an error has been reported. */
static bool
split(struct load *load, struct span line)
{
	size_t at = 0;

	for (load->count = 0;;) {
		struct word *word = &load->words[load->count];

		while (at < line.length && is_blank(line.at[at]))
			at++;
		if (at == line.length || line.at[at] == '#')
			return true;
		if (load->count == WORDS_MAX - 1) {
			fail(load, (unsigned)at + 1, "too many words");
			return false;
		}
		buffer_clear(&word->text);
		word->column = (unsigned)at + 1;
		if (line.at[at] == '"') {
			if (!take_quoted(load, line, &at, &word->text))
				return false;
		} else {
			while (at < line.length && !is_blank(line.at[at]))
				buffer_add_octet(&word->text, line.at[at++]);
		}
		load->count++;
	}
}

/* A path that is not absolute begins at the folder of the including file. */
static char *
resolve(struct load *load, struct span path)
{
	const char *file = load->files[load->depth - 1], *slash = strrchr(file, '/');
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
	unsigned line = load->line, column = load->words[1].column;
	char *path;

	if (load->count != 2 || load->words[1].text.length == 0) {
		fail(load, load->words[0].column, "include takes the name of one file");
		return;
	}
	path = resolve(load, buffer_span(&load->words[1].text));
	read_file(load, path, column);
	free(path);
	load->line = line;
}

static void
fail_unknown(struct load *load, const struct word *name)
{
	struct suggestion suggestion = { 0 };

	suggestion_consider(&suggestion, buffer_span(&name->text), "include");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		suggestion_consider(&suggestion, buffer_span(&name->text), options[i].name);
	begin_error(load, name->column);
	buffer_printf(load->errors, "there is no option \"%.*s\"",
	    SPAN_ARGS(buffer_span(&name->text)));
	suggestion_print(&suggestion, load->errors);
	buffer_add_octet(load->errors, '\n');
}

/* Remember where an option was set; false when it was set before and may be only once. */
static bool
note_place(struct load *load, size_t index)
{
	struct config_places *places = load->config->places;

	if (places->at[index].file != NULL) {
		if (option_is_repeatable(&options[index]))
			return true;
		begin_error(load, load->words[0].column);
		buffer_printf(load->errors, "%s is set in %s:%u already\n", options[index].name,
		    places->at[index].file, places->at[index].line);
		return false;
	}
	places->at[index].file = memory_copy_string(load->files[load->depth - 1]);
	places->at[index].line = load->line;
	places->at[index].column = load->words[0].column;
	return true;
}

/* What to write instead of the wrong number of words. */
static const char *
expected_words(const struct option *option)
{
	switch (option->kind) {
	case LISTEN:
		return "listen takes imap or imaps, an address, and perhaps proxy";
	case DIRECTORY:
		return "directory takes sqlite, or ldap and its servers, or link and a mailbox server";
	case CERTIFICATE:
		return "tls-certificate-for takes a server's name, a certificate and its key";
	case MASK:
		return "capability-mask takes capabilities, and perhaps user=, address= and id=";
	case WORDS:
		return "the option takes one or more of its words";
	case NAMES:
		return "deny-users takes names of users, up to 64 in a line";
	case SERVER:
		return "mailbox-server takes a name and an address";
	default:
		return "the option takes one value; put quotation marks around spaces";
	}
}

static void
set(struct load *load)
{
	size_t index = option_find(buffer_span(&load->words[0].text)), wrong;
	struct span values[OPTION_VALUES_MAX] = { { NULL, 0 } };
	struct buffer reason = { 0 };

	if (index == OPTION_COUNT) {
		fail_unknown(load, &load->words[0]);
		return;
	}
	if (!option_takes(&options[index], load->count - 1)) {
		fail(load, load->words[0].column, expected_words(&options[index]));
		return;
	}
	for (size_t i = 0; i < load->count - 1; i++)
		values[i] = buffer_span(&load->words[i + 1].text);
	if (note_place(load, index) &&
	    !option_set(&options[index], load->config, values, load->count - 1, &wrong, &reason))
		fail(load, load->words[wrong + 1].column, buffer_string(&reason));
	buffer_free(&reason);
}

static void
read_line(struct load *load, struct span line)
{
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	for (size_t at = 0; at < line.length; at++) {
		if (line.at[at] >= ' ' || line.at[at] == '\t')
			continue;
		fail(load, (unsigned)at + 1, "a control character");
		return;
	}
	if (!split(load, line) || load->count == 0)
		return;
	if (span_equals(buffer_span(&load->words[0].text), SPAN("include")))
		include(load);
	else
		set(load);
}

static bool
may_include(struct load *load, const char *path, unsigned column)
{
	for (unsigned i = 0; i < load->depth; i++) {
		if (strcmp(load->files[i], path) == 0) {
			fail(load, column, "the file includes itself");
			return false;
		}
	}
	if (load->depth == INCLUDE_DEPTH) {
		fail(load, column, "too many files include each other");
		return false;
	}
	return true;
}

/* Read one file; column is that of its name in the including line, 0 for the first file. */
static void
read_file(struct load *load, const char *path, unsigned column)
{
	struct buffer text = { 0 };
	const char *reason = "cannot be read";
	struct span rest;

	if (!may_include(load, path, column))
		return;
	if (!load->reader(load->context, path, &text, &reason)) {
		load->has_failed = true;
		if (column > 0)
			begin_error(load, column);
		buffer_printf(load->errors, "%s: %s\n", path, reason);
		buffer_free(&text);
		return;
	}
	load->files[load->depth++] = path;
	load->line = 0;
	for (rest = buffer_span(&text); rest.length > 0;) {
		struct span line = span_slice(rest, 0, span_find(rest, '\n'));

		load->line++;
		read_line(load, line);
		rest = span_from(rest, line.length + 1);
	}
	load->depth--;
	buffer_free(&text);
}

/* The table's own text goes the way of a file's, and is always right. */
static void
set_fallback(const struct option *option, struct config *config)
{
	struct span rest = span_from_string(option->fallback);
	struct buffer reason = { 0 };
	size_t wrong;

	while (rest.length > 0) {
		struct span value = span_slice(rest, 0, span_find(rest, ';'));
		size_t space = span_find(value, ' ');
		struct span values[OPTION_VALUES_MAX] = { span_slice(value, 0, space),
			span_from(value, space + 1) };

		if (!option_set(option, config, values, space < value.length ? 2 : 1, &wrong, &reason))
			abort();
		rest = span_from(rest, value.length + 1);
	}
	buffer_free(&reason);
}

static void
set_fallbacks(struct config *config)
{
	char name[HOST_NAME_MAX + 1] = "localhost";

	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (config->places->at[i].file == NULL && options[i].fallback != NULL)
			set_fallback(&options[i], config);
	if (config->hostname == NULL) {
		gethostname(name, sizeof name - 1);
		config->hostname = memory_copy_string(name);
	}
}

struct config *
config_load(const char *path, config_reader *reader, void *context, struct buffer *errors_out)
{
	struct load load = { .reader = reader, .context = context, .errors = errors_out };

	load.config = NEW(struct config);
	load.config->places = NEW(struct config_places);
	read_file(&load, path, 0);
	for (size_t i = 0; i < WORDS_MAX; i++)
		buffer_free(&load.words[i].text);
	set_fallbacks(load.config);
	if (load.has_failed)
		config_free(&load.config);
	return load.config;
}

void
config_free(struct config **config)
{
	if (*config == NULL)
		return;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		option_fini(&options[i], *config);
		free((*config)->places->at[i].file);
	}
	free((*config)->places);
	free(*config);
	*config = NULL;
}

bool
config_read_file(void *context, const char *path, struct buffer *text_out, const char **reason_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = -1;

	(void)context;
	while (file >= 0 && text_out->length <= FILE_SIZE_MAX) {
		count = read(file, buffer_reserve(text_out, 4096), 4096);
		if (count <= 0)
			break;
		text_out->length += (size_t)count;
	}
	if (count < 0)
		*reason_out = strerror(errno);
	else if (count > 0)
		*reason_out = "longer than 1 MiB";
	if (file >= 0)
		close(file);
	return count == 0;
}
