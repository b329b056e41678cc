/*
 * Giving and taking rights in a mailbox, for SETACL, DELETEACL and the operator.  Who gets rights is in the directory
 * before they are in the file (shared/share_grants.h).  Loop thread.
 */
#ifndef ACL_CHANGE_H
#define ACL_CHANGE_H

#include "../shared/share_grants.h"
#include "door.h"

/* Lives inside whatever asks; stays until done(). */
struct acl_change {
	/* To be filled in. */
	struct arena *arena;
	struct door door;		/* with IMAP_RIGHT_ADMINISTER */
	struct span identifier;		/* acl_identifier() */
	enum imap_acl_kind kind;
	unsigned rights;
	bool is_shared;			/* the account is a shared one, as far as is known */
	void (*done)(struct acl_change *change);

	enum store_status status;	/* STORE_FORBIDDEN: of the owner; STORE_UNAVAILABLE: also, the directory could not note it */
	uint64_t mailbox_id;

	/* Private. */
	struct mailbox_role *role;
	struct account_job job;
	struct share_grant grant;
	struct span former, present;	/* of a user who has another name: the file may say the old one; empty: nobody */
};

void acl_change_begin(struct mailbox_role *role, struct acl_change *change);

/*
 * What a client or the operator wrote, as it is kept: a user's name as directory_prepare_name() makes it, "anyone",
 * "authenticated", or "$" and a group's name, "-" before it or not; in the arena.  False: nobody is called so.
 */
bool acl_identifier(struct span text, struct arena *arena, struct span *identifier_out);

/* Whether the identifier, or what stands behind its "-", is the account's owner. */
bool acl_is_owner(const struct account *account, struct span identifier);

#endif
