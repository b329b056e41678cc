/*
 * Passwords as other programs keep them, for those who bring their users along: crypt(3) hashes, and what stands in
 * Dovecot's passwd-file or in userPassword of LDAP as "{SCHEME}...".  Pure; any thread.
 */
#ifndef AUTH_FOREIGN_H
#define AUTH_FOREIGN_H

#include "base/buffer.h"

enum foreign_password {
	FOREIGN_HASH,		/* a credential for password_verify() */
	FOREIGN_PLAIN,		/* the password itself: it is to be derived */
	FOREIGN_NONE,		/* empty: no password fits */
	FOREIGN_UNKNOWN,	/* a scheme that cannot be compared here, or a hash that libcrypt does not know */
	FOREIGN_DAMAGED,	/* not what the scheme promises: cut off, or not decodable */
	FOREIGN_COSTLY,		/* to compare it takes more time or memory than a login may */
};

/*
 * Read what another program has stored.
 *
 *	text		"{SCHEME}VALUE", "{SCHEME.ENCODING}VALUE" or a hash of crypt(5); without either it is DES, which is
 *			too weak to be let in
 *	out		gets the credential or the password, appended; nothing in all other cases
 *	scheme_out	its name, for what is said of it; borrowed from text, or static
 */
enum foreign_password foreign_password_read(struct span text, struct buffer *out, struct span *scheme_out);

/*
 * Whether a credential that somebody says is one was made of a hash that the function above lets in, or of a password: neither
 * damaged, nor of a cost that would keep a worker busy at each login.
 */
bool foreign_is_bearable(struct span credential);

#endif
