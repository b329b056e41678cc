/*
 * The options of verbs: one table, from which come reading, help and completion.
 */
#ifndef IMAPCTL_OPTIONS_H
#define IMAPCTL_OPTIONS_H

#include "order.h"

/* One option, as a user types it. */
struct option_words {
	const char *name;	/* without dashes */
	const char *value;	/* what it takes, as in a usage; NULL: nothing */
	const char *otherwise;	/* what it means without "=value"; NULL: it must have one, or takes none */
	const char *purpose;
};

extern const struct option_words order_options[OPTION_COUNT];

/* An option's other name, behind one dash; NUL: it has none. */
char order_option_letter(enum order_option option);

/*
 * Read a command line: given, values, words and word_count are set, and config_path, is_help and is_version where they
 * are said.  To be freed by order_fini().
 *
 * False: something is wrong.  It was said, and the rest was read all the same, since --json says how it is told.
 */
bool order_read(struct order *order, int argc, char **argv);

void order_fini(struct order *order);

#endif
