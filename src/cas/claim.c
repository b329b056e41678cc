/*
 * What a client says who it is.  Loop thread.
 */
#include "login.h"

struct directory_claim
login_claim(const struct cas_client *client)
{
	return (struct directory_claim){ .name = sasl_user(client->sasl), .identity = sasl_identity(client->sasl),
		.separator = config_master_separator(client->cas->parts.config),
		.is_proved = (SASL_BIT(client->mechanism) & (SASL_BEARER | SASL_BIT(SASL_EXTERNAL))) != 0 };
}

struct span
login_counted(const struct cas_client *client)
{
	struct directory_claim claim = login_claim(client);

	return directory_claim_prover(&claim);
}

void
login_succeeded(struct cas_client *client)
{
	throttle_succeeded(client->cas->throttle, client->is_acting ? directory_name_span(&client->prover) :
	    sasl_user(client->sasl));
}
