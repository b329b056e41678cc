/*
 * The keys of a SEARCH that look for a text, those of one kind together: they are looked for in one reading, however many
 * there are.  Worker, one at a time; pure.
 */
#ifndef MAILBOX_SEARCH_GROUPS_H
#define MAILBOX_SEARCH_GROUPS_H

#include "mime/keys.h"
#include "program.h"

/* All BODY, all TEXT, all FROM and so on, or all HEADER with one field. */
struct search_group {
	enum imap_search_key key;
	struct span field;		/* HEADER */
	size_t first, count;		/* its leaves, in the list of all */
	struct mime_keys *keys;		/* NULL until it is asked for */
	bool is_found;			/* all of them, in the fields read so far */
};

/* A header block of which a part is read. */
struct search_fields {
	bool is_begun;
	size_t offset;			/* so far */
	size_t open_count;		/* groups that have not found all their keys */
};

struct search_groups {
	const struct search_program *program;
	uint32_t *leaves;		/* nodes, group by group */
	size_t leaf_count;
	struct search_group *groups;	/* HEADER first, in the order of their fields */
	size_t count, header_count;
	uint32_t *of_node;		/* which group */
	struct buffer decoded, folded;
};

/* The program is borrowed until search_groups_fini(), which accepts a zeroed one. */
void search_groups_init(struct search_groups *groups, const struct search_program *program);
void search_groups_fini(struct search_groups *groups);

/* The group of a leaf, its keys ready to be looked for. */
struct search_group *search_groups_of(struct search_groups *groups, const struct imap_search_node *leaf);

/* Look for the keys of a group in a text that is whole; NULL: there is none, and nothing is in it. */
void search_groups_look(struct search_groups *groups, struct search_group *group, const struct buffer *text,
    uint8_t *known);

/*
 * Look for the keys of all HEADER groups in a header block.
 *
 *	fields	  zeroed at first
 *	until_us  clock_monotonic_us() at which to stop after some fields
 *
 * False: it stopped, and is to be called again.  True: all leaves of HEADER are known.
 */
bool search_groups_read_header(struct search_groups *groups, struct span header, struct search_fields *fields,
    uint64_t until_us, uint8_t *known);

/* Put into known, where it is IMAP_UNKNOWN, whether the keys of a group were found. */
void search_groups_answer(const struct search_groups *groups, const struct search_group *group, uint8_t *known);

#endif
