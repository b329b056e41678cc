/*
 * What anybody asks who sets up a mail program: a POST of Autodiscover, addresses and names of domains.  Whatever they
 * say, the answer has the same markup, and nothing of theirs becomes any.
 */
#include <assert.h>

#include "autoconfig/autoconfig.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static const struct autoconfig servers = { .host = SPAN("mail.example.org"), .imaps_port = 993, .smtp_host = SPAN("mail.example.org"),
	.smtp_port = 465 };

static size_t
count(const struct buffer *text, uint8_t octet)
{
	size_t found = 0;

	for (size_t i = 0; i < text->length; i++)
		found += text->at[i] == octet;
	return found;
}

static void
check_answer(struct buffer *answer, struct buffer *usual)
{
	static const char markup[] = "<>";

	for (size_t i = 0; markup[i] != '\0'; i++)
		assert(count(answer, (uint8_t)markup[i]) == count(usual, (uint8_t)markup[i]));
	buffer_free(answer);
	buffer_free(usual);
}

static void
check_outlook(struct span login)
{
	struct buffer answer = { 0 }, usual = { 0 };

	autoconfig_write_outlook(&servers, login, &answer);
	autoconfig_write_outlook(&servers, SPAN("alice"), &usual);
	if (login.length > 0)
		check_answer(&answer, &usual);
	buffer_free(&answer);
	buffer_free(&usual);
}

static void
check_address(struct span text)
{
	struct buffer answer = { 0 }, usual = { 0 };
	struct autoconfig_address address, other;

	if (!autoconfig_read_address(text, &address))
		return;
	assert(address.local.length > 0 && address.local.length + 1 + address.domain.length == address.whole.length);
	assert(autoconfig_is_domain(address.domain) && address.whole.length <= AUTOCONFIG_ADDRESS_MAX);
	assert(autoconfig_read_address(SPAN("alice@example.org"), &other));
	autoconfig_write_profile(&servers, address.domain, &address, &answer);
	autoconfig_write_profile(&servers, other.domain, &other, &usual);
	check_answer(&answer, &usual);
	autoconfig_write_xml(&servers, address.domain, &answer);
	autoconfig_write_xml(&servers, other.domain, &usual);
	check_answer(&answer, &usual);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct span input = span_of(octets, size);
	struct buffer address = { 0 };
	bool is_mobile = false;

	if (autoconfig_read_outlook(input, &address, &is_mobile)) {
		assert(address.length <= size && count(&address, 0) == 0);
		check_address(buffer_span(&address));
	}
	buffer_free(&address);
	check_outlook(input);
	check_address(input);
	return 0;
}
