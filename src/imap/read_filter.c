/*
 * Reading "filter-mailboxes": RFC 5465 section 8, RFC 7377 section 4.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "read.h"

static bool
read_name(struct cursor *cursor, void *context)
{
	struct imap_filter *filter = context;

	return cursor_mailbox(cursor, cursor_grow(cursor, (void **)&filter->names, &filter->name_count,
	    sizeof filter->names[0]));
}

static int
compare(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

void
imap_sort_filter(struct imap_filter *filter)
{
	if (filter->name_count > 0)
		qsort(filter->names, filter->name_count, sizeof filter->names[0], compare);
}

/* one-or-more-mailbox */
static bool
read_names(struct cursor *cursor, struct imap_filter *filter)
{
	bool is_read;

	if (!cursor_space(cursor))
		return false;
	is_read = cursor_peek(cursor) == '(' ? cursor_list(cursor, false, read_name, filter) : read_name(cursor, filter);
	if (is_read)
		imap_sort_filter(filter);
	return is_read;
}

bool
imap_read_filter(struct cursor *cursor, bool is_search, struct imap_filter *filter_out)
{
	static const struct {
		const char *name;
		enum imap_filter_kind kind;
		bool is_for_notify, is_for_search;
	} filters[] = {
		{ "SELECTED", IMAP_FILTER_SELECTED, true, true },
		{ "SELECTED-DELAYED", IMAP_FILTER_SELECTED_DELAYED, true, false },
		{ "INBOXES", IMAP_FILTER_INBOXES, true, true },
		{ "PERSONAL", IMAP_FILTER_PERSONAL, true, true },
		{ "SUBSCRIBED", IMAP_FILTER_SUBSCRIBED, true, true },
		{ "SUBTREE", IMAP_FILTER_SUBTREE, true, true },
		{ "SUBTREE-ONE", IMAP_FILTER_SUBTREE_ONE, false, true },
		{ "MAILBOXES", IMAP_FILTER_MAILBOXES, true, true },
	};

	*filter_out = (struct imap_filter){ .names = NULL };
	for (size_t i = 0; i < COUNT_OF(filters); i++) {
		if (!(is_search ? filters[i].is_for_search : filters[i].is_for_notify) ||
		    !cursor_word(cursor, filters[i].name))
			continue;
		filter_out->kind = filters[i].kind;
		return filters[i].kind < IMAP_FILTER_SUBTREE || read_names(cursor, filter_out);
	}
	return cursor_fail(cursor, "Unknown filter of mailboxes");
}
