/*
 * Texts of one row that are kept together as one zstd frame: schema/mail.012.sql.  Worker threads.  Private to this
 * room.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include "internal.h"

#define TEXTS_MAX	 6	/* of a row */
#define TEXTS_IN_CONTENT 5	/* body, bodystructure, parts, message_id, preview */

/*
 * Pack texts where that saves a fifth of them; at is NULL for one that is not there.  With the file's dictionary, if it
 * has one.
 *
 *	out	 appended: the frame
 *
 * *encoding_out is ENCODING_NONE, and nothing was appended, where they are to be kept as they are.
 */
enum store_status texts_pack(struct store *store, const struct span *texts, size_t count, int64_t *encoding_out,
    struct buffer *out);

/*
 * Give back texts of a row.
 *
 *	room		 cleared; what texts_out borrows from
 *	texts_out	 count of them
 *
 * STORE_CORRUPT: it is damaged, or what it was packed with is.
 */
enum store_status texts_unpack(struct store *store, int64_t encoding, struct span packed, size_t count,
    struct buffer *room, struct span *texts_out);

/* Bind the encoding, NULL for ENCODING_NONE, and what was packed. */
void texts_bind(struct sql_statement *statement, int first_parameter, int64_t encoding, const struct buffer *packed);

#endif
