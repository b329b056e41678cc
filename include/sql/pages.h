/*
 * A file page by page, as it is while others write to it: first the pages of the file itself, which nobody folds the WAL
 * into meanwhile, then those that have been committed to the WAL since, in their order.  Whoever writes the pages down one
 * over the other has the file as it is.  Worker thread, between transactions.
 */
#ifndef SQL_PAGES_H
#define SQL_PAGES_H

#include "sql/sql.h"

#define SQL_PAGE_OCTETS 4096
#define SQL_PAGE_RECORD (4 + SQL_PAGE_OCTETS)	/* the number of the page, most significant octet first, and the page */

struct sql_pages {
	uint32_t file_pages;		/* of the file when it began */
	uint32_t read_pages;		/* of them so far */
	uint64_t frame;			/* of the WAL that comes next */
	bool has_salt;
	uint32_t salt[2], sum[2];	/* of the WAL; of its frames so far */
	bool is_big_endian;		/* its checksums are */
	uint32_t page_count;		/* of all that was read: how long the file is to be */
};

/*
 * Fold the WAL, and let nobody fold it from now on, commits included.
 *
 * SQL_BUSY: a foreign tool reads the file, or may write to it: gather.h.
 */
enum sql_status sql_pages_begin(struct sql *sql, struct sql_pages *pages);

/* It may be folded again.  Harmless when it may. */
void sql_pages_end(struct sql *sql);

/*
 * Append records of pages.
 *
 *	octets_max	about so many; a transaction is not divided
 *	is_more_out	whether there are more now
 *
 * SQL_NOT_FOUND: the WAL is another one; begin anew.
 */
enum sql_status sql_pages_read(struct sql *sql, struct sql_pages *pages, size_t octets_max, struct buffer *out,
    bool *is_more_out);

/* The octets of the WAL that were not read yet, about. */
uint64_t sql_pages_left(const struct sql *sql, const struct sql_pages *pages);

/* The number of the newest migration of a schema that this program knows. */
int sql_schema_newest(const char *schema);

#endif
