/*
 * A ring of links that live inside what they link: no allocation, removal in one step.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

struct list {
	struct list *next, *previous;
};

/* Make an empty head, or a link that is in no list. */
static inline void
list_init(struct list *list)
{
	list->next = list->previous = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void
list_insert_before(struct list *place, struct list *link)
{
	link->next = place;
	link->previous = place->previous;
	place->previous->next = link;
	place->previous = link;
}

static inline void
list_push_back(struct list *head, struct list *link)
{
	list_insert_before(head, link);
}

static inline void
list_push_front(struct list *head, struct list *link)
{
	list_insert_before(head->next, link);
}

/* Take it out; harmless when it is in no list. */
static inline void
list_remove(struct list *link)
{
	link->next->previous = link->previous;
	link->previous->next = link->next;
	list_init(link);
}

/* Move everything from one head to the end of another. */
static inline void
list_move_all(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->previous = to->previous;
	from->previous->next = to;
	to->previous->next = from->next;
	to->previous = from->previous;
	list_init(from);
}

/* Take the first link out, or NULL. */
static inline struct list *
list_pop_front(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_remove(link);
	return link;
}

#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)

/* Walk a list; the current entry may be removed or freed in the body. */
#define LIST_FOREACH(head, link)                                                                   \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);          \
	    link = link##_next, link##_next = link->next)

#endif
