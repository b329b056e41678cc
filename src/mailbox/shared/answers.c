/*
 * Remembering answers.  Loop thread.
 */
#include "answers.h"

#include "base/memory.h"

struct span
answers_find(const struct answers *answers, struct span question)
{
	for (size_t i = 0; i < answers->count; i++)
		if (span_equals(buffer_span(&answers->at[i].question), question))
			return buffer_span(&answers->at[i].answer);
	return (struct span){ NULL, 0 };
}

static size_t
octets_of(const struct answer *answer)
{
	return answer->question.length + answer->answer.length;
}

static void
forget_oldest(struct answers *answers)
{
	answers->octets -= octets_of(&answers->at[0]);
	buffer_free(&answers->at[0].question);
	buffer_free(&answers->at[0].answer);
	answers->count--;
	memmove(&answers->at[0], &answers->at[1], answers->count * sizeof answers->at[0]);
}

static struct buffer
copy(struct span octets)
{
	return (struct buffer){ memcpy(memory_new(octets.length), octets.at, octets.length), octets.length, octets.length };
}

void
answers_add(struct answers *answers, struct span question, struct span answer)
{
	size_t octets = question.length + answer.length;

	if (octets > ANSWERS_OCTETS_MAX || answer.length == 0 || answers_find(answers, question).at != NULL)
		return;
	while (answers->count == COUNT_OF(answers->at) || answers->octets + octets > ANSWERS_OCTETS_MAX)
		forget_oldest(answers);
	answers->at[answers->count++] = (struct answer){ copy(question), copy(answer) };
	answers->octets += octets;
}

void
answers_fini(struct answers *answers)
{
	while (answers->count > 0)
		forget_oldest(answers);
}
