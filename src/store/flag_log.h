/*
 * Changes of flags that many messages got at once, kept as one row for a range of UIDs and put into the rows of message
 * when the user is quiet: schema/mail.013.sql.  Whoever reads flags or modseqs from message applies them; whoever writes
 * these settles them first.  Worker threads.
 */
#ifndef STORE_FLAG_LOG_H
#define STORE_FLAG_LOG_H

#include "internal.h"

#define FLAG_LOG_MAX 64			/* changes in a file */

struct flag_log_entry {
	struct store_uid_range range;
	uint64_t modseq, keep, set;
};

/* The changes of some UIDs. */
struct flag_log {
	struct flag_log_entry entries[FLAG_LOG_MAX];
	size_t count, next;
};

/* Load those that concern UIDs from first to last; costs nothing where there are none. */
enum store_status flag_log_load(struct store *store, uint64_t mailbox_id, uint32_t first, uint32_t last, struct flag_log *log);

/* Bring a message that was read from its row up to date; messages come by rising UIDs. */
void flag_log_apply(struct flag_log *log, struct store_message *message);

/*
 * Keep a change of all messages in a range as one row.
 *
 *	keep, set	flags become (flags & keep) | set
 *	is_kept_out	false: it is too small, there are too many, or it meets others; nothing is written
 */
enum store_status flag_log_add(struct store *store, const struct store_uid_range *range, uint64_t keep, uint64_t set,
    const struct store_tally *tally, bool *is_kept_out);

/* Put what is kept of a range into its rows, which are about to be written. */
enum store_status flag_log_settle(struct store *store, uint64_t mailbox_id, const struct store_uid_range *range);

/* Put everything into the rows. */
enum store_status flag_log_settle_all(struct store *store);

/* Find out whether the file has any. */
enum store_status flag_log_open(struct store *store);

#endif
