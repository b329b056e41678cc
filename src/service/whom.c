/*
 * The sessions that a word of an operator means.  Loop thread.
 */
#include "whom.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void
whom_init(struct whom *whom, struct span word)
{
	whom->word = word;
	if (!directory_prepare_name(word, &whom->user))
		whom->user.length = 0;
	if (word.length > 2 && word.at[0] == '[' && word.at[word.length - 1] == ']')	/* as in URLs: RFC 3986 section 3.2.2 */
		word = span_slice(word, 1, word.length - 2);
	whom->is_network = config_network_parse(word, &whom->network);
}

static bool
has_part(struct span text, struct span part)
{
	for (; text.length >= part.length; text = span_from(text, 1)) {
		if (span_starts_with_nocase(text, part))
			return true;
		if (text.length == 0)
			break;
	}
	return false;
}

/* A link's name behind "%" (RFC 4007 section 11) is part of an address, and none of its network. */
static bool
is_at(const struct whom *whom, const char *address)
{
	struct config_network network = whom->network;
	const struct config_networks networks = { &network, 1 };
	char bare[INET6_ADDRSTRLEN];

	if (address == NULL)
		return false;
	if (span_equals(span_from_string(address), whom->word))
		return true;
	snprintf(bare, sizeof bare, "%.*s", (int)strcspn(address, "%"), address);
	return whom->is_network && config_networks_have(&networks, bare);
}

static bool
is_user(const struct whom *whom, const struct session_facts *facts)
{
	struct span user = directory_name_span(&whom->user);

	return user.length > 0 && (span_equals(facts->user, user) || span_equals(facts->by, user) ||
	    span_equals(facts->claim, user));
}

bool
whom_fits(const struct whom *whom, const struct session_facts *facts)
{
	bool is_stranger = facts->user.length == 0;

	if (!has_part(facts->client, whom->client))
		return false;
	if (whom->word.length == 0)
		return !is_stranger || whom->takes_strangers;
	return span_equals(facts->sid, whom->word) || is_at(whom, facts->address) || is_user(whom, facts);
}
