/*
 * What the formats mbx and mix of the c-client library share: how flags and keywords are kept.  Sources:
 * its docs/mbx.txt and docs/mix.txt.
 */
#ifndef IMAPCTL_CCLIENT_H
#define IMAPCTL_CCLIENT_H

#include "source.h"

#define CCLIENT_KEYWORDS_MAX 32

/* The names of a folder's keywords, one a bit. */
struct cclient_keywords {
	struct buffer names[CCLIENT_KEYWORDS_MAX];
	size_t count;
};

/* The next keyword; an empty name keeps its bit. */
void cclient_keywords_add(struct cclient_keywords *keywords, struct span name);
void cclient_keywords_free(struct cclient_keywords *keywords);

/* Give a message its flags and the keywords whose bits are set; bits without a name are noted. */
void cclient_take(struct source *source, struct message *message, const struct cclient_keywords *keywords,
    uint32_t keyword_bits, uint32_t flag_bits);

#endif
