/*
 * What an import tells its operator: each message that stayed out, at once, and the sums at the end.
 */
#ifndef IMAPCTL_REPORT_H
#define IMAPCTL_REPORT_H

#include "../source/source.h"

struct report_box;

struct report {
	bool is_dry;		/* nothing is changed: imported is what would be */
	struct report_box *boxes;	/* of a dry run: what would come into each mailbox */
	size_t box_count;
	struct buffer *json;	/* of the order; NULL: the sums are a line for people */
	uint64_t imported;
	uint64_t already;	/* was there before */
	uint64_t refused;	/* by the server, or because it is no mail */
	uint64_t unreadable;
	uint64_t changed;	/* by --mirror: flags */
	uint64_t expunged;	/* likewise */
	bool is_comparison;	/* nothing was imported: compared and differing are the sums */
	uint64_t compared, differing;
	struct buffer refusals;	/* JSON objects, separated by commas */
	struct buffer differences;	/* likewise */
};

void report_free(struct report *report);

/* Say what a path was taken for, when the order has left that open. */
void report_what(const struct report *report, const char *path, const struct source *source, bool is_guess);

/*
 * Count for a dry run.
 *
 *	mailbox	modified UTF-7
 */
void report_would(struct report *report, struct span mailbox, uint64_t imported, uint64_t already);

/* Say on standard error that a message was not imported, and why, and keep it for the end. */
void report_refusal(struct report *report, struct span origin, struct span reason);

/* Print on standard output how a message differs from its source, or keep it for the JSON. */
void report_difference(struct report *report, struct span origin, struct span what);

/*
 * Print the sums as one line on standard output, or add them to the JSON, and the source's notes on standard
 * error.
 */
void report_print(const struct report *report, const struct source *source);

/* What all this means for the exit code, when the source was read to its end. */
int report_code(const struct report *report, const struct source *source);

#endif
