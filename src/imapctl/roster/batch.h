/*
 * The lines of a file, some hundred of them in each call of a verb that says what has become of each.
 */
#ifndef IMAPCTL_ROSTER_BATCH_H
#define IMAPCTL_ROSTER_BATCH_H

#include "base/map.h"
#include "file.h"
#include "tell.h"

#define BATCH_LINES 500

struct batch {
	const struct order *order;
	const char *verb;		/* of the server */
	struct ctl *ctl;
	struct tell tell;
	struct arena *arena;		/* of the names */
	struct map *names;		/* in lower case, with no value of their own */
	struct buffer body;		/* of the next call; wiped */
	struct told told[BATCH_LINES];	/* whose lines these are */
	size_t count;
	int code;			/* not EX_OK: it makes no sense to go on */
};

/* Begin for an order whose first word is a file; the memory is zeroed. */
void batch_init(struct batch *batch, const struct order *order, const char *verb);
void batch_fini(struct batch *batch);

/* Connect.  EX_OK, or what is wrong was said. */
int batch_open(struct batch *batch);

/* Whether a name stood on a line before; else it is noted.  ASCII letters count without their case. */
bool batch_was_seen(struct batch *batch, struct span name);

/* Add what the server is told of a line, which ends with a line feed; what comes together is sent. */
void batch_add(struct batch *batch, struct span line, uint64_t number, struct span name);

/*
 * Take each line of a file.  Gives the exit code; what is wrong was said.
 *
 *	take	is not called for lines that are too long, of which is told
 */
typedef void batch_line(struct span line, uint64_t number, void *context);
int batch_read(struct batch *batch, struct roster_file *file, batch_line *take, void *context);

/* Send what is left.  Gives the exit code; what is wrong was said. */
int batch_end(struct batch *batch);

#endif
