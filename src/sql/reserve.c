/*
 * Zeros, and not only room: what is allocated and not written has to be noted as written by the next flush.
 */
#include "reserve.h"

#include <stdint.h>

#define PIECE	   (31 * 4096)	/* SQLite's unix VFS wants less than 128 KiB */
#define MORE_LEAST 65536
#define MORE_MOST  (4 * PIECE)

void
reserve_forget(struct reserve *reserve)
{
	reserve->size = 0;
}

static int
write_zeros(sqlite3_file *file, sqlite3_int64 from, sqlite3_int64 to)
{
	static const uint8_t zeros[PIECE];
	int code = SQLITE_OK;

	for (; from < to && code == SQLITE_OK; from += PIECE)
		code = file->pMethods->xWrite(file, zeros, to - from < PIECE ? (int)(to - from) : PIECE, from);
	return code;
}

void
reserve_more(struct reserve *reserve, sqlite3_file *file, sqlite3_int64 end)
{
	sqlite3_int64 more = end < MORE_LEAST ? MORE_LEAST : end > MORE_MOST ? MORE_MOST : end;

	if (end <= reserve->size)
		return;
	if (reserve->size == 0 && (file->pMethods->xFileSize(file, &reserve->size) != SQLITE_OK || reserve->size > end))
		return;
	reserve->size = end + more;
	if (write_zeros(file, end, reserve->size) != SQLITE_OK) {
		file->pMethods->xTruncate(file, end);
		reserve->size = end;
	}
}
