/*
 * What SORT and THREAD ask for beside their search keys: RFC 5256 section 3, RFC 5957.  Pure.
 */
#ifndef IMAP_SORT_H
#define IMAP_SORT_H

#include <stdbool.h>
#include <stddef.h>

enum imap_sort_key {
	IMAP_SORT_ARRIVAL, IMAP_SORT_CC, IMAP_SORT_DATE, IMAP_SORT_DISPLAYFROM, IMAP_SORT_DISPLAYTO, IMAP_SORT_FROM,
	IMAP_SORT_SIZE, IMAP_SORT_SUBJECT, IMAP_SORT_TO,
	IMAP_SORT_KEY_COUNT
};

struct imap_sort_criterion {
	enum imap_sort_key key;
	bool is_reverse;
};

struct imap_sort {
	struct imap_sort_criterion criteria[IMAP_SORT_KEY_COUNT];	/* a key that comes again decides nothing */
	size_t count;			/* at least one */
};

enum imap_thread_algorithm {
	IMAP_THREAD_ORDEREDSUBJECT, IMAP_THREAD_REFERENCES, IMAP_THREAD_REFS,
	IMAP_THREAD_ALGORITHM_COUNT
};

#endif
