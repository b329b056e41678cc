/*
 * Walking a search program over one message.  Pure.
 */
#include "imap/search.h"

#include <assert.h>

static enum imap_truth
negate(enum imap_truth truth)
{
	return truth == IMAP_UNKNOWN ? IMAP_UNKNOWN : truth == IMAP_TRUE ? IMAP_FALSE : IMAP_TRUE;
}

/* What a node is when its children said neither yes to an OR nor no to an AND. */
static enum imap_truth
exhausted(const struct imap_search_node *node, bool saw_unknown)
{
	if (saw_unknown)
		return IMAP_UNKNOWN;
	return node->key == IMAP_SEARCH_AND ? IMAP_TRUE : IMAP_FALSE;
}

/*
 * Carry the truth of a node up as far as it decides.  Returns the node to look at next, or node_count when the
 * root is decided.
 */
static size_t
carry_up(const struct imap_search *search, size_t index, enum imap_truth *truth, uint8_t *saw_unknown)
{
	while (index != 0) {
		size_t parent = search->nodes[index].parent;
		const struct imap_search_node *above = &search->nodes[parent];

		if (above->key == IMAP_SEARCH_NOT) {
			*truth = negate(*truth);
		} else if (*truth != (above->key == IMAP_SEARCH_AND ? IMAP_FALSE : IMAP_TRUE)) {
			saw_unknown[parent] |= *truth == IMAP_UNKNOWN;
			if (search->nodes[index].end != above->end)
				return search->nodes[index].end;
			*truth = exhausted(above, saw_unknown[parent]);
		}
		index = parent;
	}
	return search->node_count;
}

enum imap_truth
imap_search_evaluate(const struct imap_search *search, imap_search_test *test, void *context, uint8_t *scratch)
{
	enum imap_truth truth = IMAP_TRUE;
	size_t index = 0;

	assert(search->node_count > 0);
	memset(scratch, 0, search->node_count);
	while (index < search->node_count) {
		const struct imap_search_node *node = &search->nodes[index];

		if (node->key <= IMAP_SEARCH_NOT) {	/* has children: the first stands next */
			index++;
			continue;
		}
		truth = node->key == IMAP_SEARCH_ALL ? IMAP_TRUE : test(node, context);
		index = carry_up(search, index, &truth, scratch);
	}
	return truth;
}
