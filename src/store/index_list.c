/*
 * Lists of contents.  Any thread.
 */
#include "index_list.h"

static bool
read_number(struct span *octets, uint64_t *number_out)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && octets->length > 0; shift += 7) {
		uint8_t octet = octets->at[0];

		*octets = span_from(*octets, 1);
		number |= (uint64_t)(octet & 0x7f) << shift;
		if (octet < 0x80) {
			*number_out = number;
			return true;
		}
	}
	return false;
}

static void
add_number(struct buffer *out, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		buffer_add_octet(out, (uint8_t)(number | 0x80));
	buffer_add_octet(out, (uint8_t)number);
}

bool
index_list_slot(struct index_list *list, uint64_t *count_out)
{
	if (list->left > 0 || !read_number(&list->octets, &list->left))
		return false;
	list->is_first = true;
	*count_out = list->left;
	return true;
}

bool
index_list_next(struct index_list *list, uint64_t *content_id_out)
{
	uint64_t number;

	if (list->left == 0 || !read_number(&list->octets, &number))
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
	add_number(out, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t step = content_ids[i] - *last;

		add_number(out, i > 0 ? step : step << 1 ^ -(step >> 63));
		*last = content_ids[i];
	}
}
