/*
 * What the verbs have in common that look into the file of one user: who the name is, whether there is a file (asking
 * must not make one), holding the account, and the end.  Loop thread, but for work functions.
 */
#ifndef ROLE_USER_VERB_H
#define ROLE_USER_VERB_H

#include "../shared/role.h"
#include "base/clock.h"
#include "control/control.h"
#include "control/words.h"

/* Lives inside a verb's own structure. */
struct user_verb {
	struct role_lookup lookup;
	struct control_call *call;	/* NULL: it has given its stream */
	struct job look;
	bool has_file;
	struct account *account;	/* held when there is a file; else NULL */
	struct account_job job;
	bool is_anywhere;		/* also for users whose mail is on another server, who have no file here */
	uint64_t until_us;		/* a call that goes on in slices ends about then; clock_monotonic_us() */
	struct timer watch;
	void (*on_watch)(struct user_verb *verb);	/* while work goes on that is no slice: user_verb_watch() */
	void (*begin)(struct user_verb *verb);		/* the user is known; has_file says whether there is mail */
	void (*free)(struct user_verb *verb);		/* frees the verb's own structure */
};

/*
 * Begin on a call whose first word is the user's name; goes on in begin(), or has answered.
 *
 *	verb	begin and free are set; taken, until user_verb_end()
 */
void user_verb_take(struct user_verb *verb, struct mailbox_role *role, struct control_call *call);

/* Answer with an exit code and, unless NULL, a sentence; then free. */
void user_verb_end(struct user_verb *verb, int code, const char *text);

/* End as a job did: with 0, or with a disk's failure. */
void user_verb_end_with(struct user_verb *verb, enum store_status status);

/* Have the one job of the verb done, behind what clients wait for. */
void user_verb_submit(struct user_verb *verb, enum account_kind kind,
    enum store_status (*work)(struct store *store, struct account_job *job), void (*done)(struct account_job *job));

/* Whether a call that goes on in slices has taken long enough. */
bool user_verb_is_time_up(const struct user_verb *verb);

/* Whether it is to end at once, whatever has been begun: the server stops, or nobody waits for the answer. */
bool user_verb_is_cut_off(const struct user_verb *verb);

/* End it so: what it was about can be asked again. */
void user_verb_end_cut_off(struct user_verb *verb);

/*
 * Call on_watch() several times a second until user_verb_unwatch(), or the end: it sees to it that the work ends once the
 * verb is cut off.
 */
void user_verb_watch(struct user_verb *verb);
void user_verb_unwatch(struct user_verb *verb);

/* Begin a line of the answer: what it is, and the user. */
void user_verb_begin_line(const struct user_verb *verb, struct span word, struct buffer *line);

/*
 * Answer one line "fault" for each finding; gives how many.
 *
 *	findings	each with a line feed behind it
 */
int64_t user_verb_reply_faults(const struct user_verb *verb, struct span findings);

#endif
