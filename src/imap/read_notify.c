/*
 * Arguments of NOTIFY.  RFC 5465 section 8.  Pure.
 */
#include "base/memory.h"
#include "read.h"

#define NEW_AND_EXPUNGE (IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE)

static const struct {
	const char *name;
	unsigned event;			/* 0: known, and not to be had */
} events[] = {
	{ "MessageNew", IMAP_EVENT_MESSAGE_NEW },
	{ "MessageExpunge", IMAP_EVENT_MESSAGE_EXPUNGE },
	{ "FlagChange", IMAP_EVENT_FLAG_CHANGE },
	{ "MailboxName", IMAP_EVENT_MAILBOX_NAME },
	{ "SubscriptionChange", IMAP_EVENT_SUBSCRIPTION_CHANGE },
	{ "MailboxMetadataChange", IMAP_EVENT_MAILBOX_METADATA },
	{ "ServerMetadataChange", IMAP_EVENT_SERVER_METADATA },
};

const char imap_event_names[] = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
	"MailboxMetadataChange ServerMetadataChange";

struct reading {
	struct imap_notify *notify;
	struct imap_notify_group *group;
};

/* "MessageNew (UID FLAGS)": the list only for the selected mailbox. */
static bool
read_new_items(struct cursor *cursor, struct imap_notify_group *group)
{
	struct span next = span_slice(cursor->text, cursor->at, 2);

	if (!span_equals(next, SPAN(" (")))
		return true;
	if (!imap_filter_is_selected(&group->filter))
		return cursor_fail(cursor, "Items of FETCH are for the selected mailbox alone");
	return cursor_space(cursor) && imap_read_fetch_items(cursor, &group->fetch);
}

static bool
read_event(struct cursor *cursor, void *context)
{
	struct reading *reading = context;
	struct span name;

	if (!cursor_atom(cursor, &name))
		return false;
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		if (!span_equals_nocase(name, span_from_string(events[i].name)))
			continue;
		reading->group->events |= events[i].event;
		return events[i].event != IMAP_EVENT_MESSAGE_NEW || read_new_items(cursor, reading->group);
	}
	reading->notify->has_unknown_event = true;
	return true;
}

/* Section 5: who is told of new messages is told of those that go, and flags belong to both. */
static bool
check_events(struct cursor *cursor, const struct imap_notify_group *group)
{
	unsigned both = group->events & NEW_AND_EXPUNGE;

	if (both != 0 && both != NEW_AND_EXPUNGE)
		return cursor_fail(cursor, "MessageNew and MessageExpunge belong together");
	if ((group->events & IMAP_EVENT_FLAG_CHANGE) != 0 && both == 0)
		return cursor_fail(cursor, "FlagChange needs MessageNew and MessageExpunge");
	if (imap_filter_is_selected(&group->filter) && (group->events & ~IMAP_EVENTS_OF_MESSAGES) != 0)
		return cursor_fail(cursor, "The selected mailbox has events of messages alone");
	return true;
}

static bool
check_group(struct cursor *cursor, const struct imap_notify *notify)
{
	size_t selected = 0;

	for (size_t i = 0; i < notify->group_count; i++)
		selected += imap_filter_is_selected(&notify->groups[i].filter);
	return selected <= 1 || cursor_fail(cursor, "SELECTED or SELECTED-DELAYED, once");
}

static bool
read_group(struct cursor *cursor, struct imap_notify *notify)
{
	struct imap_notify_group group = { 0 };
	struct reading reading = { notify, &group };

	if (!cursor_node(cursor) || !cursor_expect(cursor, '(') ||
	    !imap_read_filter(cursor, false, &group.filter) || !cursor_space(cursor))
		return false;
	if (!cursor_word(cursor, "NONE") && !cursor_list(cursor, false, read_event, &reading))
		return false;
	if (!cursor_expect(cursor, ')') || !check_events(cursor, &group))
		return false;
	*(struct imap_notify_group *)cursor_grow(cursor, (void **)&notify->groups, &notify->group_count, sizeof group) =
	    group;
	return check_group(cursor, notify);
}

bool
imap_read_notify(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_notify *notify = &line->notify;

	if (!cursor_space(cursor))
		return false;
	if (cursor_word(cursor, "NONE"))
		return notify->is_none = true;
	if (!cursor_word(cursor, "SET"))
		return cursor_fail(cursor, "NOTIFY takes SET or NONE");
	if (!cursor_space(cursor))
		return false;
	notify->wants_status = cursor_word(cursor, "STATUS");
	if (notify->wants_status && !cursor_space(cursor))
		return false;
	do {
		if (!read_group(cursor, notify))
			return false;
	} while (cursor_skip(cursor, ' '));
	return true;
}
