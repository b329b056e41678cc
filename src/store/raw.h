/*
 * Rows of tables as they lie in the pages of a damaged file, read without SQLite and without what leads to them: the leaves
 * of b-trees, by https://www.sqlite.org/fileformat2.html, sections 1.6 and 2.1.  Rows that were deleted may be among them.
 * Worker threads.
 */
#ifndef RAW_H
#define RAW_H

#include "base/buffer.h"
#include "base/span.h"

#define RAW_PAGE	4096	/* octets; every file of ours has such */
#define RAW_COLUMNS_MAX 24
#define RAW_TABLE_LEAF	0x0d

struct raw {
	int descriptor;
	uint32_t pages;
};

/* False: errno says why. */
bool raw_open(const char *path, struct raw *raw);
void raw_close(struct raw *raw);

/* A row of a leaf: the types of its columns are known, its octets are not read yet. */
struct raw_row {
	uint32_t page;
	int64_t key;			/* the rowid */
	size_t count;			/* columns */
	uint64_t types[RAW_COLUMNS_MAX];	/* serial types: 0 NULL, 1 to 9 numbers, from 12 on blobs and texts by turns */
	uint64_t length;		/* octets of the record */
	size_t header_length;		/* of them before the columns */
	struct span local;		/* what of it lies in the page */
	uint32_t overflow;		/* the page with what does not; 0: none */
};

/* False ends it.  The row lives until return. */
typedef bool raw_visitor(const struct raw *raw, const struct raw_row *row, void *context);

/*
 * Visit the rows of each page but the first that is a leaf of a table, in which every row is well-formed.
 *
 * False: reading has failed, or the visitor said so.
 */
bool raw_each_row(const struct raw *raw, raw_visitor *visitor, void *context);

/* A column: a number, or octets, which live in the record. */
struct raw_value {
	bool is_null, is_number, is_text;
	int64_t number;
	struct span octets;
};

/* Read a row's columns.  False: they are not all there. */
bool raw_read(const struct raw *raw, const struct raw_row *row, struct buffer *record, struct raw_value values_out[RAW_COLUMNS_MAX]);

/* How many octets a blob of this type has; UINT64_MAX: it is none. */
uint64_t raw_blob_length(uint64_t type);

/* Whether it is one of a number. */
bool raw_is_number(uint64_t type);

#endif
