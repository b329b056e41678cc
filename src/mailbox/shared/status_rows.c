/*
 * Remembering rows.  Loop thread.
 */
#include "status_rows.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

#define AGE_US	  (5 * UINT64_C(1000000))	/* nobody looks whether the file is still the same one meanwhile */
#define AHEAD_MAX 64				/* some 100 us */
#define ROWS_MAX  1024

void
status_rows_fini(struct status_rows *rows)
{
	size_t position = 0;
	struct span name;
	void *row;

	if (rows->by_name == NULL)
		return;
	while (map_next(rows->by_name, &position, &name, &row))
		free(row);
	map_free(&rows->by_name);
}

void
status_rows_sweep(struct status_rows *rows, uint64_t now_us)
{
	if (rows->by_name != NULL && now_us - rows->since_us > AGE_US)
		status_rows_fini(rows);
}

const struct store_mailbox *
status_rows_find(struct status_rows *rows, uint64_t now_us, struct span name)
{
	status_rows_sweep(rows, now_us);
	return rows->by_name != NULL ? map_get(rows->by_name, name) : NULL;
}

size_t
status_rows_ahead(struct status_rows *rows)
{
	if (rows->by_name == NULL)
		rows->ahead = 0;
	rows->ahead = rows->ahead == 0 ? 1 : rows->ahead < AHEAD_MAX ? 2 * rows->ahead : AHEAD_MAX;
	return rows->ahead;
}

void
status_rows_add(struct status_rows *rows, uint64_t changes, uint64_t now_us, const struct store_mailbox *mailboxes, size_t count)
{
	if (changes != rows->changes)
		return;
	if (rows->by_name != NULL && map_count(rows->by_name) + count > ROWS_MAX)
		status_rows_fini(rows);
	if (rows->by_name == NULL) {
		rows->by_name = map_new();
		rows->since_us = now_us;
	}
	for (size_t i = 0; i < count; i++) {
		struct store_mailbox *row = NEW(struct store_mailbox);

		*row = mailboxes[i];
		row->name = row->special_use = NULL;
		free(map_put(rows->by_name, span_from_string(mailboxes[i].name), row));
	}
}

void
status_rows_change(struct status_rows *rows)
{
	rows->changes++;
	status_rows_fini(rows);
}
