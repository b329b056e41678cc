/*
 * What NOTIFY asks for: RFC 5465 section 8.  Pure.
 */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "imap/fetch.h"

#define IMAP_EVENT_MESSAGE_NEW		1u
#define IMAP_EVENT_MESSAGE_EXPUNGE	2u
#define IMAP_EVENT_FLAG_CHANGE		4u
#define IMAP_EVENT_MAILBOX_NAME		8u
#define IMAP_EVENT_SUBSCRIPTION_CHANGE	16u
#define IMAP_EVENTS_OF_MESSAGES		(IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE | IMAP_EVENT_FLAG_CHANGE)

enum imap_notify_filter {
	IMAP_NOTIFY_SELECTED, IMAP_NOTIFY_SELECTED_DELAYED,	/* at most one group has one of these two */
	IMAP_NOTIFY_INBOXES, IMAP_NOTIFY_PERSONAL, IMAP_NOTIFY_SUBSCRIBED,
	IMAP_NOTIFY_SUBTREE, IMAP_NOTIFY_MAILBOXES,		/* names */
};

struct imap_notify_group {
	enum imap_notify_filter filter;
	struct span *names;		/* canonical UTF-8 */
	size_t name_count;
	unsigned events;		/* IMAP_EVENT_*; 0: NONE */
	struct imap_fetch fetch;	/* of MessageNew in the selected mailbox; item_count 0: no FETCH */
};

struct imap_notify {
	bool is_none;			/* NOTIFY NONE */
	bool wants_status;		/* SET STATUS */
	bool has_unknown_event;		/* to be refused with BADEVENT */
	struct imap_notify_group *groups;
	size_t group_count;
};

/* "MessageNew MessageExpunge ...", all that can be asked for. */
extern const char imap_event_names[];

#endif
