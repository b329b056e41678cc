/*
 * Passwords found right a few minutes ago, so that a client's next login costs microseconds.  Holds no
 * password: an HMAC under a random key of this process, over user, credential version, mechanism and
 * password.  A changed password has another version and misses.  Loop thread.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include "auth/sasl.h"

struct auth_cache;

/*
 *	lifetime_s	how long a success counts; 0 remembers nothing
 *	capacity	users remembered; the oldest success makes room
 */
struct auth_cache *auth_cache_new(uint32_t lifetime_s, size_t capacity);
void auth_cache_free(struct auth_cache **cache);

/* What was proved, and how; borrowed. */
struct auth_proof {
	struct span user;		/* as prepared for the directory */
	uint64_t credential_version;
	enum sasl_mechanism mechanism;
	struct span password;
};

/* Whether this very proof succeeded within the lifetime; now_us is clock_monotonic_us(). */
bool auth_cache_has(struct auth_cache *cache, const struct auth_proof *proof, uint64_t now_us);

/* Remember a success; forgets an older one of the same user by the same mechanism. */
void auth_cache_add(struct auth_cache *cache, const struct auth_proof *proof, uint64_t now_us);

/* The next login of everybody is verified again. */
void auth_cache_clear(struct auth_cache *cache);

#endif
