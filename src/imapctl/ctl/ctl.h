/*
 * The operator's end of the control socket.  Blocking.
 */
#ifndef IMAPCTL_CTL_H
#define IMAPCTL_CTL_H

#include "base/arena.h"
#include "base/buffer.h"

struct order;
struct ctl;

/*
 * Find the socket in the configuration and connect.  Who then says nothing for as long as the order's --timeout
 * is given up.
 *
 * NULL: what is wrong was said, with how to start the server when it is not running; *code_out is the
 * exit code.
 */
struct ctl *ctl_open(const struct order *order, int *code_out);

/* Whether a server answers, or something is in the way of asking it.  Says nothing. */
bool ctl_is_there(const struct order *order);

/* Accepts NULL, leaves NULL behind. */
void ctl_close(struct ctl **ctl);

/* What came back; lives until the next call. */
struct answer {
	int code;		/* of sysexits.h; 0 is success */
	struct span text;	/* why not */
	struct span *lines;	/* data, without the `+` */
	size_t line_count, line_capacity;
	bool is_lost;		/* nobody has answered, and further calls make no sense */
};

/*
 * Ask and wait for the whole answer.
 *
 *	verb	one word or two, as they are
 *	words	quoted here
 *	body	what must not be seen in a list of processes; at is NULL when there is none
 */
const struct answer *ctl_call(struct ctl *ctl, const char *verb, const struct span *words,
    size_t word_count, struct span body);

/*
 * Have lines of answers looked at as they come, such as how far a long call is.
 *
 *	line	borrowed
 *
 * True: it is no part of the answer.
 */
typedef bool ctl_line(struct span line, void *context);
void ctl_listen(struct ctl *ctl, ctl_line *on_line, void *context);

/* From now on a signal that was caught (interrupt.h) ends a call, whose answer is lost: EX_TEMPFAIL, "interrupted". */
void ctl_heed_interrupts(struct ctl *ctl);

/*
 * Behind a call whose verb goes on telling: wait for the next line.
 *
 *	until_ms	of clock_monotonic_us() / 1000; 0: for ever
 *	line_out	without its `+`; lives until the next call
 *
 * False: it is over; *code_out is why: EX_OK, the server has said so, or it is late enough; EX_TEMPFAIL: it has gone.
 */
bool ctl_read_on(struct ctl *ctl, uint64_t until_ms, struct span *line_out, int *code_out);

/*
 * Add a line to those of an answer, such as one that a verb puts together itself; a zeroed one is empty.
 *
 *	line	borrowed as long as the answer is used; lines is for free()
 */
void answer_keep(struct answer *answer, struct span line);

/* Say on standard error why it failed, if it did; returns the code. */
int ctl_report(const struct answer *answer);

/* The descriptor, given, without a time-out, after a verb that turned the connection into something else. */
int ctl_take_descriptor(struct ctl **ctl);

/*
 * Behind a verb that turned the connection into a flow of octets: read a line without its end, of at most some kilobytes,
 * into the arena; read so many octets; send some.  False: the connection is over, or the server was silent.
 */
bool ctl_read_line(struct ctl *ctl, struct arena *arena, struct span *line_out);
bool ctl_read(struct ctl *ctl, void *octets_out, size_t length);
bool ctl_write(struct ctl *ctl, struct span octets);

/*
 * Ask whether this operator may call a verb of the server, before anything is asked of the operator.
 *
 *	verb	one word or two
 *
 * EX_OK, or why not was said; who is left to find out later is told EX_OK by an older server.
 */
int ctl_may(const struct order *order, const char *verb);

/*
 * Unless --yes was given, ask the operator whether to call a verb, if that may be.
 *
 * EX_OK: yes.  EX_USAGE: no, or nobody can be asked.
 */
int ctl_confirm(const struct order *order, const char *verb, const char *question);

/* Open, call with the order's words, and print what comes as records. */
int ctl_print(const struct order *order, const char *verb, const struct span *words,
    size_t word_count);

#endif
