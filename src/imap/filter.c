/*
 * Filters of mailboxes.  Names are looked up, not walked through: a client may give thousands.  Pure.
 */
#include "imap/filter.h"

#include "imap/mailbox_name.h"

static bool
has_name(const struct imap_filter *filter, struct span name)
{
	size_t low = 0, high = filter->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(filter->names[middle], name);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
has_name_above(const struct imap_filter *filter, struct span name)
{
	for (name = imap_name_parent(name); name.length > 0; name = imap_name_parent(name))
		if (has_name(filter, name))
			return true;
	return false;
}

/* Mail is delivered to INBOX alone. */
bool
imap_filter_covers(const struct imap_filter *filter, struct span name, bool is_subscribed)
{
	switch (filter->kind) {
	case IMAP_FILTER_INBOXES:
		return span_equals(name, SPAN("INBOX"));
	case IMAP_FILTER_PERSONAL:
		return true;
	case IMAP_FILTER_SUBSCRIBED:
		return is_subscribed;
	case IMAP_FILTER_SUBTREE:
		return has_name(filter, name) || has_name_above(filter, name);
	case IMAP_FILTER_SUBTREE_ONE:
		return has_name(filter, name) || has_name(filter, imap_name_parent(name));
	case IMAP_FILTER_MAILBOXES:
		return has_name(filter, name);
	case IMAP_FILTER_SELECTED:
	case IMAP_FILTER_SELECTED_DELAYED:
		break;
	}
	return false;
}
