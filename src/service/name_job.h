/*
 * What is asked about names that stand for users: aliases.c and groups.c say what it is, and the directory's queue does it.
 */
#ifndef NAME_JOB_H
#define NAME_JOB_H

#include "internal.h"

enum name_order { NAME_ADD, NAME_REMOVE, NAME_LIST };

struct name_kind;

/* A job of one kind begins with this. */
struct name_job {
	struct job job;
	const struct name_kind *kind;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	enum name_order order;
	struct buffer lines;		/* of the answer, each with a line feed */
	enum directory_status status;
};

struct name_kind {
	size_t octets;			/* of its struct, all of which is zero at first */

	/* Read the words of the call.  False: the call was answered. */
	bool (*read)(struct name_job *job);

	/* Worker: do it, and say how it went in status and lines. */
	void (*work)(struct name_job *job);

	/* End the call behind the lines: what the status means. */
	void (*finish)(struct name_job *job);
};

/* Do what a call asks, and answer it. */
void name_job_begin(struct service *service, struct control_call *call, enum name_order order, const struct name_kind *kind);

#endif
