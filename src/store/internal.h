/*
 * What the files of this room share: the connection, statuses, the rows of message and the counters
 * of mailbox.  Worker threads.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "sql/sql.h"
#include "store/message.h"
#include "store/quota.h"

struct store_searchable;
struct store_parting;

#define UID_MAX UINT32_MAX
#define STORE_SETS_SWEPT 256	/* so many sets of keywords may be made before those without a message are deleted */

/* How far a file has come: both rise with what was given, and never go back (src/store/README). */
struct store_position {
	uint64_t changes;		/* UIDs and modseqs given */
	uint64_t next_uidvalidity;
};

struct codec_dictionary;

struct store_still {
	struct sql_still *file;
};

struct store {
	struct sql *sql;
	bool is_still;			/* store_open_still() */
	char *path;
	struct store_quota quota;
	struct store_amounts credit;	/* store_credit_quota() */
	struct store_quota_news quota_news;
	bool has_quota_news;
	bool is_begun;			/* between store_begin() and store_end() */
	enum store_durability durability;	/* of that transaction */
	enum store_status lost;		/* why SQLite gave it up by itself, or STORE_OK */
	bool is_unclean;		/* account.is_unclean, as committed */
	bool was_unclean;		/* so it was found by store_open_file() */
	bool is_marking_unclean;	/* this transaction sets it */
	bool needs_flush;
	uint64_t wal_octets_max;	/* so long the WAL should become, on this disk */
	uint64_t *forget_ids;		/* mailboxes in which something was expunged since store_history_forget() */
	size_t forget_count, forget_capacity;
	unsigned sets_made;		/* of keywords, since those that no message has were deleted */
	struct store_position position, step, committed;	/* now, when the step began, as committed */
	bool has_dictionary;		/* the file has what its header blocks are compressed with */
	struct codec_dictionary **trained;	/* of the file, in use: trained.h */
	size_t trained_count;
	int64_t trained_newest;		/* 0: none that can be used */
	bool has_looked_for_newest;
	uint64_t training_after;	/* contents, when a better dictionary is looked for: train.c */
	bool is_training;		/* this transaction has made one */
	bool has_packed;		/* something that is compressed has come since it was opened */
	struct mark *mark;		/* NULL: nothing is told outside of the file */
	uint64_t file;			/* with a mark: its inode */
	uint64_t content_last, indexed_through;	/* about: the last content, and how far the index has come */
	uint64_t next_id;		/* of a content, if some are left of those that were reserved */
	unsigned ids_left;		/* 0 when something was undone: what was reserved may not have been */
	bool may_have_flag_log;		/* there may be rows of flag_change; flag_log.h */
	bool has_index_work;		/* there may be */
	int64_t retention_s;		/* store_set_retention() */
	int64_t retained_since_s;	/* what is kept left then or later; INT64_MAX: nothing is kept */
	int64_t retained_octets;	/* of what is kept; -1: not known */
	uint64_t let_go;		/* store_take_let_go() */
	bool is_disk_short;		/* so it was when it was looked at last */
	uint64_t disk_looked_us;	/* when there was plenty; 0: there was not */
	uint64_t opening;		/* another number each time that a file is opened in this process */
};

/*
 * Open a file and bring its schema up to date.  Whoever opens it sees to it that was_unclean has its consequences.
 *
 *	least_uidvalidity	of a file that is made
 *	error_out		given when it fails: what SQLite says; NULL: nothing
 */
enum store_status store_open_file(const char *path, bool is_new_allowed, uint64_t least_uidvalidity,
    char **error_out, struct store **store_out);

/*
 * Make a folder's entries durable; the same for the folder that a path is in; and make that folder if it is
 * missing.  folder.c.  False: errno says why.
 */
bool store_sync_folder(const char *path);
bool store_sync_folder_of(const char *path);
bool store_make_folder_of(const char *path);

/* So much of the disk is free. */
void store_note_free(struct store *store, uint64_t free_octets);

/* Give a mailbox another UIDVALIDITY. */
enum store_status store_mailbox_renew_uidvalidity(struct store *store, uint64_t mailbox_id);

/* What an outcome of SQLite means to callers.  Where a constraint is expected, ask before this. */
enum store_status store_from_sql(enum sql_status status);

/* Run an INSERT, UPDATE or DELETE. */
enum store_status store_run(struct sql_statement *statement);

/* The same of one whose only parameter is an id. */
enum store_status store_run_with_id(struct store *store, const char *text, uint64_t id);

/* Go to the first row; STORE_NOT_FOUND when there is none.  Read it, then sql_reset(). */
enum store_status store_row(struct sql_statement *statement);

/* Every function that changes something begins with this: STORE_OK while its transaction stands. */
enum store_status store_enter(struct store *store);

/* Sort numbers and take out what is there twice; in place. */
struct store_numbers store_numbers_sort(uint16_t *numbers, size_t count);

/* Whether a message with these keywords needs no set. */
bool store_numbers_have_bits(struct store_numbers numbers);

/* Give the keywords of a word, system flags aside; in rising order. */
enum store_status store_word_expand(struct store *store, uint64_t word, uint16_t numbers_out[STORE_KEYWORDS_MAX],
    size_t *count_out);

/* Give all sets of a mailbox, or those that words have, from the arena. */
enum store_status store_sets_list(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_keywords *keywords);
enum store_status store_sets_find(struct store *store, const uint64_t *flags, size_t count, struct arena *arena,
    struct store_keywords *keywords);

/* Delete the sets that no message has, if many were made; when every message of the transaction is written. */
enum store_status store_sets_sweep(struct store *store);

/*
 * What words of keywords become, each looked up once: a change of many messages meets few words.
 */
struct store_words {
	struct map *map;
	struct arena *arena;
};

void store_words_init(struct store_words *words);
void store_words_fini(struct store_words *words);
bool store_words_find(const struct store_words *words, uint64_t word, uint64_t *becomes_out);
void store_words_add(struct store_words *words, uint64_t word, uint64_t becomes);

/*
 * The change of a mailbox's row that goes with a change of its messages.
 */
struct store_tally {
	uint64_t mailbox_id, uidnext;
	uint64_t modseq;		/* the one this operation gives */
	uint64_t given;			/* UIDs and modseqs */
	int64_t messages, unseen, deleted, size, deleted_size;	/* by how much the counters change */
	bool claims_recent;		/* none of the messages that are there then is recent any more */
};

/* Begin one; STORE_NOT_FOUND: no such mailbox. */
enum store_status store_tally_begin(
    struct store *store, uint64_t mailbox_id, struct store_tally *tally);

/* Take uidnext for a new message; STORE_LIMIT when there is none left. */
enum store_status store_tally_take_uid(struct store_tally *tally, uint32_t *uid_out);

/* Count a message that comes (1) or goes (-1), or, for both, one that changes. */
void store_tally_count(struct store_tally *tally, const struct store_message *message, int sign);

/* Write it. */
enum store_status store_tally_end(struct store *store, const struct store_tally *tally);

/* Let so much come in: STORE_OVER_QUOTA, or STORE_OK, and then a mark that it passes is news. */
enum store_status store_spend_quota(struct store *store, const struct store_amounts *added);

/*
 * Rows of message, looked up for a list of UIDs.  Rows that lie between two of the list are there,
 * too, so that neighbours can be changed by one statement over a range.
 */
struct store_row {
	struct store_message message;
	size_t place;			/* in the list of UIDs; SIZE_MAX: not in it */
	bool is_wanted;			/* in the list, and to be changed; callers may take it back */
	bool begins_range;		/* what lies before it was not looked up */
};

struct store_rows {
	struct store_row *rows;
	size_t count, capacity;
};

/*
 * Give the rows, to store_rows_fini(); a zeroed store_rows comes in, and may be freed on failure,
 * too.
 */
enum store_status store_rows_init(struct store *store, uint64_t mailbox_id, const uint32_t *uids,
    size_t count, struct store_rows *rows);
void store_rows_fini(struct store_rows *rows);

/* Give the UIDs of all messages of a mailbox, to be freed, also on failure. */
enum store_status store_uids_list(struct store *store, uint64_t mailbox_id, uint32_t **uids_out, size_t *count_out);

/* Give all rows of a mailbox, all of them wanted. */
enum store_status store_rows_init_all(struct store *store, uint64_t mailbox_id, struct store_rows *rows);

/*
 * What is wanted among the rows has left its mailbox, whose keywords are still there: it is kept, or its content is
 * released.
 *
 *	parting	NULL: it is not kept, whatever store_set_retention() says
 */
enum store_status store_rows_part(struct store *store, uint64_t mailbox_id, const struct store_rows *rows,
    const struct store_parting *parting);

/* A mailbox is about to go: its name stays as long as a message of it is kept. */
enum store_status store_note_deleted_mailbox(struct store *store, uint64_t mailbox_id);

/*
 * Find the next range of UIDs in which all rows are wanted; *position starts at 0; false at the
 * end.
 */
bool store_rows_next_range(const struct store_rows *rows, size_t *position,
    struct store_uid_range *range_out);

/* Write or delete rows of message. */
enum store_status store_message_insert(struct store *store, uint64_t mailbox_id,
    const struct store_message *message, int64_t save_date_s);

/* Delete what is wanted among the rows and remember it as expunged; counts it in the tally. */
enum store_status store_rows_expunge(struct store *store, const struct store_rows *rows,
    struct store_tally *tally);

/* Remember which of the rows were wanted as expunged with the modseq of the tally. */
enum store_status store_history_add(struct store *store, const struct store_rows *rows,
    const struct store_tally *tally);

/* Forget what is too old in any mailbox, and what is too much where something was expunged. */
enum store_status store_history_forget(struct store *store);

/* Let store_history_forget() look at a mailbox. */
void store_history_look_at(struct store *store, uint64_t mailbox_id);

/* The highest modseq of an expunge, or 0: who knows of it has missed none. */
enum store_status store_expunged_modseq(struct store *store, uint64_t mailbox_id, uint64_t *modseq_out);

/* Take an id for a content.  In the transaction that uses it; what is undone gives no id back. */
enum store_status store_take_content_id(struct store *store, uint64_t *id_out);

/* The file is to be closed or copied: who opens it next goes on where this one has come to.  Outside of transactions. */
void store_give_back_content_ids(struct store *store);

/* Count one more, or one less, message row that has this content. */
enum store_status store_content_share(struct store *store, uint64_t content_id);
enum store_status store_content_release(struct store *store, uint64_t content_id);

/*
 * A mailbox row, for a new account, a missing parent or a new name.  Parents are made by the
 * caller.
 */
enum store_status store_mailbox_insert(
    struct store *store, struct span name, const char *special_use, uint64_t *mailbox_id_out);
enum store_status store_mailbox_insert_parents(struct store *store, struct span name);

/* Give a new mailbox the rights of the one above it, if there is one: RFC 4314 section 4. */
enum store_status store_acl_inherit(struct store *store, uint64_t mailbox_id, struct span name);

/* Whether a mailbox has this name, and which; STORE_NOT_FOUND. */
enum store_status store_mailbox_id(struct store *store, struct span name, uint64_t *mailbox_id_out);

/* As store_searchable_keep(), for a content that comes in: its texts compressed or not. */
enum store_status store_searchable_insert(struct store *store, uint64_t content_id,
    const struct store_searchable *searchable, bool is_packed);

/* Whether what FETCH answers with of this content is compressed. */
enum store_status store_content_is_packed(struct store *store, uint64_t content_id, bool *is_packed_out);

/* How a content is cut into rows of chunk. */
struct store_layout {
	uint32_t size, header_length;	/* octets */
	uint32_t chunk_octets;		/* of a row that is full, before compression */
};

/* The row of chunk that holds an octet of a content, and where in it. */
uint64_t store_chunk_id(uint64_t content_id, const struct store_layout *layout, uint64_t offset,
    size_t *offset_in_chunk_out);

/* How many octets that row holds, when the content is so large. */
size_t store_chunk_length(const struct store_layout *layout, uint64_t offset);

#endif
