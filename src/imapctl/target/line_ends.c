#include "line_ends.h"

bool
line_ends_are_plain(struct span octets)
{
	for (size_t i = span_find(octets, '\n'); i < octets.length; i += 1 + span_find(span_from(octets, i + 1), '\n')) {
		if (i == 0 || octets.at[i - 1] != '\r' || (i > 1 && octets.at[i - 2] == '\r'))
			return false;
	}
	return true;
}

void
line_ends_add_lf(struct buffer *out, struct span octets)
{
	while (octets.length > 0) {
		size_t lf = span_find(octets, '\n');
		bool has_cr = lf < octets.length && lf > 0 && octets.at[lf - 1] == '\r';

		buffer_add_span(out, span_slice(octets, 0, has_cr ? lf - 1 : lf));
		if (lf < octets.length)
			buffer_add_octet(out, '\n');
		octets = span_from(octets, lf + 1);
	}
}

uint64_t
line_ends_virtual_size(struct span octets)
{
	uint64_t size = octets.length;

	for (size_t i = span_find(octets, '\n'); i < octets.length; i += 1 + span_find(span_from(octets, i + 1), '\n'))
		size += i == 0 || octets.at[i - 1] != '\r';
	return size;
}
