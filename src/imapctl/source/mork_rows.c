#include "mork_rows.h"

#include <stdlib.h>

#include "base/memory.h"

#define CELLS_MAX 1024	/* in a row; Thunderbird has some sixty columns */

struct mork_row *
mork_row_get(struct map *rows, struct span key, uint32_t id)
{
	struct mork_row *row = map_get(rows, key);

	if (row != NULL)
		return row;
	row = NEW(struct mork_row);
	row->id = id;
	map_put(rows, key, row);
	return row;
}

void
mork_row_set(struct mork_row *row, uint32_t column, struct span value)
{
	for (size_t i = 0; i < row->count; i++) {
		if (row->cells[i].column == column) {
			row->cells[i].value = value;
			return;
		}
	}
	if (row->count == CELLS_MAX)
		return;
	if (row->count % 8 == 0)
		row->cells = memory_resize(row->cells, row->count + 8, sizeof *row->cells);
	row->cells[row->count++] = (struct cell){ column, value };
}

struct mork_table *
mork_table_get(struct map *tables, struct span key)
{
	struct mork_table *table = map_get(tables, key);

	if (table != NULL)
		return table;
	table = NEW(struct mork_table);
	table->rows = map_new();
	map_put(tables, key, table);
	return table;
}

void
mork_rows_free(struct map **rows)
{
	size_t position = 0;
	struct span key;
	void *row;

	while (map_next(*rows, &position, &key, &row)) {
		free(((struct mork_row *)row)->cells);
		free(row);
	}
	map_free(rows);
}

void
mork_tables_free(struct map **tables)
{
	size_t position = 0;
	struct span key;
	void *table;

	while (map_next(*tables, &position, &key, &table)) {
		map_free(&((struct mork_table *)table)->rows);
		free(table);
	}
	map_free(tables);
}
