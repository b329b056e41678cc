/*
 * Links that are good once, and the sessions that they begin.  All of it is in memory: a restart ends it.  The clock is
 * the monotonic one, so that setting the time neither ends nor prolongs anything.  Loop thread.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <sys/types.h>

#include "base/list.h"
#include "base/span.h"

#define SECRET_LENGTH	 43	/* characters of base64url: 256 bits */
#define LINK_SECONDS	 120
#define SESSION_SECONDS	 (12 * 3600)
#define SESSION_IDLE_S	 1800	/* without a call; an open page calls all the time */
#define PER_USER_MAX	 8	/* links, and sessions: one more ends the oldest of the same user */

struct identity {
	uid_t uid;
	gid_t gid;
	char name[64];
	bool may_change;	/* as it was when the link was asked for; the control asks again at each call */
};

/*
 * A session is proved by two secrets: the cookie, which a browser also sends to whoever else listens on this host, on
 * any port; and the key, which the page keeps and sends in a header, and which no other origin can read.
 */
struct session {
	struct list link;
	struct identity who;
	uint64_t began_us, used_us;
	char cookie[SECRET_LENGTH + 1], key[SECRET_LENGTH + 1];
};

struct sessions {
	struct list links, all;
};

void sessions_init(struct sessions *sessions);
void sessions_fini(struct sessions *sessions);

/* A new link's secret; borrowed until the next call. */
const char *sessions_new_link(struct sessions *sessions, const struct identity *who, uint64_t now_us);

/* Use a link up and begin a session; NULL: there is none such, or it is too old, or it was used. */
struct session *sessions_begin(struct sessions *sessions, struct span secret, uint64_t now_us);

/* NULL: there is none, or it is over.  Both secrets are compared in a time that tells nothing of them. */
struct session *sessions_find(struct sessions *sessions, struct span cookie, struct span key, uint64_t now_us);

void session_end(struct session *session);

/* End those of a user and the links that wait, or all; gives how many sessions there were. */
size_t sessions_end(struct sessions *sessions, uid_t uid, bool is_all, uint64_t now_us);

#endif
