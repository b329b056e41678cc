/*
 * A digest for the octets.
 */
#include "facts.h"

void
facts_fill(struct verification *verification, struct fact *fact, uint32_t uid, const struct message *message)
{
	fact->uid = uid;
	fact->is_known = true;
	fact->flags = flag_sets_get(verification->sets, message);
	fact->date_s = message->date_s;
	digest_sha256(buffer_span(&message->octets), fact->digest);
}
