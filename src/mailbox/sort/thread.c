/*
 * Threading.  Its steps have the numbers of RFC 5256 section 3, REFERENCES.
 *
 * Only parents are noted while messages come in.  Lists of children are made from all messages sorted by date, the last
 * first, each put before those that are there already: so every list is sorted, and so is that of the roots.  REFS takes
 * the roots from all messages by arrival.
 */
#include "thread.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"

#define NODES_MAX	    (4u << 20)
#define SUBJECT_OCTETS_MAX  (128 * 1024 * 1024)
#define STEPS_MAX	    (UINT64_C(1) << 27)	/* real mail needs a few for each message */
#define SORT_STEPS	    100000
#define TABLE_BITS_MIN	    8

static const uint8_t no_id[IMAP_LINK_OCTETS];

void
thread_init(struct thread *thread, enum imap_thread_algorithm algorithm)
{
	*thread = (struct thread){ .algorithm = algorithm, .table_bits = TABLE_BITS_MIN,
		.by_date = { .criteria = { { IMAP_SORT_DATE, false } }, .count = 1 },
		.by_arrival = { .criteria = { { IMAP_SORT_ARRIVAL, false } }, .count = 1 } };
	sorter_init(&thread->sorter, &thread->by_date);
	sorter_init(&thread->arrivals, &thread->by_arrival);
	random_fill(&thread->seed, sizeof thread->seed);
	thread->table = memory_new_array((size_t)1 << thread->table_bits, sizeof *thread->table);
	thread->node_capacity = 64;
	thread->nodes = memory_new_array(thread->node_capacity, sizeof *thread->nodes);
	thread->node_count = 1;
}

void
thread_fini(struct thread *thread)
{
	sorter_fini(&thread->sorter);
	sorter_fini(&thread->arrivals);
	free(thread->messages);
	free(thread->nodes);
	free(thread->table);
	buffer_free(&thread->subjects);
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
	return thread->node_capacity * sizeof *thread->nodes + ((size_t)1 << thread->table_bits) * sizeof *thread->table +
	    2 * thread->sorter.count * sizeof *thread->messages + thread->subjects.capacity + thread->list.capacity +
	    sorter_octets(&thread->sorter) + sorter_octets(&thread->arrivals);
}

/* ---- nodes ---------------------------------------------------------------------------------------------- */

static bool
is_dummy(const struct thread *thread, uint32_t node)
{
	return thread->nodes[node].message == 0;
}

static uint32_t
add_node(struct thread *thread, const uint8_t *id)
{
	struct thread_node *node;

	if (thread->node_count == thread->node_capacity) {
		thread->node_capacity *= 2;
		thread->nodes = memory_resize(thread->nodes, thread->node_capacity, sizeof *thread->nodes);
	}
	node = &thread->nodes[thread->node_count];
	*node = (struct thread_node){ .parent = 0 };
	memcpy(node->id, id, sizeof node->id);
	return (uint32_t)thread->node_count++;
}

/* Ids are digests; the seed keeps those who choose them from choosing where they fall. */
static size_t
place_of(const struct thread *thread, const uint8_t *id)
{
	uint64_t words[2];

	memcpy(words, id, sizeof words);
	return ((words[0] ^ thread->seed) * (words[1] | 1)) >> (64 - thread->table_bits);
}

/* Find the place of an id: its node's, or the empty one where it belongs. */
static uint32_t *
find_place(const struct thread *thread, const uint8_t *id)
{
	size_t mask = ((size_t)1 << thread->table_bits) - 1, place = place_of(thread, id);

	while (thread->table[place] != 0 &&
	    memcmp(thread->nodes[thread->table[place]].id, id, IMAP_LINK_OCTETS) != 0)
		place = (place + 1) & mask;
	return &thread->table[place];
}

static void
grow_table(struct thread *thread)
{
	free(thread->table);
	thread->table_bits++;
	thread->table = memory_new_array((size_t)1 << thread->table_bits, sizeof *thread->table);
	for (size_t i = 1; i < thread->node_count; i++)
		if (memcmp(thread->nodes[i].id, no_id, sizeof no_id) != 0)
			*find_place(thread, thread->nodes[i].id) = (uint32_t)i;
}

/* Find the node of an id, or make a dummy. */
static uint32_t
node_of(struct thread *thread, const uint8_t *id)
{
	uint32_t *place = find_place(thread, id);

	if (*place != 0)
		return *place;
	if (thread->node_count * 2 > (size_t)1 << thread->table_bits) {
		grow_table(thread);
		place = find_place(thread, id);
	}
	return *place = add_node(thread, id);
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

/* The node of a new message: one of its own if it has no id, or one that another message has. */
static uint32_t
node_of_message(struct thread *thread, const uint8_t *id)
{
	uint32_t node;

	if (memcmp(id, no_id, sizeof no_id) == 0)
		return add_node(thread, no_id);
	node = node_of(thread, id);
	return is_dummy(thread, node) ? node : add_node(thread, no_id);
}

/* Step 1: the references of a message are parents and children, and the last is its own parent.  False: too far. */
static bool
link_message(struct thread *thread, uint32_t node, struct span references)
{
	uint32_t last = 0;

	for (; references.length >= IMAP_LINK_OCTETS; references = span_from(references, IMAP_LINK_OCTETS)) {
		uint32_t next = node_of(thread, references.at);

		if (last != 0 && thread->nodes[next].parent == 0 && !is_within(thread, last, next))
			link_node(thread, next, last);
		last = next;
		if (thread->steps > STEPS_MAX)
			return false;
	}
	if (thread->nodes[node].parent != 0)
		unlink_node(thread, node);
	if (last != 0 && !is_within(thread, last, node))
		link_node(thread, node, last);
	return true;
}

static void
add_message(struct thread *thread, uint32_t node, const struct store_ordering *ordering)
{
	size_t place = thread->sorter.count - 1;	/* the sorter has it already */

	if ((place & (place - 1)) == 0)
		thread->messages = memory_resize(thread->messages, place * 2 + 1, sizeof *thread->messages);
	thread->messages[place] = (struct thread_message){ .node = node, .is_reply = ordering->is_reply,
		.subject_offset = (uint32_t)thread->subjects.length,
		.subject_length = (uint32_t)ordering->subject.length };
	thread->nodes[node].message = (uint32_t)place + 1;
	buffer_add_span(&thread->subjects, ordering->subject);
}

bool
thread_add(struct thread *thread, const struct sort_message *message, const struct store_ordering *ordering)
{
	struct span links = ordering->links;
	const uint8_t *id = links.length >= IMAP_LINK_OCTETS ? links.at : no_id;
	uint32_t node;

	if (thread->node_count > NODES_MAX || thread->subjects.length > SUBJECT_OCTETS_MAX ||
	    !sorter_add(&thread->sorter, message, ordering) ||
	    (thread->algorithm == IMAP_THREAD_REFS && !sorter_add(&thread->arrivals, message, ordering)))
		return false;
	if (thread->algorithm == IMAP_THREAD_ORDEREDSUBJECT) {
		add_message(thread, add_node(thread, no_id), ordering);
		return true;
	}
	node = node_of_message(thread, id);
	add_message(thread, node, ordering);
	return link_message(thread, node, span_from(links, IMAP_LINK_OCTETS));
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
		uint32_t node = thread->messages[thread->sorter.order[i - 1]].node;

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
		uint32_t top = top_of(thread, thread->messages[thread->arrivals.order[i - 1]].node);

		if (nodes[top].children != UINT32_MAX)
			put_first(thread, top, 0);
		nodes[top].children = UINT32_MAX;
	}
}

/* ---- step 5: subjects ----------------------------------------------------------------------------------- */

static struct span
subject_of(const struct thread *thread, uint32_t node)
{
	const struct thread_message *message;

	if (is_dummy(thread, node))
		node = thread->nodes[node].child;
	message = &thread->messages[thread->nodes[node].message - 1];
	return span_slice(buffer_span(&thread->subjects), message->subject_offset, message->subject_length);
}

static bool
is_reply(const struct thread *thread, uint32_t node)
{
	return thread->messages[thread->nodes[node].message - 1].is_reply;
}

static uint32_t
look_up(const struct map *subjects, struct span subject)
{
	return (uint32_t)(uintptr_t)map_get(subjects, subject);
}

static void
note(struct map *subjects, struct span subject, uint32_t node)
{
	map_put(subjects, subject, (void *)(uintptr_t)node);
}

/* Step 5.B. */
static void
note_subjects(struct thread *thread, struct map *subjects)
{
	for (uint32_t node = thread->nodes[0].child; node != 0; node = thread->nodes[node].next) {
		struct span subject = subject_of(thread, node);
		uint32_t noted;

		if (subject.length == 0)
			continue;
		noted = look_up(subjects, subject);
		if (noted == 0 || (!is_dummy(thread, noted) && (is_dummy(thread, node) ||
		    (is_reply(thread, noted) && !is_reply(thread, node)))))
			note(subjects, subject, node);
	}
}

/* Step 5.C for one root and what has its subject. */
static void
merge(struct thread *thread, struct map *subjects, struct span subject, uint32_t node, uint32_t noted)
{
	uint32_t dummy;

	if (is_dummy(thread, node)) {		/* then both are */
		for (uint32_t child = thread->nodes[node].child; child != 0; child = thread->nodes[child].next)
			thread->nodes[child].parent = noted;
	} else if (is_dummy(thread, noted) || (is_reply(thread, node) && !is_reply(thread, noted))) {
		thread->nodes[node].parent = noted;
	} else {
		dummy = add_node(thread, no_id);
		thread->nodes[node].parent = thread->nodes[noted].parent = dummy;
		note(subjects, subject, dummy);
	}
}

/* Lists are as they were, and stale; parents are right. */
static void
merge_subjects(struct thread *thread)
{
	struct map *subjects = map_new();

	note_subjects(thread, subjects);
	for (uint32_t node = thread->nodes[0].child; node != 0; node = thread->nodes[node].next) {
		struct span subject = subject_of(thread, node);
		uint32_t noted = subject.length > 0 ? look_up(subjects, subject) : 0;

		if (noted != 0 && noted != node)
			merge(thread, subjects, subject, node, noted);
	}
	map_free(&subjects);
	for (size_t i = 0; i < thread->node_count; i++)
		thread->nodes[i].children = 0;
	for (size_t i = 0; i < thread->sorter.count; i++)
		thread->nodes[thread->nodes[thread->messages[i].node].parent].children++;
}

/* ORDEREDSUBJECT: the first of a subject by date is the parent of all others. */
static void
group_by_subject(struct thread *thread)
{
	struct map *subjects = map_new();

	for (size_t i = 0; i < thread->sorter.count; i++) {
		uint32_t node = thread->messages[thread->sorter.order[i]].node;
		struct span subject = subject_of(thread, node);
		uint32_t first = look_up(subjects, subject);

		thread->nodes[node].parent = first;
		if (first == 0)
			note(subjects, subject, node);
	}
	map_free(&subjects);
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
	if (!sorter_advance(&thread->sorter, SORT_STEPS) || !sorter_advance(&thread->arrivals, SORT_STEPS))
		return false;
	steps[thread->algorithm][thread->step++](thread);
	return steps[thread->algorithm][thread->step] == NULL;
}

uint64_t
thread_steps(const struct thread *thread, uint64_t *total)
{
	uint64_t done = sorter_steps(&thread->sorter, total) + sorter_steps(&thread->arrivals, total);

	for (unsigned step = 0; steps[thread->algorithm][step] != NULL; step++)
		*total += thread->sorter.count;
	return done + thread->step * (uint64_t)thread->sorter.count;
}
