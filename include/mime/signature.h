/*
 * What three octets follow each other in a text, as a set of buckets: a text that has a key has all buckets of the
 * key, so that a set says of most texts that a key is certainly not in them (DESIGN section 8).  Text and key are
 * folded.  Any thread; pure.
 */
#ifndef MIME_SIGNATURE_H
#define MIME_SIGNATURE_H

#include "base/buffer.h"

#define MIME_SIGNATURE_BUCKETS	   (1 << 14)
#define MIME_SIGNATURE_OCTETS	   (MIME_SIGNATURE_BUCKETS / 8)
#define MIME_SIGNATURE_KEY_OCTETS  256		/* of a key; what comes after is not looked at */
#define MIME_SIGNATURE_KEY_BUCKETS (MIME_SIGNATURE_KEY_OCTETS - 2)
#define MIME_SIGNATURE_OVERLAP	   (MIME_SIGNATURE_KEY_OCTETS - 1)	/* between two pieces of one text */
#define MIME_SIGNATURE_TEXT_OCTETS (8 * 1024)	/* of text in a set that is full: one bucket in four is then set */

/* Bit bucket % 8 of octet bucket / 8 is set.  A zeroed one is empty. */
struct mime_signature {
	uint8_t bits[MIME_SIGNATURE_OCTETS];
};

/* Add the buckets of a text. */
void mime_signature_add(struct mime_signature *signature, struct span text);

/*
 * Give the buckets of a key, each once, rising.  Returns how many: none for a key under three octets, which any text
 * may have.
 */
size_t mime_signature_key(struct span key, uint16_t buckets_out[MIME_SIGNATURE_KEY_BUCKETS]);

/* Whether all of these buckets are set. */
bool mime_signature_has(const struct mime_signature *signature, const uint16_t *buckets, size_t count);

/*
 * Add as much of a text as there is room for, and take that off its front, but for what the next set must see, too,
 * since a key may begin in it.
 *
 *	octets	how much text is in the set; rises up to MIME_SIGNATURE_TEXT_OCTETS
 *	text	one piece of a text; the next piece of the same text begins with the last MIME_SIGNATURE_OVERLAP
 *		octets of this one
 *
 * True: the set is full, and the rest of the text goes into another one.  False: all of the text is in.
 */
bool mime_signature_fill(struct mime_signature *signature, uint32_t *octets, struct span *text);

/*
 * A number that changes whenever the same message may have other buckets than before: with this file, and with the
 * libraries that decode and fold.
 */
uint64_t mime_signature_version(void);

#endif
