/*
 * Networks, IPv4 ones as part of IPv6 (RFC 4291 section 2.5.5.2), so that one comparison does for both.  Pure.
 */
#include <arpa/inet.h>

#include "base/memory.h"
#include "options.h"

#define MAPPED_BITS 96

/* Numeric text as 16 octets; returns how many bits of them are the address's own, 0 when it is none. */
static unsigned
parse_address(struct span text, uint8_t address_out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[INET6_ADDRSTRLEN];

	if (text.length == 0 || text.length >= sizeof copy)
		return 0;
	memcpy(copy, text.at, text.length);
	copy[text.length] = '\0';
	if (inet_pton(AF_INET6, copy, address_out) == 1)
		return 128;
	memcpy(address_out, mapped, sizeof mapped);
	return inet_pton(AF_INET, copy, address_out + sizeof mapped) == 1 ? 32 : 0;
}

/* What is left of an octet when only some bits before it and in it count. */
static uint8_t
mask_octet(uint8_t octet, size_t index, unsigned bits)
{
	if (bits >= 8 * (index + 1))
		return octet;
	return bits <= 8 * index ? 0 : (uint8_t)(octet & (0xff << (8 * (index + 1) - bits)));
}

bool
network_parse_address(struct span text, uint8_t address_out[16])
{
	return parse_address(text, address_out) > 0;
}

/* Where a listener is, and whether it is everywhere; "*" as the system has it, which is all of IPv4. */
static bool
listener_address(const struct config_listener *listener, uint8_t address_out[16], bool *is_any_out, bool *is_v4_out)
{
	static const uint8_t zero[16];
	struct span host = span_from_string(listener->host);
	unsigned width;

	host = span_slice(host, 0, span_find(host, '%'));
	width = parse_address(span_equals(host, SPAN("*")) ? SPAN("0.0.0.0") : host, address_out);
	*is_v4_out = width == 32;
	*is_any_out = width > 0 && memcmp(address_out + (width == 32 ? 12 : 0), zero, width / 8) == 0;
	return width > 0;
}

bool
network_listeners_clash(const struct config_listener *one, const struct config_listener *other)
{
	uint8_t a[16], b[16];
	bool a_is_any, b_is_any, a_is_v4, b_is_v4;

	if (one->path != NULL || other->path != NULL)
		return one->path != NULL && other->path != NULL && strcmp(one->path, other->path) == 0;
	if (one->port != other->port || one->port == 0 || !listener_address(one, a, &a_is_any, &a_is_v4) ||
	    !listener_address(other, b, &b_is_any, &b_is_v4))
		return false;
	/* A socket at "::" takes IPv4 as well; one at 0.0.0.0 takes no IPv6 (ipv6(7)). */
	return memcmp(a, b, sizeof a) == 0 || (a_is_any && (!a_is_v4 || b_is_v4)) ||
	    (b_is_any && (!b_is_v4 || a_is_v4));
}

bool
config_network_parse(struct span text, struct config_network *network_out)
{
	size_t slash = span_find(text, '/');
	unsigned width = parse_address(span_slice(text, 0, slash), network_out->address);
	uint64_t bits = width;

	if (width == 0 || (slash < text.length && !span_to_number(span_from(text, slash + 1), width, &bits)))
		return false;
	network_out->bits = 128 - width + (unsigned)bits;
	for (size_t i = 0; i < 16; i++)
		network_out->address[i] = mask_octet(network_out->address[i], i, network_out->bits);
	return true;
}

bool
network_parse(struct span text, struct config_network *network_out)
{
	uint8_t whole[16];

	return config_network_parse(text, network_out) &&
	    parse_address(span_slice(text, 0, span_find(text, '/')), whole) > 0 &&
	    memcmp(whole, network_out->address, sizeof whole) == 0;
}

void
network_print(const struct config_network *network, struct buffer *out)
{
	char text[INET6_ADDRSTRLEN];
	bool is_mapped = network->bits >= MAPPED_BITS &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)network->address);

	if (is_mapped)
		inet_ntop(AF_INET, network->address + 12, text, sizeof text);
	else
		inet_ntop(AF_INET6, network->address, text, sizeof text);
	buffer_printf(out, "%s/%u", text, network->bits - (is_mapped ? MAPPED_BITS : 0));
}

static bool
has(const struct config_network *network, const uint8_t address[16])
{
	for (size_t i = 0; i < 16; i++)
		if (mask_octet(address[i], i, network->bits) != network->address[i])
			return false;
	return true;
}

bool
config_networks_have(const struct config_networks *networks, const char *address)
{
	uint8_t octets[16];

	if (parse_address(span_from_string(address), octets) == 0)
		return false;
	for (size_t i = 0; i < networks->count; i++)
		if (has(&networks->at[i], octets))
			return true;
	return false;
}

void
config_listener_print(const struct config_listener *listener, struct buffer *out)
{
	if (listener->path != NULL)
		buffer_add_string(out, listener->path);
	else
		buffer_printf(out, strchr(listener->host, ':') != NULL ? "[%s]:%u" : "%s:%u", listener->host,
		    listener->port);
}

char *
config_listener_string(const struct config_listener *listener)
{
	struct buffer text = { 0 };
	char *address;

	config_listener_print(listener, &text);
	address = memory_copy_string(buffer_string(&text));
	buffer_free(&text);
	return address;
}

unsigned
config_listener_word(const struct config *config, const struct config_listener *listener)
{
	const struct config_listeners *listen = &config->listen;

	return listener >= listen->at && listener < listen->at + listen->count ? 2 : 1;
}
