/*
 * The first page of a file says what the file is, and where its tables begin: without it SQLite reads nothing.  Worker
 * threads.
 */
#ifndef FIRST_PAGE_H
#define FIRST_PAGE_H

#include "store/store.h"

/*
 * Make a copy of a file, and of the log beside it, that has a first page again: the header is the same for all files of a
 * version, and the leaves of the table of tables are found by what is in them.
 *
 *	copy_path	nothing is there
 *
 * STORE_CORRUPT: what comes of it has not the tables of this version; the copy may be there nevertheless.
 */
enum store_status first_page_rebuild(const char *path, const char *copy_path);

#endif
