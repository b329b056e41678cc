/*
 * PROXY headers over any octets.  The outcome at each length must agree with those before it: what is refused stays
 * refused, what is done stays done whatever comes behind, and an address that is given reads back as itself.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
check_done(const struct proxy_header *header, struct span input)
{
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(header->address, ':') != NULL ? AF_INET6 : AF_INET;

	assert(header->length > 0 && header->length <= input.length && header->length <= PROXY_HEADER_MAX);
	if (header->address[0] == '\0')
		return;
	assert(inet_pton(family, header->address, address) == 1);
	assert(strcmp(inet_ntop(family, address, text, sizeof text), header->address) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct proxy_header header, first = { 0 };
	enum proxy_status before = PROXY_NEED_MORE;

	for (size_t length = 0; length <= size; length++) {
		struct span input = span_of(octets, length);
		enum proxy_status status = proxy_parse(input, &header);

		assert(before == PROXY_NEED_MORE || status == before);
		assert(status != PROXY_NEED_MORE || length < PROXY_HEADER_MAX);
		if (status == PROXY_DONE)
			check_done(&header, input);
		if (status == PROXY_DONE && before == PROXY_DONE)
			assert(memcmp(&header, &first, sizeof header) == 0);
		else if (status == PROXY_DONE)
			assert(header.length == length);
		first = header;
		before = status;
	}
	return 0;
}
