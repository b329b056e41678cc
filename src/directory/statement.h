/*
 * Statements of directory.db whose parameters are texts, ?1 being the first.  Worker thread.
 */
#ifndef STATEMENT_H
#define STATEMENT_H

#include "directory/directory.h"
#include "sql/sql.h"

/* How the functions below take the texts. */
#define TEXTS(...) (const struct span[]){ __VA_ARGS__ }, sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span)

/* Run it. */
enum sql_status statement_run(struct sql *sql, const char *statement, const struct span *texts, size_t count);

/* Ask whether it gives a row: SQL_ROW, or SQL_OK. */
enum sql_status statement_find(struct sql *sql, const char *statement, const struct span *texts, size_t count);

/* The same, asked so that SQL_OK is the only good end. */
enum sql_status statement_is_true(struct sql *sql, const char *statement, const struct span *texts, size_t count,
    bool *is_true_out);

/* Run it in the file of a directory of directory_open_sqlite().  DIRECTORY_NOT_FOUND: it has changed no row. */
enum directory_status statement_change(struct directory *directory, const char *statement, const struct span *texts,
    size_t count);

/* Read a column that has a mailbox id.  False: it has none, and id_out is empty. */
bool statement_read_id(struct sql_statement *query, int column, char id_out[DIRECTORY_ID_LENGTH + 1]);

#endif
