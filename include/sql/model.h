/*
 * Whether a file that somebody has brought has the tables that its version says.  Worker thread.
 */
#ifndef SQL_MODEL_H
#define SQL_MODEL_H

#include "sql/sql.h"

/*
 * Compare tables, columns and indexes with those of a new file of this schema, which sql_open() has brought the file to; a
 * view that is another one is made anew.  What there is beyond is left alone.
 *
 *	difference_out	appended when there is one: a few words
 *
 * SQL_CORRUPT: there is a difference.
 */
enum sql_status sql_check_model(struct sql *sql, const char *schema, struct buffer *difference_out);

#endif
