/*
 * The operator's terminal, if there is one: secrets, questions, and a line that moves.
 */
#ifndef IMAPCTL_TERMINAL_H
#define IMAPCTL_TERMINAL_H

#include "base/buffer.h"

/*
 * Read a password: asked twice without echo on a terminal, else the first line of standard input
 * without its line end.  False: what is wrong was said.  The caller wipes the buffer.
 */
bool terminal_password(const char *user, struct buffer *password_out);

#define TERMINAL_SECRET_MAX 16384	/* octets of a line: a token is longer than a password */

/*
 * Read somebody else's password or token: asked once without echo on a terminal, else the first line of standard input
 * without its line end.  False: what is wrong was said.  The caller wipes the buffer.
 */
bool terminal_secret(const char *who, struct buffer *secret_out);

/* Read up to a line end or the end, at most so many octets; false when there are more, or reading fails. */
bool terminal_read_line(int descriptor, size_t octets_max, struct buffer *line_out);

/* Ask yes or no; without a terminal the answer is no, and --yes is recommended. */
bool terminal_confirms(const char *question);

/* How many columns standard output has: 80 where a terminal does not say, 0 where it is none. */
size_t terminal_width(void);

/* Whether colour is wanted: NO_COLOR (no-color.org) is unset or empty. */
bool terminal_has_colour(void);

/* How an import goes, how fast and how long still: a bar on a terminal, a line every ten seconds elsewhere; standard error. */
struct progress {
	uint64_t begun_us, drawn_us;
	uint64_t first_done, first_messages;	/* when it was shown first: pace and rest are told of what comes behind */
	bool is_begun;
	bool is_bar;
	bool is_drawn;
};

void progress_begin(struct progress *progress);
void progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t messages);

/* Something else begins, with a pace of its own. */
void progress_turn(struct progress *progress);

/* How much of something that has no messages is done: a bar on a terminal, nothing elsewhere. */
void progress_show_share(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

#endif
