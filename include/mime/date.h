/*
 * The Date field (RFC 5322 sections 3.3 and 4.3).  Any thread.
 */
#ifndef MIME_DATE_H
#define MIME_DATE_H

#include "base/span.h"

struct mime_date {
	int64_t unix_s;		/* seconds since 1970-01-01 UTC */
	int32_t zone_minutes;	/* east of UTC; 0 when unknown */
	int32_t day;		/* calendar day where the sender is, days since 1970-01-01: SENTON */
};

/*
 * Read a field value: comments, folding, two- and three-digit years, named zones, no day name, no
 * seconds, and month before day are all fine; so is junk behind.  A time that makes no sense counts as
 * 00:00:00, a zone that makes none as UTC (RFC 5256 section 2.2).  False, with *date_out untouched, when
 * there is no calendar day.  Linear.
 */
bool mime_date_parse(struct span value, struct mime_date *date_out);

/* Days from 1970-01-01 to a day of the Gregorian calendar; month 1 to 12, day 1 to 31. */
int32_t mime_date_days(int year, int month, int day);

#endif
