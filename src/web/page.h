/*
 * The files of the page, embedded when the program is built (etc/embed-page): what lies in src/web/page/.
 */
#ifndef PAGE_H
#define PAGE_H

#include "base/span.h"

struct page_file {
	const char *path;	/* "/style.css"; NULL ends the table */
	const char *type;
	struct span octets;
};

extern const struct page_file page_files[];

#endif
