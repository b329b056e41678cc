/*
 * BODY and BODYSTRUCTURE as a reply holds them: RFC 9051 section 7.5.2.  Always valid by the grammar.  Both
 * are rendered; neither is made from the other.  Any thread; pure.
 */
#ifndef IMAP_BODYSTRUCTURE_H
#define IMAP_BODYSTRUCTURE_H

#include "mime/part.h"

enum imap_body_form { IMAP_BODY, IMAP_BODYSTRUCTURE };	/* without, with extension data */

/* Append the structure, with its parentheses, of the tree of this message, as IMAP4rev2 has it. */
void imap_body_write(const struct mime_tree *tree, struct span message, enum imap_body_form form,
    struct buffer *out);

/*
 * Append a structure that imap_body_write() has written as IMAP4rev1 has it.  There message/global is a part as any
 * other (RFC 3501 section 9, "media-message"), and c-client loses every part behind one that has an envelope; so
 * its envelope, body and lines are left out.  Damage is passed on as it is.
 */
void imap_body_write_rev1(struct span body, struct buffer *out);

#endif
