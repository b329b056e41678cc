/*
 * What a server has said it can do: words in a buffer, which is empty as long as it has said nothing.
 */
#ifndef IMAPCTL_CAPABILITIES_H
#define IMAPCTL_CAPABILITIES_H

#include "base/buffer.h"

/* Keep these words instead of what was kept. */
void capabilities_keep(struct buffer *kept, const struct span *words, size_t count);

/* Whether a word is among them, in any case. */
bool capabilities_have(const struct buffer *kept, struct span word);

/* Whether it is, or comes with IMAP4rev2, which is among them (RFC 9051 appendix E). */
bool capabilities_imply(const struct buffer *kept, struct span word);

#endif
