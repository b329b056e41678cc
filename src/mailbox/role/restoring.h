/*
 * A whole file that an operator sends: restore.c answers the call, restoring.c takes the octets and puts the file in its
 * place.  Loop thread, except where said.
 */
#ifndef ROLE_RESTORING_H
#define ROLE_RESTORING_H

#include <limits.h>

#include "base/digest.h"
#include "control/control.h"
#include "life.h"

#define RESTORE_HAS_MAIL "the user has mail here"

struct restoring {
	struct role_lookup lookup;
	struct role_ask ask;
	struct list link;		/* in role->restores */
	struct control_call *call;	/* NULL: it has given its stream */
	struct stream *stream;		/* NULL: not yet, or gone */
	struct account *account;	/* held while the file takes its place */
	struct account_job place;
	struct job job;			/* writes what came; the last one finishes the file */
	struct buffer octets;
	uint64_t size, received;
	uint64_t messages;		/* of the file that was placed */
	uint8_t sha256[DIGEST_LENGTH];
	struct digest *digest;
	char id[DIRECTORY_ID_LENGTH + 1];
	char path[PATH_MAX];		/* of the file on its way */
	int descriptor;			/* below 0: none */
	bool is_user_there, may_replace;
	bool is_working, is_given_up, is_ended;
	int error;			/* of the disk; 0: none */
	bool is_as_said;		/* size and digest */
	char *trouble;			/* of placing: what is wrong with the file */
};

/* Take what comes on the stream, which was taken from the call; ends by itself. */
void restoring_begin(struct restoring *restoring);

/* Nobody waits for it any more. */
void restoring_give_up(struct restoring *restoring);

/* Remove what was not placed, and free it; the call was answered, or the stream is of no use. */
void restoring_end(struct restoring *restoring);

/* Have a job done on storage; while it is, is_working. */
void restoring_submit(struct restoring *restoring, void (*work)(struct job *job), void (*done)(struct job *job));

/* Whose file it is. */
const char *restoring_name(const struct restoring *restoring);

#endif
