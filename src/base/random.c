/*
 * getrandom(2), whole or not at all.
 */
#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void
random_fill(void *octets, size_t length)
{
	uint8_t *at = octets;

	while (length > 0) {
		ssize_t got = getrandom(at, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		length -= (size_t)got;
	}
}

void
random_hex(char *text, size_t length)
{
	uint8_t octets[32];

	for (size_t i = 0; i < length; i++) {
		if (i % sizeof octets == 0)
			random_fill(octets, sizeof octets);
		text[i] = "0123456789abcdef"[octets[i % sizeof octets] & 15];
	}
	text[length] = '\0';
}
