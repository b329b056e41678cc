/*
 * What NOTIFY asks for: RFC 5465 section 8.  Pure.
 */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "imap/fetch.h"
#include "imap/filter.h"

#define IMAP_EVENT_MESSAGE_NEW		1u
#define IMAP_EVENT_MESSAGE_EXPUNGE	2u
#define IMAP_EVENT_FLAG_CHANGE		4u
#define IMAP_EVENT_MAILBOX_NAME		8u
#define IMAP_EVENT_SUBSCRIPTION_CHANGE	16u
#define IMAP_EVENT_MAILBOX_METADATA	32u
#define IMAP_EVENT_SERVER_METADATA	64u
#define IMAP_EVENTS_OF_MESSAGES		(IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE | IMAP_EVENT_FLAG_CHANGE)

struct imap_notify_group {
	struct imap_filter filter;	/* at most one group is of the selected mailbox */
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
