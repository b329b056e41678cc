/*
 * Which mailboxes a client means: "filter-mailboxes" of RFC 5465 sections 6 and 8, with "subtree-one" of RFC 7377
 * section 2.2.  Pure.
 */
#ifndef IMAP_FILTER_H
#define IMAP_FILTER_H

#include "base/span.h"

enum imap_filter_kind {
	IMAP_FILTER_SELECTED, IMAP_FILTER_SELECTED_DELAYED,	/* the selected mailbox alone */
	IMAP_FILTER_INBOXES, IMAP_FILTER_PERSONAL, IMAP_FILTER_SUBSCRIBED,
	IMAP_FILTER_SUBTREE, IMAP_FILTER_SUBTREE_ONE, IMAP_FILTER_MAILBOXES,	/* names */
};

struct imap_filter {
	enum imap_filter_kind kind;
	struct span *names;		/* canonical UTF-8, in the order of their octets */
	size_t name_count;
};

static inline bool
imap_filter_is_selected(const struct imap_filter *filter)
{
	return filter->kind == IMAP_FILTER_SELECTED || filter->kind == IMAP_FILTER_SELECTED_DELAYED;
}

/*
 * Whether a mailbox is meant by its name or subscription; never by being the selected one.  Costs its levels times
 * log(names).
 */
bool imap_filter_covers(const struct imap_filter *filter, struct span name, bool is_subscribed);

/* Where ESEARCH looks: RFC 7377 section 2.2. */
struct imap_search_sources {
	bool has_selected;		/* the selected mailbox was said, or no source at all */
	struct imap_filter *filters;	/* the others */
	size_t filter_count;
};

#endif
