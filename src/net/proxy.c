/*
 * Reading PROXY headers.  Version 1 is a line of text, version 2 is binary; section numbers are those of the
 * specification.  A header is refused as soon as it cannot become a right one.
 */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#define V1_MAX 107	/* section 2.1, with CRLF */
#define V2_HEAD 16	/* section 2.2: signature, command, family, length */

static const struct span signature_1 = SPAN("PROXY ");
static const struct span signature_2 = SPAN("\r\n\r\n\0\r\nQUIT\n");

static enum proxy_status
done(struct proxy_header *header, size_t length)
{
	header->length = length;
	return PROXY_DONE;
}

/* Octets of an address as text. */
static void
write_address(struct proxy_header *header, int family, const uint8_t *octets)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (family == AF_INET6 && memcmp(octets, mapped, sizeof mapped) == 0) {
		octets += sizeof mapped;
		family = AF_INET;
	}
	inet_ntop(family, octets, header->address, sizeof header->address);
}

/* Numeric text to octets; what inet_pton() takes is what section 2.1 permits. */
static bool
read_address(struct span word, int family, uint8_t octets_out[16])
{
	char text[INET6_ADDRSTRLEN];

	if (word.length == 0 || word.length >= sizeof text || span_find(word, '\0') < word.length)
		return false;
	memcpy(text, word.at, word.length);
	text[word.length] = '\0';
	return inet_pton(family, text, octets_out) == 1;
}

/* Without leading zeros. */
static bool
read_port(struct span word, uint64_t *port_out)
{
	if (word.length > 1 && word.at[0] == '0')
		return false;
	return span_to_number(word, UINT16_MAX, port_out);
}

/* Cut the words apart, each behind exactly one space; false: there are more or fewer. */
static bool
split(struct span line, struct span *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t end = span_find(line, ' ');

		words[i] = span_slice(line, 0, end);
		if ((end < line.length) != (i + 1 < count))
			return false;
		line = span_from(line, end + 1);
	}
	return true;
}

/* "TCP4 SOURCE DESTINATION PORT PORT", or "UNKNOWN" and whatever. */
static enum proxy_status
read_line(struct span line, size_t length, struct proxy_header *header)
{
	enum { FAMILY, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, WORDS };
	struct span words[WORDS];
	uint8_t source[16], destination[16];
	uint64_t port, destination_port;
	int family;

	if (span_equals(line, SPAN("UNKNOWN")) || span_starts_with(line, SPAN("UNKNOWN ")))
		return done(header, length);
	if (!split(line, words, WORDS))
		return PROXY_MALFORMED;
	if (!span_equals(words[FAMILY], SPAN("TCP4")) && !span_equals(words[FAMILY], SPAN("TCP6")))
		return PROXY_MALFORMED;
	family = words[FAMILY].at[3] == '4' ? AF_INET : AF_INET6;
	if (!read_address(words[SOURCE], family, source) ||
	    !read_address(words[DESTINATION], family, destination) ||
	    !read_port(words[SOURCE_PORT], &port) || !read_port(words[DESTINATION_PORT], &destination_port))
		return PROXY_MALFORMED;
	write_address(header, family, source);
	header->port = (uint16_t)port;
	return done(header, length);
}

static enum proxy_status
parse_1(struct span input, struct proxy_header *header)
{
	struct span start = span_slice(input, 0, V1_MAX);
	size_t end = span_find(start, '\n');

	if (end == start.length)
		return start.length == V1_MAX ? PROXY_MALFORMED : PROXY_NEED_MORE;
	if (start.at[end - 1] != '\r' || span_find(start, '\r') != end - 1)
		return PROXY_MALFORMED;
	return read_line(span_slice(start, signature_1.length, end - 1 - signature_1.length), end + 1, header);
}

/* Which connection the body describes; its extensions behind the addresses (TLV) are skipped. */
static enum proxy_status
read_body(struct span body, uint8_t family, size_t length, struct proxy_header *header)
{
	enum { UNSPECIFIED = 0x00, TCP4 = 0x11, TCP6 = 0x21 };
	size_t width = family == TCP4 ? 4 : 16;

	if (family == UNSPECIFIED)
		return done(header, length);
	if ((family != TCP4 && family != TCP6) || body.length < 2 * width + 4)
		return PROXY_MALFORMED;
	write_address(header, family == TCP4 ? AF_INET : AF_INET6, body.at);
	header->port = (uint16_t)(body.at[2 * width] << 8 | body.at[2 * width + 1]);
	return done(header, length);
}

static enum proxy_status
parse_2(struct span input, struct proxy_header *header)
{
	enum { LOCAL = 0x20, PROXY = 0x21 };
	size_t length;

	if (input.length > signature_2.length && input.at[12] != LOCAL && input.at[12] != PROXY)
		return PROXY_MALFORMED;
	if (input.length < V2_HEAD)
		return PROXY_NEED_MORE;
	length = V2_HEAD + ((size_t)input.at[14] << 8 | input.at[15]);
	if (length > PROXY_HEADER_MAX)
		return PROXY_MALFORMED;
	if (input.length < length)
		return PROXY_NEED_MORE;
	if (input.at[12] == LOCAL)
		return done(header, length);
	return read_body(span_slice(input, V2_HEAD, length - V2_HEAD), input.at[13], length, header);
}

/* The input begins as the signature does, as far as both go. */
static bool
may_be(struct span input, struct span signature)
{
	return span_starts_with(input, signature) || span_starts_with(signature, input);
}

enum proxy_status
proxy_parse(struct span input, struct proxy_header *header_out)
{
	*header_out = (struct proxy_header){ 0 };
	if (input.length == 0)
		return PROXY_NEED_MORE;
	if (may_be(input, signature_1))
		return input.length < signature_1.length ? PROXY_NEED_MORE : parse_1(input, header_out);
	if (may_be(input, signature_2))
		return input.length < signature_2.length ? PROXY_NEED_MORE : parse_2(input, header_out);
	return PROXY_MALFORMED;
}
