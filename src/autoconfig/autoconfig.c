/*
 * Which servers programs are told of, and whom they ask about.
 */
#include "autoconfig/autoconfig.h"

#include "base/memory.h"
#include "config/config.h"

#define DOMAIN_MAX 253	/* RFC 1035 section 2.3.4, as text */
#define LABEL_MAX  63

/* HOST:PORT, as the configuration has checked it. */
static void
read_smtp(struct autoconfig *autoconfig, struct span smtp)
{
	size_t colon = span_find(smtp, ':');
	uint64_t port = 465;

	span_to_number(span_from(smtp, colon + 1), UINT16_MAX, &port);
	autoconfig->smtp_host = span_slice(smtp, 0, colon);
	autoconfig->smtp_port = (uint16_t)port;
	autoconfig->is_smtp_starttls = port == 587 || port == 25;	/* RFC 8314 section 3.3; RFC 6409 */
}

void
autoconfig_init(struct autoconfig *autoconfig, const struct config *config, struct span smtp)
{
	const struct config_listeners *listen = &config->listen;

	*autoconfig = (struct autoconfig){ .host = span_from_string(config->hostname),
		.is_local_part = config->autoconfig_user == CONFIG_AUTOCONFIG_LOCAL_PART };
	read_smtp(autoconfig, smtp);
	for (size_t i = 0; i < listen->count; i++) {
		uint16_t *port = listen->at[i].is_tls ? &autoconfig->imaps_port : &autoconfig->imap_port;

		if (*port == 0)
			*port = listen->at[i].port;
	}
	if (config->tls_certificate == NULL)
		autoconfig->imap_port = 0;	/* no STARTTLS there, and programs are to use nothing less */
}

static bool
is_label(struct span label)
{
	if (label.length == 0 || label.length > LABEL_MAX || label.at[0] == '-' || label.at[label.length - 1] == '-')
		return false;
	for (size_t i = 0; i < label.length; i++) {
		uint8_t octet = ascii_lower(label.at[i]);

		if (!(octet >= 'a' && octet <= 'z') && !(octet >= '0' && octet <= '9') && octet != '-')
			return false;
	}
	return true;
}

bool
autoconfig_is_domain(struct span text)
{
	size_t labels = 0;

	if (text.length > DOMAIN_MAX)
		return false;
	while (text.length > 0) {
		size_t dot = span_find(text, '.');

		if (!is_label(span_slice(text, 0, dot)) || dot + 1 == text.length)
			return false;
		text = span_from(text, dot + 1);
		labels++;
	}
	return labels >= 2;
}

bool
autoconfig_read_address(struct span text, struct autoconfig_address *address_out)
{
	size_t at = text.length;

	while (at > 0 && text.at[at - 1] != '@')
		at--;
	if (at <= 1 || text.length > AUTOCONFIG_ADDRESS_MAX || !autoconfig_is_domain(span_from(text, at)))
		return false;
	for (size_t i = 0; i + 1 < at; i++)
		if (text.at[i] <= ' ' || text.at[i] >= 0x7f || strchr("\"<>&'@\\", text.at[i]) != NULL)
			return false;
	*address_out = (struct autoconfig_address){ text, span_slice(text, 0, at - 1), span_from(text, at) };
	return true;
}

struct span
autoconfig_login(const struct autoconfig *autoconfig, const struct autoconfig_address *address)
{
	return autoconfig->is_local_part ? address->local : address->whole;
}
