/*
 * What is wrong with a configuration, each with the place in a file where it was said.  Any thread, one at a
 * time.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdarg.h>

#include "base/buffer.h"

/* A line of a file that sets an option; it lives as long as its configuration. */
struct config_place;

enum config_gravity {
	CONFIG_WARNING,		/* the server can work with it, or may later without a change */
	CONFIG_WRONG,
};

struct config_problem {
	enum config_gravity gravity;
	char *file;		/* NULL: what was said on the command line */
	unsigned file_number;	/* in the order in which files were read */
	unsigned line, column;	/* from 1, columns count octets; 0: the file as a whole */
	char *text;		/* what is wrong, perhaps "; " and what to do */
};

/* Zeroed, it holds none. */
struct config_problems {
	struct config_problem *at;
	size_t count;
	char *first_file;	/* where an option stands that is in no file: there at 1:1 */
};

/*
 * Note a problem; the same again at the same place is left out.
 *
 *	place	NULL: no line says it, the first file as a whole does
 *	word	which one of the line: 0 the option, from 1 on its values
 */
void config_complain(struct config_problems *problems, enum config_gravity gravity,
    const struct config_place *place, unsigned word, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Note what is wrong at any column of a line; file NULL and line 0 as in struct config_problem. */
void config_complain_at(struct config_problems *problems, enum config_gravity gravity, const char *file,
    unsigned file_number, unsigned line, unsigned column, const char *text);

size_t config_problems_count(const struct config_problems *problems, enum config_gravity gravity);

/* Put them in the order of files, lines and columns. */
void config_problems_sort(struct config_problems *problems);

/* Append "file:line:column: what is wrong", with "warning: " before the text of a warning; no line end. */
void config_problem_print(const struct config_problem *problem, struct buffer *out);

/* Append all of them, a line each, and nothing for none. */
void config_problems_print(const struct config_problems *problems, struct buffer *out);

/* Empties it. */
void config_problems_free(struct config_problems *problems);

/* Append text of somebody else's in quotation marks: cut when long, and without what a terminal would obey. */
void config_quote(struct buffer *out, struct span text);

#endif
