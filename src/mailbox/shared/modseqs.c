#include "modseqs.h"

#include <stdlib.h>

#include "base/memory.h"

#define SPAN_SHIFT 6
#define SPANS_MAX  65536	/* then each holds twice as many UIDs: half a megabyte is enough for any mailbox */

static unsigned
shift_of(const struct modseqs *modseqs)
{
	return SPAN_SHIFT + modseqs->coarser;
}

/* Each two spans become one. */
static void
make_coarser(struct modseqs *modseqs)
{
	for (size_t i = 0; i < modseqs->count; i++) {
		uint64_t highest = modseqs->highest[i];

		if (i % 2 == 0 || highest > modseqs->highest[i / 2])
			modseqs->highest[i / 2] = highest;
	}
	modseqs->count = (modseqs->count + 1) / 2;
	modseqs->coarser++;
}

static void
reach(struct modseqs *modseqs, size_t span)
{
	if (span >= modseqs->capacity) {
		modseqs->capacity = span + span / 4 + 16;
		modseqs->highest = memory_resize(modseqs->highest, modseqs->capacity, sizeof *modseqs->highest);
	}
	while (modseqs->count <= span)
		modseqs->highest[modseqs->count++] = 0;
}

void
modseqs_note(struct modseqs *modseqs, uint32_t uid, uint64_t modseq)
{
	size_t span;

	while (uid >> shift_of(modseqs) >= SPANS_MAX)
		make_coarser(modseqs);
	span = uid >> shift_of(modseqs);
	reach(modseqs, span);
	if (modseq > modseqs->highest[span])
		modseqs->highest[span] = modseq;
}

void
modseqs_note_all(struct modseqs *modseqs, const struct store_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		modseqs_note(modseqs, messages[i].uid, messages[i].modseq);
}

uint32_t
modseqs_next(const struct modseqs *modseqs, uint32_t uid, uint64_t since)
{
	size_t first = uid >> shift_of(modseqs), span = first;

	while (span < modseqs->count && modseqs->highest[span] <= since)
		span++;
	if (span >= modseqs->count)
		return 0;
	return span == first ? uid : (uint32_t)(span << shift_of(modseqs));
}

size_t
modseqs_octets(const struct modseqs *modseqs)
{
	return modseqs->capacity * sizeof *modseqs->highest;
}

void
modseqs_free(struct modseqs *modseqs)
{
	free(modseqs->highest);
	*modseqs = (struct modseqs){ .count = 0 };
}
