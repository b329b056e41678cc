/*
 * A user's name within the texts that LDAP understands: search filters and distinguished names.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include "base/buffer.h"
#include "directory/directory.h"

/* Draw a name that nobody has. */
struct span pattern_draw_name(char text[DIRECTORY_ID_LENGTH + 1]);

/*
 * Append a value so that it is nothing but a value in a filter (RFC 4515 section 3) and in a
 * distinguished name (RFC 4514 section 2.4).
 */
void pattern_escape(struct span value, struct buffer *out);

/*
 * Append a pattern with a name in its places, escaped: %u all of it, %n what is before the last @ and %d
 * what is behind it, %% a percent sign.  A name without @ has no %d.
 */
void pattern_expand(const char *pattern, struct span name, struct buffer *out);

/* Likewise with %D, the distinguished name of the entry that the name led to. */
void pattern_expand_entry(const char *pattern, struct span name, struct span dn, struct buffer *out);

#endif
