/*
 * Which of the results are wanted: RFC 9394, RFC 4731, RFC 5182.  Pure.
 */
#include "imap/partial.h"

#include "read.h"

static uint32_t
lower(const struct imap_partial *partial)
{
	return partial->first < partial->last ? partial->first : partial->last;
}

static uint32_t
upper(const struct imap_partial *partial)
{
	return partial->first < partial->last ? partial->last : partial->first;
}

uint64_t
imap_partial_size(const struct imap_partial *partial)
{
	return (uint64_t)upper(partial) - lower(partial) + 1;
}

void
imap_partial_places(const struct imap_partial *partial, uint32_t count, uint32_t *first_out, uint32_t *last_out)
{
	uint32_t first = lower(partial), last = upper(partial) < count ? upper(partial) : count;

	if (first > last) {
		*first_out = 1;
		*last_out = 0;
		return;
	}
	*first_out = partial->is_from_end ? count + 1 - last : first;
	*last_out = partial->is_from_end ? count + 1 - first : last;
}

bool
imap_partial_contains(const struct imap_partial *partial, uint32_t count, uint32_t place)
{
	uint32_t first, last;

	imap_partial_places(partial, count, &first, &last);
	return first <= place && place <= last;
}

void
imap_partial_write(struct buffer *out, const struct imap_partial *partial)
{
	const char *sign = partial->is_from_end ? "-" : "";

	buffer_printf(out, "%s%u:%s%u", sign, partial->first, sign, partial->last);
}

bool
imap_search_keeps_all(const struct imap_search *search)
{
	unsigned returns = search->return_options;

	return returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT) ||
	    !(returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL));
}

bool
imap_search_keeps(const struct imap_search *search, uint32_t count, uint32_t place)
{
	unsigned returns = search->return_options;

	return imap_search_keeps_all(search) || (returns & IMAP_RETURN_MIN && place == 1) ||
	    (returns & IMAP_RETURN_MAX && place == count) ||
	    (returns & IMAP_RETURN_PARTIAL && imap_partial_contains(&search->partial, count, place));
}

static bool
read_place(struct cursor *cursor, bool is_from_end, uint32_t *place_out)
{
	uint64_t number;

	if ((is_from_end && !cursor_expect(cursor, '-')) || !cursor_nz_number(cursor, UINT32_MAX, &number))
		return false;
	*place_out = (uint32_t)number;
	return true;
}

/* Both ends are counted from the same side. */
bool
imap_read_partial(struct cursor *cursor, struct imap_partial *partial_out)
{
	bool is_from_end = cursor_peek(cursor) == '-';

	partial_out->is_from_end = is_from_end;
	return read_place(cursor, is_from_end, &partial_out->first) && cursor_expect(cursor, ':') &&
	    read_place(cursor, is_from_end, &partial_out->last);
}
