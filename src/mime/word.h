/*
 * One encoded word: RFC 2047 section 2.  Any thread; pure.
 */
#ifndef MIME_WORD_H
#define MIME_WORD_H

#include "base/span.h"

struct word {
	struct span charset, text;
	bool is_base64;
	size_t end;		/* offset of what follows it */
};

/*
 * Read the word at an offset where "=?" stands; its text may hold anything but "?".  That also bounds the cost:
 * what is looked at here is looked at three times at most, however many words begin and never end.
 */
bool word_read(struct span line, size_t offset, struct word *word_out);

#endif
