/*
 * The ways in which a file may be compressed, each by its library.
 */
#ifndef IMAPCTL_EXPAND_METHODS_H
#define IMAPCTL_EXPAND_METHODS_H

#include "base/span.h"

enum expand_step {
	EXPAND_MORE,		/* all input was taken, or the room is full */
	EXPAND_END,		/* the compressed member ends here; other octets may follow */
	EXPAND_DAMAGED,
	EXPAND_TOO_LARGE,	/* it would need more memory than one file is worth */
};

/* What a step takes from and puts into: it moves the ends on as far as it came. */
struct expand_work {
	struct span in;
	uint8_t *out;
	size_t room;
};

struct expand_method {
	struct span magic;	/* how such files begin */
	void *(*begin)(void);	/* NULL: known, but nobody can read it here */
	enum expand_step (*step)(void *decoder, struct expand_work *work);
	void (*end)(void *decoder);
	bool (*may_end)(const void *decoder);	/* the format marks no end: is this a good one?  NULL: it does */
	int trouble;		/* without begin: the errno for it */
};

/* By a file's first octets, EXPAND_MAGIC_MAX of them or all it has.  NULL: it is not compressed. */
const struct expand_method *expand_method_find(struct span head);

#define EXPAND_MAGIC_MAX 16

#endif
