/*
 * Mork, the text in which Thunderbird and its relatives keep what they know of folders (.msf, panacea.dat): rows
 * of named values, and tables of rows.  Pure.
 */
#ifndef IMAPCTL_MORK_H
#define IMAPCTL_MORK_H

#include "base/span.h"

struct mork;
struct mork_table;
struct mork_row;

/*
 * Read a file.  What makes no sense is passed over, and a change that was not finished has not happened.
 * NULL: it does not begin as such files do.
 */
struct mork *mork_read(struct span text);

/* Accepts NULL, leaves NULL behind. */
void mork_free(struct mork **mork);

/* The table of a kind, or NULL: "ns:msg:db:table:kind:msgs". */
const struct mork_table *mork_table(const struct mork *mork, const char *kind);

/* Walk a table's rows in no order: start with *position = 0; NULL at the end. */
const struct mork_row *mork_next_row(const struct mork_table *table, size_t *position);

uint32_t mork_row_id(const struct mork_row *row);

/* The value in a column; empty when there is none.  Borrowed until mork_free(). */
struct span mork_cell(const struct mork *mork, const struct mork_row *row, const char *column);

#endif
