/*
 * Keys as questions that are remembered.  Loop thread.
 */
#include "recall.h"

/* The same for keys that are true of the same contents. */
static void
write_question(const struct search_program *program, size_t index, struct buffer *question)
{
	const struct imap_search_node *node = &program->search->nodes[index];
	const struct search_node *prepared = &program->nodes[index];

	buffer_printf(question, "%d %zu ", (int)node->key, node->field.length);
	for (size_t i = 0; i < node->field.length; i++)
		buffer_add_octet(question, ascii_lower(node->field.at[i]));
	buffer_add_span(question, buffer_span(&prepared->needle));
}

void
search_recall_init(struct search_recall *recall, const struct search_program *program, struct insights *insights,
    struct list *of_account)
{
	struct buffer question = { 0 };

	*recall = (struct search_recall){ .program = program };
	for (size_t i = 0; i < program->slot_count; i++) {
		buffer_clear(&question);
		write_question(program, program->slots[i], &question);
		recall->insights[i] = insight_hold(insights, of_account, buffer_span(&question), INSIGHT_TRUTH);
	}
	if (program->asks_sent_day)
		recall->sent = insight_hold(insights, of_account, SPAN("sent"), INSIGHT_DAY);
	buffer_free(&question);
}

void
search_recall_fini(struct search_recall *recall)
{
	for (size_t i = 0; i < SEARCH_SLOTS_MAX; i++)
		insight_release(&recall->insights[i]);
	insight_release(&recall->sent);
}

static enum imap_truth
truth_of(enum insight_truth truth)
{
	return truth == INSIGHT_OPEN ? IMAP_UNKNOWN : truth == INSIGHT_TRUE ? IMAP_TRUE : IMAP_FALSE;
}

enum imap_truth
search_recall_test(struct search_recall *recall, const struct imap_search_node *leaf,
    const struct search_message *message)
{
	uint64_t content_id = message->message.content_id;
	unsigned slot = recall->program->nodes[leaf - recall->program->search->nodes].slot;

	if (slot != SEARCH_NO_SLOT)
		return truth_of(insight_truth(recall->insights[slot], content_id));
	if (search_is_sent_key(leaf->key))
		return search_test_sent(leaf, insight_day(recall->sent, content_id));
	return search_test_state(recall->program, leaf, message);
}

void
search_recall_tell(struct search_recall *recall, struct search_message *message)
{
	uint64_t content_id = message->message.content_id;

	for (size_t i = 0; i < recall->program->slot_count; i++)
		message->truths[i] = (uint8_t)truth_of(insight_truth(recall->insights[i], content_id));
	message->sent_day = recall->sent != NULL ? insight_day(recall->sent, content_id) : INSIGHT_NOT_KNOWN;
}

void
search_recall_note(struct search_recall *recall, const struct search_message *message)
{
	uint64_t content_id = message->message.content_id;

	for (size_t i = 0; i < recall->program->slot_count; i++)
		if (message->truths[i] != IMAP_UNKNOWN)
			insight_note_truth(recall->insights[i], content_id, message->truths[i] == IMAP_TRUE);
	if (recall->sent != NULL && message->sent_day != INSIGHT_NOT_KNOWN)
		insight_note_day(recall->sent, content_id, message->sent_day);
}
