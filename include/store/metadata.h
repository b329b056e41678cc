/*
 * Annotations of mailboxes and of the server: an entry has a value, RFC 5464 section 3.  They lie in the file of the
 * user who sees them; what a mailbox's own user sets there as shared is seen by all who may.  Worker threads only.
 */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "store/store.h"

#define STORE_ANNOTATION_OCTETS	     65536	/* of a value; more is for the caller to refuse */
#define STORE_ANNOTATIONS_MAX	     1000	/* of a mailbox, or the server */
#define STORE_ANNOTATIONS_OCTETS_MAX (1024 * 1024)	/* of their values */
#define STORE_ANNOTATIONS_ALL_MAX    20000	/* in a file */

/* What is annotated. */
struct store_annotated {
	struct span owner;		/* empty: this file's own; else the mailbox id of another user (directory) */
	uint64_t mailbox_id;		/* in the owner's file; 0: the server */
};

struct store_annotation {
	struct span entry;		/* "/private/comment", ASCII; in any case */
	struct span value;		/* at is NULL: there is none */
	uint64_t size_octets;		/* of the value; for visitors */
};

enum store_depth { STORE_DEPTH_ENTRY, STORE_DEPTH_CHILDREN, STORE_DEPTH_ALL };

/*
 * Visit an entry and those below it, as far as there are any, in the order of their names.
 *
 *	octets_max	the value of what is larger is not read: at is NULL
 *	visitor		the annotation is borrowed until return; must not call the store
 */
typedef void store_annotation_visitor(const struct store_annotation *annotation, void *context);

enum store_status store_annotation_each(struct store *store, const struct store_annotated *annotated, struct span entry,
    enum store_depth depth, uint64_t octets_max, store_annotation_visitor *visitor, void *context);

/*
 * Set values, or take away those that are NULL; the mailbox has been found.  STORE_LIMIT: there would be too many.
 */
enum store_status store_annotations_set(struct store *store, const struct store_annotated *annotated,
    const struct store_annotation *annotations, size_t count);

#endif
