/*
 * Who else may do what with a user's mailboxes: RFC 4314.  What is kept are rights of identifiers, nothing of the owner's.
 * Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#include "base/arena.h"
#include "store/store.h"

#define STORE_RIGHTS_ALL	0x7ffu	/* a bit for each; which ones, knows imap/rights.h */
#define STORE_ACL_MAX		1000	/* identifiers of one mailbox; more is STORE_LIMIT */
#define STORE_IDENTIFIER_MAX	257	/* octets: a group's name, with "-" and "$" */

struct store_acl_entry {
	struct span identifier;
	unsigned rights;
};

/* Who somebody is: the identifiers that mean them, without "-". */
struct store_identity {
	const struct span *names;
	size_t count;
};

/* Give what a mailbox's rights are, in the order of the octets of the identifiers, from the arena. */
enum store_status store_acl_get(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_acl_entry **entries_out, size_t *count_out);

/* Give an identifier these rights and no others; 0: it has no row any more, and need not have had one. */
enum store_status store_acl_set(struct store *store, uint64_t mailbox_id, struct span identifier, unsigned rights);

/* What an identifier itself is given; 0: it has no row. */
enum store_status store_acl_of(struct store *store, uint64_t mailbox_id, struct span identifier, unsigned *rights_out);

/* What somebody may: all that any of the identifiers gives, without what one with "-" takes. */
enum store_status store_acl_rights(struct store *store, uint64_t mailbox_id, const struct store_identity *who,
    unsigned *rights_out);

/*
 * The identifiers that some mailbox of the file gives something, those with "-" left out, in the order of their octets;
 * from the arena.
 */
enum store_status store_acl_identifiers(struct store *store, struct arena *arena, struct span **names_out,
    size_t *count_out);

/* Take an identifier, and what was taken from it, out of all mailboxes. */
enum store_status store_acl_forget(struct store *store, struct span identifier);

/* Whether some mailbox gives an identifier something, or takes it. */
enum store_status store_acl_has(struct store *store, struct span identifier, bool *is_there_out);

/*
 * What an identifier was given is another's from now on, and what was taken from it as well; where that other one has
 * something already, both hold together.
 */
enum store_status store_acl_rename(struct store *store, struct span from, struct span to);

#endif
