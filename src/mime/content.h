/*
 * The Content-* fields of one part's header: RFC 2045, RFC 2183.  Any thread.
 */
#ifndef MIME_CONTENT_H
#define MIME_CONTENT_H

#include "mime/part.h"

/*
 * Fill the spans of a part from its header block; strings that are not as written come from the arena.
 * What the header does not say stays empty, but for the type, which is text/plain, or message/rfc822 in a
 * digest (RFC 2046 section 5.1.5), and the encoding.
 */
void content_read(struct mime_part *part, struct span header, bool is_in_digest, struct arena *arena);

#endif
