/*
 * The files of the protocol log: one a day, another when it is full, the oldest removed.  Blocks: a worker's.
 */
#ifndef PROTOCOL_FILE_H
#define PROTOCOL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define PROTOCOL_FILE_MAX (10 * 1024 * 1024)	/* octets; the next file has the next number */

struct protocol_file {
	const char *folder;		/* borrowed, as the settings */
	uint64_t size_max, time_max_s;
	int descriptor;			/* -1: none is open */
	char day[9];			/* "20261129", in UTC */
	uint64_t size;			/* of what is whole */
	bool is_full;			/* the disk was, at the last try */
};

/* The folder is made when the first line is written. */
void protocol_file_init(struct protocol_file *file, const char *folder, uint64_t size_max, uint64_t time_max_s);

/* Append whole lines.  False: errno says why, and none of them is there. */
bool protocol_file_write(struct protocol_file *file, struct span lines);

void protocol_file_close(struct protocol_file *file);

#endif
