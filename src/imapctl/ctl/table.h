/*
 * Records of one kind as a table, its columns named after the keys of the first.
 */
#ifndef IMAPCTL_TABLE_H
#define IMAPCTL_TABLE_H

#include "base/buffer.h"
#include "control/record.h"

/* How many columns a terminal takes for a text, near enough. */
size_t text_width(struct span text);

/*
 * Append the table.
 *
 *	width	of a line at most: cells are broken where it is too little, at spaces if they can be, and where that is not
 *		enough each record becomes a list, a line for each of its fields; 0: as wide as it is
 */
void table_write(const struct record *records, size_t count, size_t width, struct buffer *out);

#endif
