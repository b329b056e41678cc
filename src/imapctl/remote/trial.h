/*
 * A server tried as a client does: each step from its name to LOGOUT, with the time that it takes.  What is written for
 * it lies in a mailbox of its own, which goes again.  Blocking.
 */
#ifndef IMAPCTL_TRIAL_H
#define IMAPCTL_TRIAL_H

#include "login.h"

enum trial_depth {
	TRIAL_GREETING,		/* up to CAPABILITY: nobody logs in */
	TRIAL_LOGIN,		/* up to EXAMINE INBOX: nothing is written */
	TRIAL_ALL,
};

/*
 * A step has ended.
 *
 *	scenario	"Connect" and so on; static
 *	code		of sysexits.h; 0: well
 *	error		a sentence, borrowed; empty when well
 */
typedef void trial_told(const char *scenario, int code, uint64_t us, const char *error, void *context);

/* Try; gives the code of the first step that failed, behind which there are no others. */
int trial_run(const struct login_settings *settings, enum trial_depth depth, trial_told *told, void *context);

/* Walk the names of all steps in about their order; NULL past the end. */
const char *trial_scenario(size_t index);

#endif
