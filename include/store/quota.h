/*
 * What one user may keep: the resources of RFC 9208 section 5.  Usage is summed up from the counters of the mailboxes,
 * never from the messages.  Worker threads only.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/store.h"

enum store_resource {
	STORE_RESOURCE_STORAGE,		/* octets of all messages; one in two mailboxes counts twice */
	STORE_RESOURCE_MESSAGE,		/* messages in all mailboxes */
	STORE_RESOURCE_MAILBOX,		/* mailboxes, INBOX among them */
	STORE_RESOURCE_COUNT
};

#define STORE_NO_QUOTA UINT64_MAX

/* Of each resource so much; as a limit, STORE_NO_QUOTA is none. */
struct store_amounts {
	uint64_t of[STORE_RESOURCE_COUNT];
};

struct store_quota {
	struct store_amounts limits;
	unsigned warning_percent;	/* of a limit: from there on there are news; 0: never */
};

/* A resource that has come above the mark. */
struct store_quota_news {
	enum store_resource resource;
	uint64_t used, limit;
};

/* Say what is used, and which limits there are. */
enum store_status store_usage(struct store *store, struct store_amounts *usage_out, struct store_amounts *limits_out);

/*
 * Set the limits: what would bring a resource above its limit is STORE_OVER_QUOTA, and changes nothing.  Moving brings
 * nothing.  Not stored; after opening there are none.
 */
void store_set_quota(struct store *store, const struct store_quota *quota);

/* Say that so much leaves in the step that is under way, until the next call: what takes its place is no more. */
void store_credit_quota(struct store *store, const struct store_amounts *leaving);

/* Say how much more fits: STORE_NO_QUOTA of what has no limit. */
enum store_status store_quota_room(struct store *store, struct store_amounts *room_out);

/* Take what has passed the mark since this was called last, one resource, the fullest.  False: none has. */
bool store_take_quota_news(struct store *store, struct store_quota_news *news_out);

#endif
