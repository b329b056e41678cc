/*
 * One user's mail: one file, one connection, one worker thread at a time.  Here are opening,
 * closing and transactions; store/mailbox.h has the mailboxes, store/message.h what is in them and
 * store/content.h the octets.  Everything blocks: worker threads only, never the loop.
 *
 * What changes something is called between store_begin() and store_end(), and so joins what other
 * jobs of the user wait for.  A function that fails may leave half of its work in the transaction:
 * the step or the transaction around it must then end with that status, which undoes it.
 *
 *	store_begin(store, STORE_DURABLE);
 *	for (each job) {
 *		store_step_begin(store);
 *		job->status = store_step_end(store, work(store, job));
 *	}
 *	status = store_end(store, STORE_OK);	a failure here is the outcome of every job
 *
 * Reading needs no transaction.  src/store/README says what a transaction guarantees.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* Room on the disk that no message takes, beyond what folding the WAL takes. */
#define STORE_KEPT_FREE_OCTETS (UINT64_C(4) * 1024 * 1024)

/* So much of the disk is to stay free: when it does not, what is kept of messages that have left is let go. */
#define STORE_RESERVE_OCTETS (UINT64_C(64) * 1024 * 1024)

struct store;

enum store_status {
	STORE_OK,
	STORE_NOT_FOUND,	/* no such file, mailbox, message or content */
	STORE_EXISTS,		/* the name is taken */
	STORE_FORBIDDEN,	/* INBOX cannot be deleted; a mailbox cannot move below itself */
	STORE_OVER_QUOTA,	/* the user's octets are used up */
	STORE_LIMIT,		/* no room for another keyword, UID or mailbox, or a value is too long */
	STORE_FULL,		/* the disk is full; nothing of the transaction was written */
	STORE_CORRUPT,		/* the file is damaged */
	STORE_UNAVAILABLE,	/* the disk failed: outcome unknown, see store_is_poisoned() */
	STORE_MISSING,		/* the file was made and is gone: store/mark.h */
	STORE_DENIED,		/* of jobs for somebody else: who asks may not do this */
	STORE_STATUS_COUNT
};

/* A few words for the log and for imapctl.  Static. */
const char *store_status_text(enum store_status status);

/*
 * Open a user's file, and with it bring the schema up to date and recover from an unclean end.
 *
 *	path		 .../mail.db; borrowed until return
 *	is_new_allowed	 make the folder (0700) and the file (0600) if missing, with INBOX, Drafts, Sent,
 *			 Junk, Trash and Archive, all subscribed; else STORE_NOT_FOUND
 *	store_out	 given, to store_close(); untouched on failure
 *
 * The folder's parent must exist.  RFC 6154 section 2 for the special uses.  Nothing is remembered outside of the
 * file: store_open_marked() is for that.
 */
enum store_status store_open(const char *path, bool is_new_allowed, struct store **store_out);

/*
 * End what is done with STORE_UNAVAILABLE, soon, once the flag is set by whatever thread; the transaction is undone, and only
 * closing is left.
 *
 *	flag	outlives the store
 */
void store_stop_by(struct store *store, const atomic_bool *flag);

/*
 * Close; accepts NULL, leaves NULL behind.  Makes lazy commits durable and folds the WAL into the
 * file, some 2 ms after writes.  A poisoned store is dropped as it is: the next store_open()
 * recovers it.  Returns why what was lazy could not be made durable; it is closed all the same.
 */
enum store_status store_close(struct store **store);

/*
 * Whether an I/O error has left the outcome of the last transaction unknown.  Everything then
 * answers STORE_UNAVAILABLE; close it, open it anew and load the state of its mailboxes again.  Any
 * state that was built from unacknowledged results must be dropped.
 */
bool store_is_poisoned(const struct store *store);

/* What SQLite said last, for the log.  Borrowed until the next call. */
const char *store_error(const struct store *store);

/*
 * Transactions.  STORE_LAZY is for changes of flags and for purging: the commit survives the
 * process's death, and power loss after the next durable commit or store_flush().  STORE_DERIVED is for what can be made
 * again from the messages, tells nobody a modseq and needs no flush: the power may take it.
 */
enum store_durability { STORE_DERIVED, STORE_LAZY, STORE_DURABLE };
enum store_status store_begin(struct store *store, enum store_durability durability);

/*
 * Commit when status is STORE_OK, else roll back.  Returns status, or why the commit failed; nobody
 * may be told OK unless it returns STORE_OK.
 */
enum store_status store_end(struct store *store, enum store_status status);

/*
 * One job's part of a transaction: kept when status is STORE_OK, else undone.  Returns as
 * store_end().
 */
enum store_status store_step_begin(struct store *store);
enum store_status store_step_end(struct store *store, enum store_status status);

/*
 * Let all that is read in between see one state, and take SQLite's locks once instead of for each SELECT:
 * a job that reads much begins and ends with these, and nothing between two jobs stays open.
 *
 *	is_ours	 whether this call has begun a transaction, or joined the one that runs; for the end
 *
 * store_read_end() returns status, or why ending failed.
 */
enum store_status store_read_begin(struct store *store, bool *is_ours);
enum store_status store_read_end(struct store *store, bool is_ours, enum store_status status);

/* Write a page of no consequence, within a transaction: with store_end() it says whether that can be done. */
enum store_status store_touch(struct store *store);

/* Whether there are lazy commits that a power loss would take back. */
bool store_needs_flush(const struct store *store);

/* Make them durable: one fdatasync, none if there are none. */
enum store_status store_flush(struct store *store);

/*
 * What was committed lies in the WAL until it is folded into the file: some 1 ms for a megabyte, and two flushes.  It
 * is for the caller to do so between two transactions, when nobody waits; store_close() does it, and a commit that
 * finds 64 MB there.  What a foreign tool still reads stays.
 *
 *	bound_out	 length at which it should be folded though somebody waits
 */
uint64_t store_wal_octets(const struct store *store, uint64_t *bound_out);
enum store_status store_fold(struct store *store);

/* What is held of the file in memory, and giving that back; it is read again when it is wanted. */
uint64_t store_page_octets(const struct store *store);
void store_shrink(struct store *store);

/* How much of the file may be held, in KiB, between two transactions: sql_set_cache(). */
void store_set_cache(struct store *store, unsigned kib);

/*
 * Changes of flags that many messages got at once are kept beside them: write those of some messages into their rows,
 * within a transaction, when there is time.  Nobody notices but by what it costs to read.
 *
 *	is_more_out	whether there is work for a further step
 */
enum store_status store_settle_flags(struct store *store, uint32_t messages_max, bool *is_more_out);

/* Whether there may be something to settle. */
bool store_has_unsettled_flags(const struct store *store);

/*
 * Free the space of content that no message has any more, within a transaction, in bounded steps; let go what is kept of
 * messages that have left (store/retained.h), when it is time; and forget the expunges that struct store_history does
 * not promise any more.
 *
 *	content_max, size_max_octets	 what one step may free; the first content is freed whatever its size
 *	is_more_out			 whether there is work for a further step
 *
 * The caller makes sure that nothing still reads expunged messages.
 */
enum store_status store_purge(struct store *store, uint32_t content_max, uint64_t size_max_octets,
    bool *is_more_out);

/*
 * Look for damage: kept counters against rows, every content against its chunks and its users, and,
 * at STORE_VERIFY_ALL, SQLite's own check and each digest, which reads the whole file.
 *
 *	findings_out	 appended: one line for each, of four fields with a tab between two: a word that says what it is,
 *			 the id of the mailbox or 0, that of the content or 0, and text for people
 *
 * STORE_CORRUPT when there are findings.  A file of which SQLite cannot read all may have more of them.
 */
enum store_verify_depth { STORE_VERIFY_ROWS, STORE_VERIFY_FILE /* all but digests */, STORE_VERIFY_ALL };
enum store_status store_verify(struct store *store, enum store_verify_depth depth,
    struct buffer *findings_out);

/*
 * The same in steps, but for the digests: each looks for one kind of damage in all of the file.  STORE_CORRUPT: SQLite
 * cannot read it, and there is no sense in looking further.
 *
 *	step	from 0 up to store_verify_steps() - 1
 */
unsigned store_verify_steps(void);
enum store_status store_verify_step(struct store *store, unsigned step, struct buffer *findings_out);

/* The step that reads every page of the file. */
unsigned store_verify_step_of_pages(void);

/* Append one such line. */
void store_add_finding(struct buffer *findings, const char *word, uint64_t mailbox_id, uint64_t content_id,
    const char *text);

/*
 * The digests, a piece at a time.
 *
 *	content_id   0 at first; how far it has come
 *	until_us     clock_monotonic_us(): one content is looked at, and no more begun from then on
 *	checked	     is raised by the contents looked at
 *	is_more_out  false: these were the last
 */
enum store_status store_verify_digests(struct store *store, uint64_t *content_id, uint64_t until_us,
    struct buffer *findings_out, uint64_t *checked, bool *is_more_out);

/* The last content that there is; 0: there is none. */
enum store_status store_last_content(struct store *store, uint64_t *content_id_out);

#endif
