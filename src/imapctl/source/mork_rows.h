/*
 * The rows and tables of a Mork file while it is read.
 */
#ifndef IMAPCTL_MORK_ROWS_H
#define IMAPCTL_MORK_ROWS_H

#include "base/map.h"

struct cell {
	uint32_t column;
	struct span value;
};

struct mork_row {
	uint32_t id;
	struct cell *cells;
	size_t count;
};

struct mork_table {
	struct span kind;
	struct map *rows;	/* borrowed from the map of all */
};

/* The row or table of a key, made when it is not there. */
struct mork_row *mork_row_get(struct map *rows, struct span key, uint32_t id);
struct mork_table *mork_table_get(struct map *tables, struct span key);

/* Set a cell; a row that is too long loses it. */
void mork_row_set(struct mork_row *row, uint32_t column, struct span value);

/* Free maps of them, with what is in them. */
void mork_rows_free(struct map **rows);
void mork_tables_free(struct map **tables);

#endif
