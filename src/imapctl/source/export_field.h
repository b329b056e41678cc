/*
 * The field that `imapctl export` puts between its own fields and the header of each message of an mbox:
 *
 *	X-Imapd-Export: uidvalidity=17 uid=7 octets=1234 date=1500000001 lines=lf
 *
 * What stands before it is the export's, what stands behind it came with the message, also if it is called Status.
 * From_ lines are quoted everywhere behind it.  Pure.
 */
#ifndef IMAPCTL_EXPORT_FIELD_H
#define IMAPCTL_EXPORT_FIELD_H

#include "base/buffer.h"

#define EXPORT_FIELD_NAME "X-Imapd-Export"

struct export_field {
	uint32_t uidvalidity, uid;
	uint64_t octets;	/* of the message */
	int64_t date_s;		/* INTERNALDATE */
	bool is_kept;		/* lines=kept: line ends are as they were; lines=lf: LF stands for each CRLF */
};

/* Append the line, with LF. */
void export_field_write(const struct export_field *field, struct buffer *out);

/* Read what stands behind the colon.  False: it is none of ours. */
bool export_field_read(struct span value, struct export_field *out);

#endif
