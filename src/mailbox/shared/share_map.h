/*
 * The memory of shares.h: who shares with which identifiers.  It knows no directory, no file and no session; shares.c fills
 * it and asks it, share_grants.c adds to it and takes away.  Loop thread.
 */
#ifndef SHARE_MAP_H
#define SHARE_MAP_H

#include "shares.h"

struct shares {
	struct map *owners;		/* id: struct share_owner */
	struct map *given;		/* identifier: struct given */
	bool is_read, is_reading;
	size_t sharing[2];		/* owners with identifiers: users, and shared accounts */
};

struct given {
	struct span identifier;
	struct map *owners;		/* name: struct share_owner */
};

/* Empty; and with all owners. */
struct shares *share_map_new(void);
void share_map_free(struct shares **shares);

/* The owner with this mailbox id, made where there is none: with this name, and no identifiers. */
struct share_owner *share_map_owner(struct shares *shares, const char *id, struct span name, bool is_shared);

/* NULL: nobody of this name shares.  Looks through all. */
struct share_owner *share_map_owner_named(const struct shares *shares, struct span name);

/* The owner gives this identifier something; copies.  Does nothing where that is known. */
void share_map_add(struct shares *shares, struct share_owner *owner, struct span identifier);

/* The owner gives it nothing any more; who has nothing of anybody is freed. */
void share_map_drop(struct shares *shares, struct share_owner *owner, struct given *given);

/* The owner gives nobody anything any more, and stays. */
void share_map_drop_all(struct shares *shares, struct share_owner *owner);

/* Nobody gives it anything any more; it is freed. */
void share_map_forget(struct shares *shares, struct given *given);

/* The owner is found by this name from now on; copies. */
void share_map_rename_owner(struct share_owner *owner, struct span to);

/* What it has been given is given to this one, but by an owner of that name; it is freed. */
void share_map_rename_identifier(struct shares *shares, struct given *given, struct span to);

/* Forget an owner with no identifiers. */
void share_map_free_owner(struct shares *shares, struct share_owner *owner);

#endif
