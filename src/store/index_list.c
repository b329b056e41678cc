/*
 * Lists of contents.  Any thread.
 */
#include "index_list.h"

#include "base128.h"

bool
index_list_slot(struct index_list *list, uint64_t *count_out)
{
	if (list->left > 0 || !base128_read(&list->octets, &list->left))
		return false;
	list->is_first = true;
	*count_out = list->left;
	return true;
}

bool
index_list_next(struct index_list *list, uint64_t *content_id_out)
{
	uint64_t number;

	if (list->left == 0 || !base128_read(&list->octets, &number))
		return false;
	if (list->is_first)
		number = number >> 1 ^ -(number & 1);
	list->is_first = false;
	list->left--;
	*content_id_out = list->last += number;
	return true;
}

void
index_list_add(struct buffer *out, uint64_t *last, const uint64_t *content_ids, size_t count)
{
	base128_add(out, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t step = content_ids[i] - *last;

		base128_add(out, i > 0 ? step : step << 1 ^ -(step >> 63));
		*last = content_ids[i];
	}
}
