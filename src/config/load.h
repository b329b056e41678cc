/*
 * A configuration that is being read, as the files that read it share it.
 */
#ifndef LOAD_H
#define LOAD_H

#include "options.h"

#define INCLUDE_DEPTH 8

/* A file that is being read. */
struct source {
	const char *path;
	unsigned number;
	struct config_file_id id;
	unsigned controls;		/* lines that hold control characters */
};

struct load {
	struct config *config;
	config_reader *reader;
	void *context;
	struct config_problems *problems;
	struct source sources[INCLUDE_DEPTH];	/* the innermost last */
	unsigned depth;
	unsigned line;
	struct words words;
};

/* Say what is wrong at a column of the line. */
static inline void
load_complain(struct load *load, enum config_gravity gravity, unsigned column, const char *text)
{
	const struct source *source = &load->sources[load->depth - 1];

	config_complain_at(load->problems, gravity, source->path, source->number, load->line, column, text);
}

/* A word of the line, borrowed. */
static inline struct span
load_word(const struct load *load, size_t word)
{
	return buffer_span(&load->words.at[word].text);
}

/* Whether the line is part of a section, "listen {" and its like, which is told. */
bool line_has_section(struct load *load);

/*
 * The option of a line, or the one that is meant, so that its value is looked at all the same; what is wrong is told.
 *
 *	is_guess_out	it is not the name that stands there
 *
 * "include" is one, too.  NULL: there is none.
 */
const char *line_find_name(struct load *load, bool *is_guess_out);

/* Take "name = value" and "name =value" for what they mean, which is told. */
void line_drop_equals(struct load *load, const char *name);

#endif
