/*
 * The first words of a message, as a mail program shows them in a list: RFC 8970 section 3.3.  Taken from the first
 * text that says something; of HTML what would be shown.  Bounded in what is read and in time.  Any thread; pure.
 */
#ifndef MIME_PREVIEW_H
#define MIME_PREVIEW_H

#include "mime/parts.h"

#define MIME_PREVIEW_CHARACTERS 200
#define MIME_PREVIEW_READS_MAX	((uint32_t)64 * 1024)	/* octets of a part that are looked at */

/*
 * Append the preview of a message: UTF-8 on one line, at most MIME_PREVIEW_CHARACTERS; nothing when it has no text.
 *
 *	parts	the part table of this message
 */
void mime_preview(struct span message, struct span parts, struct buffer *out);

/*
 * The same of one part, for those who have not all of the message at hand.
 *
 *	body	its first octets, MIME_PREVIEW_READS_MAX or all
 *
 * False: it says nothing, out is as before.
 */
bool mime_preview_part(const struct mime_parts_entry *part, struct span body, struct buffer *out);

/* Is it a part to be asked? */
bool mime_preview_is_text(const struct mime_parts_entry *part);

#endif
