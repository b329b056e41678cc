/*
 * What has been read of the WAL stays until something else is asked for, or folding is over.
 */
#include "frames.h"

#include <string.h>

#include "buffers.h"

_Static_assert(FRAMES_OCTETS <= BUFFERS_OCTETS, "frames have room in a buffer");

void
frames_drop(struct frames *frames)
{
	if (frames->octets != NULL)
		buffers_give(frames->octets);
	frames->octets = NULL;
}

/* Near the end of the WAL there is less than a buffer: a frame is read alone. */
int
frames_read(struct frames *frames, sqlite3_file *wal, void *octets, int length, sqlite3_int64 offset)
{
	int code = SQLITE_OK;

	if (frames->octets == NULL || offset < frames->at || offset + length > frames->at + FRAMES_OCTETS) {
		if (frames->octets == NULL)
			frames->octets = buffers_take();
		frames->at = offset;
		code = wal->pMethods->xRead(wal, frames->octets, FRAMES_OCTETS, offset);
	}
	if (code != SQLITE_OK) {
		frames_drop(frames);
		return wal->pMethods->xRead(wal, octets, length, offset);
	}
	memcpy(octets, frames->octets + (offset - frames->at), (size_t)length);
	return SQLITE_OK;
}
