/*
 * What SORT and THREAD compare, as room imap makes it, for room store to keep.  Any thread.
 */
#ifndef ORDERING_H
#define ORDERING_H

#include "imap/ordering.h"
#include "store/ordering.h"

/* The same; borrows the texts. */
static inline struct store_ordering
ordering_stored(const struct imap_ordering *ordering)
{
	return (struct store_ordering){
		.has_sent_date = ordering->has_sent_date,
		.sent_s = ordering->sent_s,
		.is_reply = ordering->is_reply,
		.subject = buffer_span(&ordering->subject),
		.from = buffer_span(&ordering->from),
		.to = buffer_span(&ordering->to),
		.cc = buffer_span(&ordering->cc),
		.from_name = buffer_span(&ordering->from_name),
		.to_name = buffer_span(&ordering->to_name),
		.links = buffer_span(&ordering->links),
	};
}

#endif
