/*
 * Numbers of a few octets.  Any thread.
 */
#include "base128.h"

bool
base128_read(struct span *octets, uint64_t *number_out)
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

void
base128_add(struct buffer *out, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		buffer_add_octet(out, (uint8_t)(number | 0x80));
	buffer_add_octet(out, (uint8_t)number);
}
