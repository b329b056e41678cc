/*
 * Reading one reply from left to right, by the terminals of the grammar and some that are more tolerant.  Every reader
 * returns false when it makes no sense of what is there.  Private to this room.
 */
#ifndef REPLY_READ_H
#define REPLY_READ_H

#include "cursor.h"
#include "imap/reply.h"

struct reply_cursor {
	struct cursor in;		/* its text is the reply */
	const struct imap_reply_text *text;
	size_t taken;			/* literals that were taken and are behind the cursor */
};

/* A string in any form. */
struct reply_string {
	struct span octets;		/* NIL: at is NULL */
	bool is_nil, is_taken, is_atom;
	uint64_t size;			/* announced, or octets.length */
};

/* What stands up to a space, a parenthesis or the end; false if nothing does. */
bool reply_word(struct reply_cursor *cursor, struct span *word_out);

/* Quoted, literal, literal8, NIL, or a word. */
bool reply_string(struct reply_cursor *cursor, struct reply_string *string_out);

/* Step over a string, a word or a list with all that is in it. */
bool reply_skip(struct reply_cursor *cursor);

/* A number of digits up to max, and nothing else behind them in the word. */
bool reply_number(struct reply_cursor *cursor, uint64_t max, uint64_t *number_out);

/* A set of numbers without "*". */
bool reply_sequence(struct reply_cursor *cursor, struct imap_sequence *sequence_out);
bool reply_read_sequence(struct arena *arena, struct span text, struct imap_sequence *sequence_out);

/* Strings up to the end, or to a parenthesis that closes, which is stepped over. */
bool reply_strings(struct reply_cursor *cursor, struct span **strings_out, size_t *count_out);

/* The same within parentheses; NIL is an empty list. */
bool reply_list(struct reply_cursor *cursor, struct span **strings_out, size_t *count_out);

/* The readers of the kinds of replies, which begin behind their names. */
bool reply_read_code(struct reply_cursor *cursor, struct imap_reply_code *code_out);
bool reply_read_list(struct reply_cursor *cursor, struct imap_list_reply *list_out);
bool reply_read_namespace(struct reply_cursor *cursor, struct imap_namespace_reply *spaces_out);
bool reply_read_status(struct reply_cursor *cursor, struct imap_status_reply *status_out);
bool reply_read_metadata(struct reply_cursor *cursor, struct imap_metadata_reply *metadata_out);
bool reply_read_search(struct reply_cursor *cursor, struct imap_search_reply *search_out);
bool reply_read_esearch(struct reply_cursor *cursor, struct imap_search_reply *search_out);
bool reply_read_vanished(struct reply_cursor *cursor, struct imap_vanished_reply *vanished_out);
bool reply_read_fetch(struct reply_cursor *cursor, struct imap_fetch_reply *fetch_out);

#endif
