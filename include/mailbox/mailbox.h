/*
 * The mailbox role: IMAP sessions after login, delivery by LMTP, and the users' stores behind both.  Loop
 * thread; stores are used by storage workers, messages are parsed by compute workers.
 */
#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

#include "control/session.h"
#include "metrics/metrics.h"

struct config;
struct control;
struct directory;
struct directory_quota;
struct link;
struct loop;
struct stream;
struct protocol_log;
struct traces;
struct workers;

struct mailbox_role;

/* Whether a password fits a credential: auth's password_verify(), which this room does not know.  Compute worker. */
typedef bool mailbox_fits(struct span password, struct span credential);

/* What keeps other processes out of the data directory, and since when its marks are whole (store/mark.h). */
struct mailbox_lock {
	int descriptor;		/* holds it until it is closed */
	uint64_t era;
};

/*
 * A cas on another host looks on sessions here.
 *
 *	stream	given: where lines of control/trace.h go
 *	word	whose; borrowed until return
 */
typedef void mailbox_look(struct stream *stream, struct span word, void *context);

/* What the role is made of; all borrowed until mailbox_role_free(). */
struct mailbox_parts {
	struct loop *loop;
	struct workers *storage, *compute;
	struct workers *checks;		/* for what takes minutes with one user's file, and that user does not wait for */
	struct directory *directory;	/* this role's own connection: only its jobs on storage use it */
	mailbox_fits *fits;		/* NULL: no cas may ask for passwords to be compared */
	struct link *link;		/* NULL: streams come by mailbox_role_accept() alone */
	struct traces *traces;		/* who looks on; NULL: nobody can */
	mailbox_look *on_look;		/* a cas wants to; NULL: none may */
	void *look_context;
	struct protocol_log *protocol_log;	/* NULL: there is none */
	const struct config *config;
	struct mailbox_lock lock;	/* taken; descriptor 0: mailbox_role_new() does it */
};

/*
 * Take the data directory, with a lock that keeps other processes out, and make what must be in it.
 * Blocks.
 *
 *	lock_out	given; the descriptor is closed, or goes to mailbox_role_new()
 *
 * False: *error_out, given, says why (another imapd uses it, no permission).
 */
bool mailbox_role_lock(const char *data_directory, struct mailbox_lock *lock_out, char **error_out);

/*
 * Make the role, and take the data directory if the parts bring no lock: then only before the loop runs.
 *
 * NULL: *error_out, given, says why.
 */
struct mailbox_role *mailbox_role_new(const struct mailbox_parts *parts, char **error_out);

/*
 * Bind the LMTP ports, all or none, and serve the link.
 *
 * False: *error_out, given, names the address and why.
 */
bool mailbox_role_listen(struct mailbox_role *role, char **error_out);

/* Use another configuration for what comes from now on; listeners stay.  Borrowed as the one before. */
void mailbox_role_reload(struct mailbox_role *role, const struct config *config);

/*
 * Take a stream of the link: whoever is at its other end may log in as anyone by AUTHENTICATE EXTERNAL.
 * Nothing was read from it and nothing written.  The stream is taken.
 */
void mailbox_role_accept(struct mailbox_role *role, struct stream *stream);

/*
 * Begin a session that is logged in as user already and greets with PREAUTH: imapctl import.
 *
 *	user	canonical name, copied; an unknown one gets BYE
 *	stream	taken
 */
void mailbox_role_attach(struct mailbox_role *role, struct stream *stream, struct span user);

/* A user has been deleted or may not log in any more: whoever is logged in as that one gets BYE. */
void mailbox_role_end_user(struct mailbox_role *role, struct span user);

/* A user may keep something else now: it holds from the next command on. */
void mailbox_role_note_quota(struct mailbox_role *role, const char *mailbox_id, const struct directory_quota *quota);

/*
 * The user was deleted: what was shared with the name, and what the user has shared, is so no more.  Whoever has such a
 * mailbox selected gets BYE, and what is under way there for others fails.
 */
void mailbox_role_forget_user(struct mailbox_role *role, struct span user);

/*
 * A user has another name in the directory (directory/renaming.h): whoever is logged in by the old one gets BYE, what others
 * share with it is shared with the new one, and every file that says it is changed.  Calls back once, never before it
 * returns: when no file says it any more; or there is one that cannot be changed now, and the role goes on; or it stops, and
 * the next one goes on.
 *
 *	name		the old one; copied
 */
enum mailbox_renaming { MAILBOX_RENAMED, MAILBOX_RENAME_GOES_ON };
typedef void mailbox_renamed(enum mailbox_renaming outcome, void *context);
void mailbox_role_rename(struct mailbox_role *role, const char *name, mailbox_renamed *on_renamed, void *context);

/*
 * Stop accepting, tell every session BYE, wait for the jobs under way and close the stores; calls back
 * once the last one is closed, never before it returns.
 */
typedef void mailbox_stopped(void *context);
void mailbox_role_stop(struct mailbox_role *role, mailbox_stopped *on_stopped, void *context);

/*
 * As mailbox_role_stop(), but nobody is cut: a session gets BYE when its command has been answered, those
 * with nothing under way one by one, spread over a time.  What then goes on is cut a few seconds later.
 *
 *	over_ms	0: all at once; called again while draining, it only sets another time
 */
void mailbox_role_drain(struct mailbox_role *role, uint64_t over_ms, mailbox_stopped *on_stopped,
    void *context);

/* Only after on_stopped, or before anything was accepted.  Accepts NULL, leaves NULL behind. */
void mailbox_role_free(struct mailbox_role **role);

/*
 * The verbs session, which turns a control connection into a session of a user, acknowledge and user renew; without
 * a role they say that the service is stopped.
 */
void mailbox_role_register(struct mailbox_role *role, struct control *control);

/*
 * Walk the sessions of users in the order in which they began: control/session.h.  Those that come from a cas in this process
 * are left out, as cas_walk_sessions() has them.  Returns where to go on.
 */
uint64_t mailbox_role_walk_sessions(struct mailbox_role *role, uint64_t after, session_each *each, void *context);

/* Add to what a cas in this process knows of a session what the role knows of it, if anything. */
void mailbox_role_add_facts(const struct mailbox_role *role, struct session_facts *facts);

/*
 * Send away whom is_meant says so of, as soon as the command under way has been answered, or in five seconds; those that are
 * left out above are left to cas_kick().  Returns where to go on.
 */
uint64_t mailbox_role_kick(struct mailbox_role *role, uint64_t after, struct session_kick *kick);

/* Room on the disk below which no message is taken in. */
uint64_t mailbox_kept_free_octets(void);

/* Traces have begun or ended: control/trace.h. */
void mailbox_role_onlook(struct mailbox_role *role);

/* Figures for the status. */
struct mailbox_status {
	uint64_t sessions;		/* now */
	uint64_t sessions_in[METRIC_LMTP];	/* of them in each state, enum metric_state */
	uint64_t untold;		/* of them with news that their clients do not read */
	uint64_t deliveries;		/* LMTP sessions, now */
	uint64_t accounts, open_stores;	/* now */
	uint64_t logins;		/* since the start */
	uint64_t appended, delivered;	/* messages, since the start */
};
void mailbox_role_status(const struct mailbox_role *role, struct mailbox_status *status_out);

/* Something that is wrong with a user's file or the disk; texts are borrowed, those that do not apply NULL. */
struct mailbox_fault {
	const char *kind;		/* a word: damaged, missing, disk-full, disk-failed */
	const char *user, *path, *error;
	int64_t since_s;		/* calendar */
	uint64_t times;
};

/* Walk what is wrong, oldest first; false past the end. */
bool mailbox_role_fault(const struct mailbox_role *role, size_t index, struct mailbox_fault *fault_out);

/* Whether it looks like a mailbox id (directory/directory.h); and such ids in a data directory.  Blocks.  False:
 * errno says why. */
bool mailbox_is_id(struct span text);
typedef void mailbox_file_found(const char *mailbox_id, void *context);
bool mailbox_files(const char *data_directory, mailbox_file_found *each, void *context);

/* The folder of a mailbox id, and how much is in it.  Blocks.  False: it is not there. */
struct buffer;
bool mailbox_file(const char *data_directory, const char *mailbox_id, struct buffer *path_out,
    uint64_t *size_octets_out);

/*
 * Remove the mail of a user who has been deleted, for good.  Calls back once, never before it returns.
 *
 *	mailbox_id, user	copied
 */
enum mailbox_removal { MAILBOX_REMOVED, MAILBOX_NOT_THERE, MAILBOX_NOT_REMOVED };
typedef void mailbox_removed(enum mailbox_removal outcome, void *context);
void mailbox_role_remove(struct mailbox_role *role, const char *mailbox_id, const char *user,
    mailbox_removed *on_removed, void *context);

/* Walk the addresses where LMTP is listened on; NULL past the end. */
const char *mailbox_role_listener(const struct mailbox_role *role, size_t index);

#endif
