/*
 * Giving and taking rights in an account: what is in directory.db and in memory (shares.h) is never less than in the
 * owner's file.  Loop thread.
 */
#ifndef SHARE_GRANTS_H
#define SHARE_GRANTS_H

#include "shares.h"

/*
 * An identifier is about to get rights in an account.  done comes once, at once or later; with DIRECTORY_OK the right may
 * be written, and shares_settle() is called when it was, or was not.
 */
struct share_grant {
	bool is_shared;			/* the account is a shared one; to be filled in, false where it is known */
	struct role_ask ask;
	struct account *account;
	struct span identifier;		/* borrowed until done */
	void (*done)(struct share_grant *grant, enum directory_status status);
	bool is_counted;
};
void shares_grant(struct mailbox_role *role, struct share_grant *grant, struct account *account,
    struct span identifier);
void shares_settle(struct mailbox_role *role, struct share_grant *grant);

/*
 * After each change: find out in a job of the account who has no rights there any more, if some were taken, or were not
 * given after all, now or earlier when grants were under way.
 */
void shares_tidy(struct mailbox_role *role, struct account *account, bool is_taken);

#endif
