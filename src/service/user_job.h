/*
 * What an operator asks about one user, as the files share it that answer it: users.c does it, user_options.c reads what
 * was said.  Loop thread, except where said.
 */
#ifndef USER_JOB_H
#define USER_JOB_H

#include "internal.h"

enum order { ORDER_ADD, ORDER_PASSWD, ORDER_SET, ORDER_ALLOW, ORDER_DENY, ORDER_SHOW, ORDER_LIST };

struct user_job {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	enum order order;
	bool may_exist;			/* --if-missing */
	bool has_home;			/* home= was said */
	bool has_enabled, is_enabled;	/* imap= was said: on */
	bool is_released;		/* entry=any was said */
	bool has_master, is_master;	/* master= was said: on */
	struct directory_name delegate;	/* delegate= was said */
	bool is_shared;			/* shared was said */
	bool has_limit[DIRECTORY_RESOURCE_COUNT];	/* quota-...= was said: as in quota */
	struct directory_quota quota;	/* when that is set: what holds now, for mailbox_id */
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	char *home;
	struct directory_name name;
	struct buffer password;		/* wiped when derived */
	struct buffer credential;
	struct buffer lines;		/* of the answer, each with a line feed */
	bool has_no_password;		/* tokens and certificates alone prove the user */
	bool wants_sha1;		/* keys for SCRAM-SHA-1, too */
	bool is_derived;
	enum directory_status status;
};

void user_job_free(struct user_job *job);

/* Whether a quota-...= was said.  Any thread. */
bool user_job_has_limits(const struct user_job *job);

/* Of a user's limits: what is said of them, and how they are shown. */
extern const char *const user_limit_names[DIRECTORY_RESOURCE_COUNT];

/* Whether users may live there.  False: the call was answered. */
bool user_home_check(const struct service *service, struct control_call *call, struct span home);

/* Read the words behind the name.  False: the call was answered, the job is gone. */
bool user_options_read(struct user_job *job);

#endif
