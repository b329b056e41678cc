/*
 * Links and sessions.
 */
#include "sessions.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

#define SECOND_US UINT64_C(1000000)

/* A link that nobody has followed yet. */
struct pass {
	struct list link;
	struct identity who;
	uint64_t made_us;
	char secret[SECRET_LENGTH + 1];
};

/* 64 characters, so that each takes 6 bits of an octet and none is likelier than another. */
static void
make_secret(char *secret)
{
	static const char letters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t octets[SECRET_LENGTH];

	random_fill(octets, sizeof octets);
	for (size_t i = 0; i < sizeof octets; i++)
		secret[i] = letters[octets[i] & 63];
	secret[SECRET_LENGTH] = '\0';
	memory_wipe(octets, sizeof octets);
}

static bool
is_secret(const char *secret, struct span given)
{
	return given.length == SECRET_LENGTH && memory_equals_secret(secret, given.at, SECRET_LENGTH);
}

static void
pass_end(struct pass *pass)
{
	list_remove(&pass->link);
	memory_wipe(pass, sizeof *pass);
	free(pass);
}

void
session_end(struct session *session)
{
	list_remove(&session->link);
	memory_wipe(session, sizeof *session);
	free(session);
}

static bool
is_over(const struct session *session, uint64_t now_us)
{
	return now_us - session->began_us >= SESSION_SECONDS * SECOND_US ||
	    now_us - session->used_us >= SESSION_IDLE_S * SECOND_US;
}

static void
drop_old(struct sessions *sessions, uint64_t now_us)
{
	LIST_FOREACH(&sessions->links, link) {
		struct pass *pass = LIST_ENTRY(link, struct pass, link);

		if (now_us - pass->made_us >= LINK_SECONDS * SECOND_US)
			pass_end(pass);
	}
	LIST_FOREACH(&sessions->all, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (is_over(session, now_us))
			session_end(session);
	}
}

void
sessions_init(struct sessions *sessions)
{
	list_init(&sessions->links);
	list_init(&sessions->all);
}

void
sessions_fini(struct sessions *sessions)
{
	sessions_end(sessions, 0, true, 0);
}

const char *
sessions_new_link(struct sessions *sessions, const struct identity *who, uint64_t now_us)
{
	struct pass *pass = NEW(struct pass);
	struct pass *oldest = NULL;
	size_t count = 0;

	drop_old(sessions, now_us);
	LIST_FOREACH(&sessions->links, link) {
		struct pass *other = LIST_ENTRY(link, struct pass, link);

		if (other->who.uid == who->uid && count++ == 0)
			oldest = other;
	}
	if (count >= PER_USER_MAX)
		pass_end(oldest);
	pass->who = *who;
	pass->made_us = now_us;
	make_secret(pass->secret);
	list_push_back(&sessions->links, &pass->link);
	return pass->secret;
}

static void
make_room(struct sessions *sessions, uid_t uid)
{
	struct session *oldest = NULL;
	size_t count = 0;

	LIST_FOREACH(&sessions->all, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->who.uid == uid && count++ == 0)
			oldest = session;
	}
	if (count >= PER_USER_MAX)
		session_end(oldest);
}

struct session *
sessions_begin(struct sessions *sessions, struct span secret, uint64_t now_us)
{
	struct session *session;
	struct pass *found = NULL;

	drop_old(sessions, now_us);
	LIST_FOREACH(&sessions->links, link) {
		struct pass *pass = LIST_ENTRY(link, struct pass, link);

		if (is_secret(pass->secret, secret))
			found = pass;
	}
	if (found == NULL)
		return NULL;
	make_room(sessions, found->who.uid);
	session = NEW(struct session);
	session->who = found->who;
	session->began_us = session->used_us = now_us;
	make_secret(session->cookie);
	make_secret(session->key);
	list_push_back(&sessions->all, &session->link);
	pass_end(found);
	return session;
}

struct session *
sessions_find(struct sessions *sessions, struct span cookie, struct span key, uint64_t now_us)
{
	struct session *found = NULL;

	drop_old(sessions, now_us);
	LIST_FOREACH(&sessions->all, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);
		bool has_cookie = is_secret(session->cookie, cookie), has_key = is_secret(session->key, key);

		if (has_cookie && has_key)
			found = session;
	}
	if (found != NULL)
		found->used_us = now_us;
	return found;
}

size_t
sessions_end(struct sessions *sessions, uid_t uid, bool is_all, uint64_t now_us)
{
	size_t count = 0;

	drop_old(sessions, now_us);
	LIST_FOREACH(&sessions->links, link) {
		struct pass *pass = LIST_ENTRY(link, struct pass, link);

		if (is_all || pass->who.uid == uid)
			pass_end(pass);
	}
	LIST_FOREACH(&sessions->all, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (is_all || session->who.uid == uid) {
			session_end(session);
			count++;
		}
	}
	return count;
}
