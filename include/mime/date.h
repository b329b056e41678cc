/*
 * Dates of messages: RFC 5322 sections 3.3 and 4.3, asctime(3) with and without a zone, ISO 8601.  Any thread; pure.
 */
#ifndef MIME_DATE_H
#define MIME_DATE_H

#include "base/span.h"

struct mime_date {
	int64_t unix_s;		/* since 1970 UTC */
	int32_t day;		/* calendar day as written, zone ignored, days since 1970-01-01: for SENTON */
	int32_t zone_minutes;	/* east of UTC; 0 where the zone is unknown */
};

/* Read a date, obsolete forms and comments included; false, with nothing written, if it is none. */
bool mime_date_parse(struct span value, struct mime_date *date_out);

/* Days since 1970-01-01 of a date of the Gregorian calendar; month 1 to 12. */
int32_t mime_date_day(int32_t year, unsigned month, unsigned day_of_month);

#endif
