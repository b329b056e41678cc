/*
 * The fields of a line, and those among them that nothing comes of.
 */
#include "roster.h"

void
roster_pass_over(struct roster *roster, struct span field, const char *consequence)
{
	size_t i = 0;

	while (i < roster->passed_over_count && !span_equals(roster->passed_over[i].field, field))
		i++;
	if (i == PASSED_OVER_MAX)
		return;
	if (i == roster->passed_over_count)
		roster->passed_over[roster->passed_over_count++] =
		    (struct passed_over){ arena_copy(roster->arena, field), consequence, 0 };
	roster->passed_over[i].users++;
}

bool
roster_cut(struct span *rest, uint8_t separator, struct span *field_out)
{
	size_t end;

	if (rest->at == NULL)
		return false;
	end = span_find(*rest, separator);
	*field_out = span_slice(*rest, 0, end);
	*rest = end < rest->length ? span_from(*rest, end + 1) : (struct span){ NULL, 0 };
	return true;
}
