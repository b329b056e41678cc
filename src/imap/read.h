/*
 * One reader for the arguments of each command.  They begin at the space behind the name and read to the end of
 * the command; imap_read_command() checks that the end is reached.  Private to this room.
 */
#ifndef READ_H
#define READ_H

#include "cursor.h"

/*
 * Read a whole command into line, whose arena the cursor uses.  On failure line->tag holds the tag, if there is
 * one, else "*".
 */
bool imap_read_command(struct cursor *cursor, struct imap_command_line *line);

/* What is masked is as unknown as what never was. */
bool imap_check_masks(struct cursor *cursor, struct imap_command_line *line);

/* "tag SP name", with UID before the name if it is there. */
bool imap_read_start(struct cursor *cursor, struct imap_command_line *line);

bool imap_read_fetch(struct cursor *cursor, struct imap_command_line *line);
/* "(UID FLAGS)", for NOTIFY: RFC 5465 section 8. */
bool imap_read_fetch_items(struct cursor *cursor, struct imap_fetch *fetch);
/* "SUBTREE (a b)" and its kind; is_search: as ESEARCH has them, not NOTIFY. */
bool imap_read_filter(struct cursor *cursor, bool is_search, struct imap_filter *filter_out);
/* Put the names of a filter in order, after more were added. */
void imap_sort_filter(struct imap_filter *filter);
bool imap_read_notify(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_search(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_esearch(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_sort(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_thread(struct cursor *cursor, struct imap_command_line *line);
/* Of these: "RETURN (...)" with its space, if it is there; a charset with its space; the keys, to the end. */
bool imap_read_search_returns(struct cursor *cursor, struct imap_search *search);
bool imap_read_search_charset(struct cursor *cursor, struct imap_search *search);
bool imap_read_search_keys(struct cursor *cursor, struct imap_search *search);
/* All that stands behind SEARCH and its space. */
bool imap_read_search_program(struct cursor *cursor, struct imap_search *search);
bool imap_read_list(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_lsub(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_status(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_select(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_create(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_mailbox(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_rename(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_id(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_login(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_authenticate(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_enable(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_compress(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_expunge(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_store(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_copy(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_get_quota(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_set_quota(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_get_metadata(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_set_metadata(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_identifier(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_setacl(struct cursor *cursor, struct imap_command_line *line);
bool imap_read_uid_batches(struct cursor *cursor, struct imap_command_line *line);

/*
 * Read, from the tag on, the pairs of an ID that are whole and followed by another, and count them in
 * cursor->forgotten: who holds the text may cut these octets out.  False: there are none, or this is no ID.
 */
bool imap_skip_id_pairs(struct cursor *cursor, struct imap_command_line *line, size_t *begin_out, size_t *length_out);

/* "(/private/comment /shared)": entries whose values are asked for. */
bool imap_read_entries(struct cursor *cursor, struct imap_annotation **annotations, size_t *count);

/* "(MESSAGES UIDNEXT)" to IMAP_STATUS_*. */
bool imap_read_status_items(struct cursor *cursor, unsigned *items_out);

/* RFC 7162 section 7: mod-sequence values reach 2^63-1. */
bool imap_read_modseq(struct cursor *cursor, uint64_t *modseq_out);

/* "1:500" or "-1:-100": RFC 9394 section 4. */
bool imap_read_partial(struct cursor *cursor, struct imap_partial *partial_out);

/*
 * What stands before the message literal in APPEND: for the first message from the tag on, for the others from
 * the end of the message before.  The text ends where the literal's "{" or "~{" begins.  *is_message_out is
 * false when that literal is the mailbox name instead.
 */
bool imap_read_append(struct cursor *cursor, struct imap_command_line *line, struct imap_append_message *message,
    bool *is_message_out);
bool imap_read_append_next(struct cursor *cursor, struct imap_append_message *message);

#endif
