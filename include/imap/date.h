/*
 * Dates in commands and replies: RFC 9051 section 9 ("date", "date-time").  Pure: no clock, no zone files.
 */
#ifndef IMAP_DATE_H
#define IMAP_DATE_H

#include "base/buffer.h"

struct imap_date_time {
	int64_t seconds;	/* since 1970-01-01 00:00:00 UTC */
	int16_t zone_minutes;	/* east of UTC, -1439 to 1439 */
};

/* Read "1-Feb-1994" or "01-Feb-1994", no quotes: days since 1970-01-01.  "31-Feb-1994" is the day three
 * days behind the 28th, since the grammar has it.  False when no such day is. */
bool imap_date_parse(struct span text, int32_t *days_out);

/* Read " 7-Feb-1994 21:52:25 -0800", no quotes.  Second 60 counts as 59.  False when no such time is. */
bool imap_date_time_parse(struct span text, struct imap_date_time *time_out);

/* Append "\" 7-Feb-1994 21:52:25 -0800\"", quotes included; years outside 0 to 9999 are cut to these. */
void imap_date_time_write(struct buffer *out, struct imap_date_time time);

#endif
