/*
 * Where in a mailbox something has changed last: the highest modseq in each span of UIDs, so that what has changed since
 * some modseq is found without a look at every message.  A span's figure stays when messages leave.  Belongs to a state,
 * and before to the job that loads it.
 */
#ifndef MAILBOX_MODSEQS_H
#define MAILBOX_MODSEQS_H

#include <stddef.h>
#include <stdint.h>

#include "store/message.h"

/* Zeroed: nothing has a modseq. */
struct modseqs {
	uint64_t *highest;		/* of each span */
	size_t count, capacity;
	unsigned coarser;		/* spans hold 64 UIDs, times two to this power */
};

void modseqs_note(struct modseqs *modseqs, uint32_t uid, uint64_t modseq);
void modseqs_note_all(struct modseqs *modseqs, const struct store_message *messages, size_t count);
void modseqs_free(struct modseqs *modseqs);

/* The first UID from this one on in whose span something may have changed since; 0: there is none. */
uint32_t modseqs_next(const struct modseqs *modseqs, uint32_t uid, uint64_t since);

size_t modseqs_octets(const struct modseqs *modseqs);

#endif
