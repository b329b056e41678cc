/*
 * Which SASL mechanisms a client may use: what auth-mechanisms permits, the directory can prove, login-type finds
 * private enough, and TLS has something for.  Loop thread.
 */
#include "client.h"

/* SCRAM needs the credential itself, which not every directory gives away. */
unsigned
mechanisms_permitted(const struct cas *cas)
{
	const struct config_uris *names = &cas->parts.config->auth_mechanisms;
	unsigned mechanisms = 0;

	for (size_t i = 0; i < names->count; i++) {
		enum sasl_mechanism mechanism;

		if (sasl_find_mechanism(span_from_string(names->at[i]), ~0u, &mechanism))
			mechanisms |= SASL_BIT(mechanism);
	}
	if (directory_is_verifier(cas->parts.directory) || directory_asks_home(cas->parts.directory))
		mechanisms &= ~SASL_SCRAM;
	if (cas->parts.tokens == NULL)
		mechanisms &= ~SASL_BEARER;
	return mechanisms;
}

/* SCRAM says nothing that could be used by who listens. */
unsigned
mechanisms_private(const struct cas_client *client)
{
	int type = client->cas->parts.config->login_type;

	if (stream_is_tls(client->stream) || type == CONFIG_LOGIN_PLAIN)
		return ~0u;
	return type == CONFIG_LOGIN_PLAIN_AUTH ? SASL_SCRAM : 0;
}

/* Where there is nothing to bind to, -PLUS is not offered; EXTERNAL is for those who have shown a certificate. */
static unsigned
tls_mechanisms(const struct cas_client *client)
{
	struct tls_bindings bindings;
	unsigned mechanisms = ~0u;
	size_t users;

	stream_tls_bindings(client->stream, &bindings);
	if (bindings.exporter.length + bindings.end_point.length == 0)
		mechanisms &= ~SASL_SCRAM_PLUS;
	stream_tls_users(client->stream, &users);
	return users > 0 ? mechanisms : mechanisms & ~SASL_BIT(SASL_EXTERNAL);
}

unsigned
mechanisms_offered(const struct cas_client *client)
{
	return client->cas->mechanisms & ~client->masked_mechanisms & mechanisms_private(client) &
	    tls_mechanisms(client);
}

bool
mechanisms_have_login(const struct cas_client *client)
{
	return (client->cas->mechanisms & mechanisms_private(client) & SASL_BIT(SASL_PLAIN)) != 0;
}
