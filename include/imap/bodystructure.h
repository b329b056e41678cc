/*
 * BODY and BODYSTRUCTURE as a reply holds them: RFC 9051 section 7.5.2.  Always valid by the grammar.  Both
 * are rendered; neither is made from the other.  Any thread; pure.
 */
#ifndef IMAP_BODYSTRUCTURE_H
#define IMAP_BODYSTRUCTURE_H

#include "mime/part.h"

enum imap_body_form { IMAP_BODY, IMAP_BODYSTRUCTURE };	/* without, with extension data */

/* Append the structure, with its parentheses, of the tree of this message. */
void imap_body_write(const struct mime_tree *tree, struct span message, enum imap_body_form form,
    struct buffer *out);

#endif
