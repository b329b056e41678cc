/*
 * Frames of a WAL as folding reads them, mostly one behind the other: many at a time.  Nobody writes there meanwhile.  One
 * thread at a time.
 */
#ifndef SQL_FRAMES_H
#define SQL_FRAMES_H

#include <sqlite3.h>
#include <stdint.h>

#define FRAME_HEADER  24		/* octets before each page: sqlite.org/fileformat2.html section 4 */
#define FRAMES_OCTETS (31 * (FRAME_HEADER + 4096))

/* Zeroed: none. */
struct frames {
	uint8_t *octets;		/* FRAMES_OCTETS of buffers.h; NULL: none */
	sqlite3_int64 at;		/* where they begin */
};

/* As xRead of the WAL; of FRAMES_OCTETS at most. */
int frames_read(struct frames *frames, sqlite3_file *wal, void *octets, int length, sqlite3_int64 offset);

/* Folding is over. */
void frames_drop(struct frames *frames);

#endif
