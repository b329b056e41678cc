/*
 * Two arrays side by side: five octets a message.
 */
#include "uids.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/memory.h"

#define UIDS_MAX ((uint64_t)1 << 26)

bool
uids_fill(struct uids *uids, const struct imap_sequence *sequence, enum uid_state state)
{
	uint64_t size = imap_sequence_size(sequence);
	size_t count = 0;

	if (size > UIDS_MAX)
		return false;
	uids_free(uids);
	uids->at = memory_new_array((size_t)size + 1, sizeof *uids->at);
	uids->states = memory_new_array((size_t)size + 1, 1);
	for (size_t i = 0; i < sequence->count; i++) {
		for (uint64_t uid = sequence->ranges[i].first; uid <= sequence->ranges[i].last; uid++)
			uids->at[count++] = (uint32_t)uid;
	}
	memset(uids->states, state, count);
	uids->count = count;
	return true;
}

void
uids_free(struct uids *uids)
{
	free(uids->at);
	free(uids->states);
	*uids = (struct uids){ 0 };
}

size_t
uids_find(const struct uids *uids, uint32_t uid)
{
	size_t low = LOWER_BOUND(uids->count, middle, uids->at[middle] < uid);

	return low < uids->count && uids->at[low] == uid ? low : SIZE_MAX;
}

size_t
uids_count(const struct uids *uids, enum uid_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < uids->count; i++)
		count += uids->states[i] == state;
	return count;
}

void
uids_change(struct uids *uids, enum uid_state from, enum uid_state to)
{
	for (size_t i = 0; i < uids->count; i++) {
		if (uids->states[i] == from)
			uids->states[i] = (uint8_t)to;
	}
}

size_t
uids_ask(struct uids *uids, size_t first, enum uid_state from, enum uid_state to, size_t messages_max,
    size_t octets_max, struct buffer *out, size_t *count_out)
{
	size_t start = out->length, i = first, count = 0;

	while (i < uids->count && count < messages_max && out->length - start < octets_max) {
		size_t begin;

		while (i < uids->count && uids->states[i] != from)
			i++;
		begin = i;
		while (i < uids->count && uids->states[i] == from && count < messages_max) {
			uids->states[i++] = (uint8_t)to;
			count++;
		}
		if (begin == i)
			break;
		buffer_printf(out, "%s%u", out->length > start ? "," : "", uids->at[begin]);
		if (i - begin > 1)
			buffer_printf(out, ":%u", uids->at[i - 1]);
	}
	*count_out = count;
	return i;
}
