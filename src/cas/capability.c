/*
 * What a client is told that it may use before login: RFC 9051 section 6.1.1.  Loop thread.
 */
#include "imap/capability.h"

#include "client.h"

void
capability_write(struct cas_client *client, struct buffer *out)
{
	bool is_upgradable = !stream_is_tls(client->stream) && client->cas->parts.tls != NULL;
	struct imap_capability_options options = {
		.append_limit = client->cas->parts.config->message_size_limit_octets,
		.has_referrals = client->cas->parts.config->login_referral.count > 0,
		.masked = client->masked,
	};
	struct buffer names = { 0 };

	for (unsigned i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if ((mechanisms_offered(client) & SASL_BIT(i)) == 0)
			continue;
		buffer_printf(&names, "%s ", sasl_mechanism_name((enum sasl_mechanism)i));
	}
	options.mechanisms = buffer_string(&names);
	options.is_login_disabled = !mechanisms_have_login(client);
	imap_capability_write(out, is_upgradable ? IMAP_MOMENT_BEFORE_TLS : IMAP_MOMENT_BEFORE_LOGIN,
	    &options);
	buffer_free(&names);
}
