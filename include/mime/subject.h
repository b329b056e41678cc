/*
 * Base subjects: what SORT and THREAD compare, RFC 5256 section 2.1.  Linear time.  Any thread; pure.
 */
#ifndef MIME_SUBJECT_H
#define MIME_SUBJECT_H

#include "base/buffer.h"

/*
 * Append the base subject of a Subject value: encoded words decoded, without "Re:", "Fwd:", "[list]" and their kind.
 * UTF-8, its case as it was; empty if nothing is left.
 *
 * True: something went that marks a reply or a forwarded message (RFC 5256 section 3, REFERENCES).
 */
bool mime_subject_base(struct span value, struct buffer *out);

/* The same of a text that is UTF-8 on one line already, its runs of spaces made one; the base points into it. */
bool mime_subject_strip(struct span text, struct span *base_out);

#endif
