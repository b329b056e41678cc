/*
 * The more was read one behind the other, the more is read ahead: one read too many costs as much as what it may spare.
 */
#include "ahead.h"

#include <string.h>

#include "buffers.h"

#define OCTETS_MIN (4 * 4096)
#define OCTETS_MAX (16 * 4096)

_Static_assert(OCTETS_MAX <= BUFFERS_OCTETS, "what is read ahead has room in a buffer");

void
ahead_init(struct ahead *ahead)
{
	*ahead = (struct ahead){ .read_end = -1, .next_length = OCTETS_MIN };
}

void
ahead_drop(struct ahead *ahead)
{
	if (ahead->octets != NULL)
		buffers_give(ahead->octets);
	ahead->octets = NULL;
	ahead->length = 0;
	ahead->size = 0;
}

static bool
has(const struct ahead *ahead, int length, sqlite3_int64 offset)
{
	return offset >= ahead->at && offset + length <= ahead->at + (sqlite3_int64)ahead->length;
}

/* Where that fails, nothing is there, and asking for less says why. */
static void
fill(struct ahead *ahead, sqlite3_file *file, sqlite3_int64 offset)
{
	size_t length = ahead->next_length;

	if (ahead->size == 0 && file->pMethods->xFileSize(file, &ahead->size) != SQLITE_OK)
		return;
	if (offset >= ahead->size)
		return;
	if (offset + (sqlite3_int64)length > ahead->size)
		length = (size_t)(ahead->size - offset);
	if (ahead->octets == NULL)
		ahead->octets = buffers_take();
	ahead->at = offset;
	ahead->length = length;
	if (file->pMethods->xRead(file, ahead->octets, (int)length, offset) != SQLITE_OK)
		ahead_drop(ahead);
	else if (ahead->next_length < OCTETS_MAX)
		ahead->next_length *= 2;
}

int
ahead_read(struct ahead *ahead, sqlite3_file *file, bool may_read_ahead, void *octets, int length, sqlite3_int64 offset)
{
	bool follows = offset == ahead->read_end;

	ahead->read_end = offset + length;
	if (!follows)
		ahead->next_length = OCTETS_MIN;
	if (follows && may_read_ahead && !has(ahead, length, offset))
		fill(ahead, file, offset);
	if (!has(ahead, length, offset))
		return file->pMethods->xRead(file, octets, length, offset);
	memcpy(octets, ahead->octets + (offset - ahead->at), (size_t)length);
	return SQLITE_OK;
}
