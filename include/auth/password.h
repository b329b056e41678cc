/*
 * What is stored instead of a password, and whether a password fits it.  A credential is one line:
 *
 *	SCRAM-SHA-256$15000:SALT$STOREDKEY:SERVERKEY	as RFC 5803, each of the three in base64
 *	SCRAM-SHA-256$... SCRAM-SHA-1$...		keys for both hash functions, parted by a space
 *	$y$j9T$...					what crypt(3) knows, for imported users (auth/foreign.h)
 *	{SSHA512}...					base64 of a digest and its salt, likewise; also {SHA256} and their kin
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/buffer.h"

/* What new credentials get.  RFC 5802 section 5.1 and RFC 7677 section 4 ask for 4096 at least. */
#define PASSWORD_ITERATIONS 15000

/* A longer password fits nothing; nor can it be set. */
#define PASSWORD_MAX 1024

/*
 * Derive the credential of a new password, under a random salt.
 *
 *	password	1 to PASSWORD_MAX octets, no NUL
 *	wants_sha1	keys for SCRAM-SHA-1, too
 *
 * False, with nothing appended: the password is empty, too long or holds NUL.  Worker thread; slow.
 */
bool password_derive(struct span password, bool wants_sha1, struct buffer *credential_out);

/*
 * Whether a password fits a credential.  An empty, unknown or damaged credential fits nothing and costs
 * as much time as a fresh one, so that nobody can tell which users exist.  Worker thread; slow.
 */
bool password_verify(struct span password, struct span credential);

/*
 * Append what SCRAM clients make of a password before they hash it (RFC 4013), as far as it concerns passwords that
 * anybody has: mapping and NFKC.  ASCII stays as it is, and so does what is not UTF-8.
 */
void password_prepare(struct span password, struct buffer *out);

/* What a credential is, by how much it takes to try passwords on it. */
enum password_kind {
	PASSWORD_NONE,		/* empty: no password fits */
	PASSWORD_KEYS,		/* as password_derive() makes them: SCRAM is possible, too */
	PASSWORD_STRONG_HASH,	/* of another program, and no weaker: PLAIN and LOGIN alone */
	PASSWORD_WEAK_HASH	/* likewise, but as good as a plain password to who gets hold of it */
};
enum password_kind password_kind(struct span credential);

/* Whether the text is a credential password_verify() can use; for imports.  crypt(3) is not asked. */
bool password_is_credential(struct span text);

#endif
