/*
 * Threading.  Its steps have the numbers of RFC 5256 section 3, REFERENCES.
 *
 * Only parents are noted while messages come in.  Lists of children are made from all messages sorted by date, the last
 * first, each put before those that are there already: so every list is sorted, and so is that of the roots.  REFS takes
 * the roots from all messages by arrival.
 */
#include "thread.h"

#include <stdlib.h>

#include "base/memory.h"

#define NODES_MAX	(4u << 20)
#define STEPS_MAX	(UINT64_C(1) << 27)	/* real mail needs a few for each message */
#define SLICE_MESSAGES	10000

void
thread_init(struct thread *thread, enum imap_thread_algorithm algorithm, struct keys *keys,
    const struct sort_message *messages, size_t count)
{
	*thread = (struct thread){ .algorithm = algorithm, .keys = keys,
		.by_date = { .criteria = { { IMAP_SORT_DATE, false } }, .count = 1 },
		.by_arrival = { .criteria = { { IMAP_SORT_ARRIVAL, false } }, .count = 1 } };
	sorter_init(&thread->sorter, &thread->by_date, keys, messages, count);
	sorter_init(&thread->arrivals, &thread->by_arrival, keys, messages, algorithm == IMAP_THREAD_REFS ? count : 0);
	thread->nodes_of = memory_new_array(count, sizeof *thread->nodes_of);
	thread->node_capacity = count + 64;
	thread->nodes = memory_new_array(thread->node_capacity, sizeof *thread->nodes);
	thread->node_count = 1;
	thread->identifiers = keys->link_texts.count;
	thread->linked = memory_new_array(thread->identifiers, sizeof *thread->linked);
	thread->subjects = keys->texts[KEYS_SUBJECT].count;
	thread->titled = memory_new_array(thread->subjects, sizeof *thread->titled);
}

void
thread_fini(struct thread *thread)
{
	sorter_fini(&thread->sorter);
	sorter_fini(&thread->arrivals);
	free(thread->nodes_of);
	free(thread->nodes);
	free(thread->linked);
	free(thread->titled);
	buffer_free(&thread->list);
}

unsigned
thread_fields(enum imap_thread_algorithm algorithm)
{
	return (algorithm == IMAP_THREAD_REFS ? 0 : STORE_ORDERING_SUBJECT) |
	    (algorithm == IMAP_THREAD_ORDEREDSUBJECT ? 0 : STORE_ORDERING_LINKS);
}

size_t
thread_octets(const struct thread *thread)
{
	return thread->node_capacity * sizeof *thread->nodes + thread->list.capacity +
	    thread->identifiers * sizeof *thread->linked + thread->subjects * sizeof *thread->titled +
	    (thread->sorter.count + thread->arrivals.count) * SORTER_OCTETS + thread->sorter.count * sizeof *thread->nodes_of;
}

/* ---- nodes ---------------------------------------------------------------------------------------------- */

static bool
is_dummy(const struct thread *thread, uint32_t node)
{
	return thread->nodes[node].message == 0;
}

static uint32_t
add_node(struct thread *thread)
{
	if (thread->node_count == thread->node_capacity) {
		thread->node_capacity *= 2;
		thread->nodes = memory_resize(thread->nodes, thread->node_capacity, sizeof *thread->nodes);
	}
	thread->nodes[thread->node_count] = (struct thread_node){ .parent = 0 };
	return (uint32_t)thread->node_count++;
}

/* Find the node of a message identifier, or make a dummy. */
static uint32_t
node_of(struct thread *thread, uint32_t link)
{
	if (thread->linked[link] == 0)
		thread->linked[link] = add_node(thread);
	return thread->linked[link];
}

/* ---- step 1: links -------------------------------------------------------------------------------------- */

/* Whether a node is the other one or below it. */
static bool
is_within(struct thread *thread, uint32_t node, uint32_t other)
{
	if (thread->nodes[other].children == 0)
		return node == other;
	while (node != 0 && node != other) {
		node = thread->nodes[node].parent;
		thread->steps++;
	}
	return node == other;
}

static void
unlink_node(struct thread *thread, uint32_t node)
{
	thread->nodes[thread->nodes[node].parent].children--;
	thread->nodes[node].parent = 0;
}

/* The root counts no children yet: they are those without a parent. */
static void
link_node(struct thread *thread, uint32_t node, uint32_t parent)
{
	thread->nodes[node].parent = parent;
	thread->nodes[parent].children++;
}

/* The node of a new message: one of its own if it has no identifier, or one that another message has. */
static uint32_t
node_of_message(struct thread *thread, uint32_t link)
{
	uint32_t node = link == TEXTS_EMPTY ? 0 : node_of(thread, link);

	return node != 0 && is_dummy(thread, node) ? node : add_node(thread);
}

/* Step 1: the references of a message are parents and children, and the last is its own parent. */
static void
link_message(struct thread *thread, uint32_t node, const uint32_t *references, size_t count)
{
	uint32_t last = 0;

	for (size_t i = 0; i < count && thread->steps <= STEPS_MAX; i++) {
		uint32_t next = node_of(thread, references[i]);

		if (last != 0 && thread->nodes[next].parent == 0 && !is_within(thread, last, next))
			link_node(thread, next, last);
		last = next;
	}
	if (thread->nodes[node].parent != 0)
		unlink_node(thread, node);
	if (last != 0 && !is_within(thread, last, node))
		link_node(thread, node, last);
}

static void
place_message(struct thread *thread, size_t place)
{
	size_t count = 0;
	const uint32_t *links = NULL;
	uint32_t node;

	if (thread->algorithm != IMAP_THREAD_ORDEREDSUBJECT)
		links = keys_links(thread->keys, thread->sorter.messages[place].slot, &count);
	node = node_of_message(thread, count > 0 ? links[0] : TEXTS_EMPTY);
	thread->nodes_of[place] = node;
	thread->nodes[node].message = (uint32_t)place + 1;
	if (links != NULL)
		link_message(thread, node, links + 1, count > 0 ? count - 1 : 0);
}

/* Some of the messages.  True: all. */
static bool
place_messages(struct thread *thread)
{
	for (size_t i = 0; i < SLICE_MESSAGES && thread->placed < thread->sorter.count && !thread->is_too_much; i++) {
		place_message(thread, thread->placed++);
		thread->is_too_much = thread->node_count > NODES_MAX || thread->steps > STEPS_MAX;
	}
	return thread->placed == thread->sorter.count || thread->is_too_much;
}

/* ---- steps 2 and 3: without dummies --------------------------------------------------------------------- */

/*
 * Where the children of a dummy go: to the nearest message above it, or to the highest dummy.  What is found is noted
 * as the parent of all dummies on the way, so that a long way is gone once.
 */
static uint32_t
heir_of(struct thread *thread, uint32_t dummy)
{
	struct thread_node *nodes = thread->nodes;
	uint32_t heir = dummy, next;

	while (nodes[heir].parent != 0 && is_dummy(thread, heir))
		heir = nodes[heir].parent;
	for (; dummy != heir; dummy = next) {
		next = nodes[dummy].parent;
		nodes[dummy].parent = heir;
	}
	return heir;
}

/* Dummies stay as roots, if two or more messages are below them. */
static void
prune(struct thread *thread)
{
	struct thread_node *nodes = thread->nodes;

	for (size_t i = 1; i < thread->node_count; i++)
		if (!is_dummy(thread, (uint32_t)i) && nodes[i].parent != 0)
			nodes[i].parent = heir_of(thread, nodes[i].parent);
	for (size_t i = 0; i < thread->node_count; i++)
		nodes[i].children = 0;
	for (size_t i = 1; i < thread->node_count; i++)
		if (!is_dummy(thread, (uint32_t)i))
			nodes[nodes[i].parent].children++;
	for (size_t i = 1; i < thread->node_count; i++)
		if (!is_dummy(thread, (uint32_t)i) && nodes[i].parent != 0 && is_dummy(thread, nodes[i].parent) &&
		    nodes[nodes[i].parent].children == 1) {
			unlink_node(thread, (uint32_t)i);
			nodes[0].children++;
		}
}

/* ---- steps 4 and 6: sorted lists ------------------------------------------------------------------------ */

static void
put_first(struct thread *thread, uint32_t node, uint32_t parent)
{
	thread->nodes[node].next = thread->nodes[parent].child;
	thread->nodes[parent].child = node;
}

static uint32_t
top_of(struct thread *thread, uint32_t node)
{
	struct thread_node *nodes = thread->nodes;
	uint32_t top = node;

	while (nodes[top].top == 0 && nodes[top].parent != 0)
		top = nodes[top].parent;
	if (nodes[top].top == 0)
		nodes[top].top = top;
	top = nodes[top].top;
	for (; nodes[node].top == 0; node = nodes[node].parent)
		nodes[node].top = top;
	return top;
}

/* A dummy stands where the first of its children would: when all of them have come by. */
static void
put_by_first(struct thread *thread, uint32_t node)
{
	struct thread_node *nodes = thread->nodes;
	uint32_t parent = nodes[node].parent;

	put_first(thread, node, parent);
	if (parent != 0 && is_dummy(thread, parent) && --nodes[parent].children == 0)
		put_first(thread, parent, 0);
}

static void
make_lists(struct thread *thread)
{
	for (size_t i = 0; i < thread->node_count; i++)
		thread->nodes[i].child = thread->nodes[i].next = 0;
	for (size_t i = thread->sorter.count; i > 0; i--) {
		uint32_t node = thread->nodes_of[thread->sorter.order[i - 1]];

		if (thread->algorithm != IMAP_THREAD_REFS)
			put_by_first(thread, node);
		else if (thread->nodes[node].parent != 0)
			put_first(thread, node, thread->nodes[node].parent);
	}
}

/* A root of REFS stands where the last message of its thread would, by arrival: that one comes by first. */
static void
list_roots(struct thread *thread)
{
	struct thread_node *nodes = thread->nodes;

	for (size_t i = thread->arrivals.count; i > 0; i--) {
		uint32_t top = top_of(thread, thread->nodes_of[thread->arrivals.order[i - 1]]);

		if (nodes[top].children != UINT32_MAX)
			put_first(thread, top, 0);
		nodes[top].children = UINT32_MAX;
	}
}

/* ---- step 5: subjects ----------------------------------------------------------------------------------- */

static uint32_t
slot_of(const struct thread *thread, uint32_t node)
{
	return thread->sorter.messages[thread->nodes[node].message - 1].slot;
}

/* The number of a subject: TEXTS_EMPTY is none. */
static uint32_t
subject_of(const struct thread *thread, uint32_t node)
{
	if (is_dummy(thread, node))
		node = thread->nodes[node].child;
	return thread->keys->numbers[KEYS_SUBJECT][slot_of(thread, node)];
}

static bool
is_reply(const struct thread *thread, uint32_t node)
{
	return thread->keys->is_reply[slot_of(thread, node)];
}

/* Step 5.B. */
static void
note_subjects(struct thread *thread)
{
	for (uint32_t node = thread->nodes[0].child; node != 0; node = thread->nodes[node].next) {
		uint32_t subject = subject_of(thread, node), noted = thread->titled[subject];

		if (subject == TEXTS_EMPTY)
			continue;
		if (noted == 0 || (!is_dummy(thread, noted) && (is_dummy(thread, node) ||
		    (is_reply(thread, noted) && !is_reply(thread, node)))))
			thread->titled[subject] = node;
	}
}

/* Step 5.C for one root and what has its subject. */
static void
merge(struct thread *thread, uint32_t subject, uint32_t node, uint32_t noted)
{
	uint32_t dummy;

	if (is_dummy(thread, node)) {		/* then both are */
		for (uint32_t child = thread->nodes[node].child; child != 0; child = thread->nodes[child].next)
			thread->nodes[child].parent = noted;
	} else if (is_dummy(thread, noted) || (is_reply(thread, node) && !is_reply(thread, noted))) {
		thread->nodes[node].parent = noted;
	} else {
		dummy = add_node(thread);
		thread->nodes[node].parent = thread->nodes[noted].parent = dummy;
		thread->titled[subject] = dummy;
	}
}

/* Lists are as they were, and stale; parents are right. */
static void
merge_subjects(struct thread *thread)
{
	note_subjects(thread);
	for (uint32_t node = thread->nodes[0].child; node != 0; node = thread->nodes[node].next) {
		uint32_t subject = subject_of(thread, node), noted = thread->titled[subject];

		if (subject != TEXTS_EMPTY && noted != node)
			merge(thread, subject, node, noted);
	}
	for (size_t i = 0; i < thread->node_count; i++)
		thread->nodes[i].children = 0;
	for (size_t i = 0; i < thread->sorter.count; i++)
		thread->nodes[thread->nodes[thread->nodes_of[i]].parent].children++;
}

/* ORDEREDSUBJECT: the first of a subject by date is the parent of all others. */
static void
group_by_subject(struct thread *thread)
{
	for (size_t i = 0; i < thread->sorter.count; i++) {
		uint32_t node = thread->nodes_of[thread->sorter.order[i]];
		uint32_t *first = &thread->titled[subject_of(thread, node)];

		thread->nodes[node].parent = *first;
		if (*first == 0)
			*first = node;
	}
}

/* ---- the list ------------------------------------------------------------------------------------------- */

static void
put(struct thread *thread, uint32_t token)
{
	buffer_add(&thread->list, &token, sizeof token);
}

/* Parentheses stand around a root and around each of several siblings. */
static bool
has_parentheses(const struct thread *thread, uint32_t node)
{
	uint32_t parent = thread->nodes[node].parent;

	return parent == 0 || thread->nodes[thread->nodes[parent].child].next != 0;
}

/* All of a node is there: go to the next sibling, of the first one above that has one; 0: that was all. */
static uint32_t
go_on_behind(struct thread *thread, uint32_t node)
{
	for (; node != 0; node = thread->nodes[node].parent) {
		if (has_parentheses(thread, node))
			put(thread, THREAD_CLOSE);
		if (thread->nodes[node].next != 0)
			return thread->nodes[node].next;
	}
	return 0;
}

static void
write_list(struct thread *thread)
{
	uint32_t node = thread->nodes[0].child;

	while (node != 0) {
		if (has_parentheses(thread, node))
			put(thread, THREAD_OPEN);
		if (!is_dummy(thread, node))
			put(thread, thread->nodes[node].message - 1);
		node = thread->nodes[node].child != 0 ? thread->nodes[node].child : go_on_behind(thread, node);
	}
}

/* What is left to do when all is sorted. */
static void (*const steps[IMAP_THREAD_ALGORITHM_COUNT][6])(struct thread *thread) = {
	[IMAP_THREAD_ORDEREDSUBJECT] = { group_by_subject, make_lists, write_list },
	[IMAP_THREAD_REFERENCES] = { prune, make_lists, merge_subjects, make_lists, write_list },
	[IMAP_THREAD_REFS] = { prune, make_lists, list_roots, write_list },
};

bool
thread_advance(struct thread *thread)
{
	if (!sorter_advance(&thread->sorter) || !sorter_advance(&thread->arrivals) || !place_messages(thread))
		return false;
	if (thread->is_too_much)
		return true;
	steps[thread->algorithm][thread->step++](thread);
	return steps[thread->algorithm][thread->step] == NULL;
}

uint64_t
thread_steps(const struct thread *thread, uint64_t *total)
{
	uint64_t done = sorter_steps(&thread->sorter, total) + sorter_steps(&thread->arrivals, total);

	*total += thread->sorter.count;
	for (unsigned step = 0; steps[thread->algorithm][step] != NULL; step++)
		*total += thread->sorter.count;
	return done + thread->placed + thread->step * (uint64_t)thread->sorter.count;
}
