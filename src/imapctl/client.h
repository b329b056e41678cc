/*
 * The operator's end of the control socket.  Blocking.
 */
#ifndef IMAPCTL_CLIENT_H
#define IMAPCTL_CLIENT_H

#include "base/arena.h"
#include "base/buffer.h"

struct order;
struct client;

/*
 * Find the socket in the configuration and connect.
 *
 * NULL: what is wrong was said, with how to start the server when it is not running; *code_out is the
 * exit code.
 */
struct client *client_open(const struct order *order, int *code_out);

/* Accepts NULL, leaves NULL behind. */
void client_close(struct client **client);

/* What came back; lives in the client until the next call. */
struct answer {
	int code;		/* of sysexits.h; 0 is success */
	struct span text;	/* why not */
	struct span *lines;	/* data, without the `+` */
	size_t line_count;
};

/*
 * Ask and wait for the whole answer.
 *
 *	verb	one word or two, as they are
 *	words	quoted here
 *	body	what must not be seen in a list of processes; at is NULL when there is none
 */
const struct answer *client_call(struct client *client, const char *verb, const struct span *words,
    size_t word_count, struct span body);

/* Say on standard error why it failed, if it did; returns the code. */
int client_report(const struct answer *answer);

/* The descriptor, given, after a verb that turned the connection into something else. */
int client_take_descriptor(struct client **client);

/* Open, call with the order's words, and print what comes as records. */
int client_print(const struct order *order, const char *verb, const struct span *words,
    size_t word_count);

#endif
