/*
 * Range by range, without memory.
 */
#include "uid_walk.h"

static bool
read_uid(struct span *rest, uint32_t *uid_out)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < rest->length && ascii_is_digit(rest->at[digits]))
		digits++;
	if (!span_to_number(span_slice(*rest, 0, digits), UINT32_MAX, &number) || number == 0)
		return false;
	*uid_out = (uint32_t)number;
	*rest = span_from(*rest, digits);
	return true;
}

/* Read "7" or "7:9" and the comma behind it. */
static bool
read_range(struct uid_walk *walk)
{
	if (!read_uid(&walk->rest, &walk->next))
		return false;
	walk->last = walk->next;
	if (walk->rest.length > 0 && walk->rest.at[0] == ':') {
		walk->rest = span_from(walk->rest, 1);
		if (!read_uid(&walk->rest, &walk->last) || walk->last < walk->next)
			return false;
	}
	if (walk->rest.length == 0)
		return true;
	if (walk->rest.at[0] != ',' || walk->rest.length == 1)
		return false;
	walk->rest = span_from(walk->rest, 1);
	return true;
}

bool
uid_walk_next(struct uid_walk *walk, uint32_t *uid_out)
{
	if (walk->next == 0) {		/* no range is begun */
		if (walk->rest.length == 0 || walk->is_broken)
			return false;
		if (!read_range(walk)) {
			walk->is_broken = true;
			return false;
		}
	}
	*uid_out = walk->next;
	walk->next = walk->next == walk->last ? 0 : walk->next + 1;
	return true;
}
