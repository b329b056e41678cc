/*
 * A copy of a user's file while the user works: its pages in slices, then those that were committed since, until nothing is
 * left.  Worker threads, between transactions.
 */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include "sql/pages.h"
#include "store/store.h"

#define STORE_PAGE_OCTETS SQL_PAGE_OCTETS
#define STORE_PAGE_RECORD SQL_PAGE_RECORD

/* Where a copy has come to. */
struct store_pages {
	struct sql_pages pages;
	uint64_t opening;		/* of the store: once it is closed, the copy is void */
};

/* Begin: the WAL grows from now on.  STORE_UNAVAILABLE: a foreign tool reads the file. */
enum store_status store_pages_begin(struct store *store, struct store_pages *pages);

/* The WAL may be folded again. */
void store_pages_end(struct store *store);

/*
 * Append records of STORE_PAGE_RECORD octets: a page's number, most significant octet first, and the page.
 *
 *	octets_max	about so many
 *	is_more_out	whether there are more now
 *
 * STORE_NOT_FOUND: the file was opened anew meanwhile; begin again.
 */
enum store_status store_pages_read(struct store *store, struct store_pages *pages, size_t octets_max, struct buffer *out,
    bool *is_more_out);

/* About so many octets were committed and not read. */
uint64_t store_pages_left(const struct store *store, const struct store_pages *pages);

/* Say in the file that no change of it may be missing, as an orderly end does; durable.  The next lazy commit takes it back. */
enum store_status store_settle(struct store *store);

/* What the schema of files is called that this program makes; older ones it brings up to date. */
int store_schema_newest(void);

/* Take a file that was copied: flush it and let it be the one at path.  False: errno says why. */
bool store_pages_adopt(const char *copy_path, const char *path);

#endif
