/*
 * What capability-mask takes from a client before login: capabilities and mechanisms.  After login the mailbox role
 * looks at its own.  Loop thread.
 */
#include "client.h"

static void
add(const char *name, void *context)
{
	static const struct span prefix = SPAN("AUTH=");
	struct cas_client *client = context;
	struct span span = span_from_string(name);
	enum imap_capability capability;
	enum sasl_mechanism mechanism;

	if (imap_capability_find(span, &capability))
		imap_capabilities_add(&client->masked, capability);
	else if (span_starts_with_nocase(span, prefix) &&
	    sasl_find_mechanism(span_from(span, prefix.length), ~0u, &mechanism))
		client->masked_mechanisms |= SASL_BIT(mechanism);
}

void
mask_find(struct cas_client *client)
{
	struct config_client facts = { NULL, client->address, buffer_span(&client->id) };

	client->masked = (struct imap_capabilities){ .bits = { 0 } };
	client->masked_mechanisms = 0;
	config_mask(client->cas->parts.config, &facts, add, client);
	imap_parser_set_masked(client->parser, &client->masked);
}

void
mask_find_all(struct cas *cas)
{
	LIST_FOREACH(&cas->strangers, link)
		mask_find(LIST_ENTRY(link, struct cas_client, link));
}
