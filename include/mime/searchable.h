/*
 * The texts in which SEARCH looks for FROM, TO, CC, BCC and SUBJECT: the fields of the envelope structure (RFC 9051
 * section 6.4.4), and the Message-ID, for which programs ask most.  Decoded, in UTF-8, folded (mime/fold.h): a key that is
 * folded, too, is in one of them or not, octet by octet.
 *
 *	SUBJECT		 the first such field, as mime_header_decode() has it
 *	FROM to BCC	 "name <mailbox@host>, group: <mailbox@host>;": the addresses of ENVELOPE, those of all fields of that
 *			 name, with encoded words decoded.  No comments, except one that is a name because there is no
 *			 other; no folding, no quotes.
 *	MESSAGE_ID	 all such fields, decoded, with MIME_SEARCHABLE_END between them, which is in no key
 *
 * Any thread; pure.
 */
#ifndef MIME_SEARCHABLE_H
#define MIME_SEARCHABLE_H

#include "base/buffer.h"

enum mime_searchable_text {
	MIME_SEARCHABLE_SUBJECT,
	MIME_SEARCHABLE_FROM,
	MIME_SEARCHABLE_TO,
	MIME_SEARCHABLE_CC,
	MIME_SEARCHABLE_BCC,
	MIME_SEARCHABLE_MESSAGE_ID,
	MIME_SEARCHABLE_COUNT
};

#define MIME_SEARCHABLE_ALL	 ((1u << MIME_SEARCHABLE_COUNT) - 1)
#define MIME_SEARCHABLE_END	 0xFF			/* never in UTF-8 */
#define MIME_SEARCHABLE_KEPT_MAX ((size_t)64 * 1024)	/* octets of all texts: longer ones are not kept, but made when asked for */

struct mime_searchable {
	struct buffer texts[MIME_SEARCHABLE_COUNT];
	unsigned present;	/* bit n: there is a field for text n, be it empty */
};

/*
 * Fill a zeroed one from a header block.
 *
 *	wanted	 bits 1 << enum mime_searchable_text
 *
 * False: the texts would be longer than octets_max; they are not whole.  Lists of addresses end where ENVELOPE's do, at
 * about a megabyte.
 */
bool mime_searchable_read(struct span header, unsigned wanted, size_t octets_max, struct mime_searchable *out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void mime_searchable_fini(struct mime_searchable *searchable);

#endif
