/*
 * Dates and times as IMAP writes them.  RFC 9051 section 9, "date", "date-time".  Pure.
 */
#include "imap/date.h"

#include "base/memory.h"
#include "mime/date.h"

#define SECONDS_PER_DAY 86400

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec" };

/* The other way round than mime_date_day(): from 1 March of year 0 in eras of 400 years, the leap day last. */
static void
civil_from_days(int64_t days, int *year_out, int *month_out, int *day_out)
{
	int64_t era, day_of_era, year_of_era, day_of_year, shifted_month;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted_month = (5 * day_of_year + 2) / 153;
	*day_out = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
	*month_out = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year_out = (int)(year_of_era + era * 400 + (*month_out <= 2));
}

static int
days_in_month(int year, int month)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool
digits(struct span text, int *number_out)
{
	uint64_t number;

	if (!span_to_number(text, 9999, &number))
		return false;
	*number_out = (int)number;
	return true;
}

static int
month_from_name(struct span name)
{
	for (int i = 0; i < 12; i++)
		if (span_equals_nocase(name, span_from_string(months[i])))
			return i + 1;
	return 0;
}

/*
 * "Feb-1994" behind a day that was read.
 *
 *	is_strict	only days that the month has; otherwise "31-Feb" is a day in March
 */
static bool
month_and_year(int day, struct span text, bool is_strict, int32_t *days_out)
{
	int month, year;

	if (text.length != 8 || text.at[3] != '-' || !digits(span_from(text, 4), &year))
		return false;
	month = month_from_name(span_slice(text, 0, 3));
	if (month == 0 || day < 1 || day > (is_strict ? days_in_month(year, month) : 31))
		return false;
	*days_out = mime_date_day(year, (unsigned)month, (unsigned)day);
	return true;
}

bool
imap_date_parse(struct span text, int32_t *days_out)
{
	size_t dash = span_find(text, '-');
	int day;

	return dash >= 1 && dash <= 2 && dash < text.length && digits(span_slice(text, 0, dash), &day) &&
	    month_and_year(day, span_from(text, dash + 1), false, days_out);
}

/* "21:52:25" */
static bool
time_of_day(struct span text, int64_t *seconds_out)
{
	int hour, minute, second;

	if (text.length != 8 || text.at[2] != ':' || text.at[5] != ':' || !digits(span_slice(text, 0, 2), &hour) ||
	    !digits(span_slice(text, 3, 2), &minute) || !digits(span_slice(text, 6, 2), &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*seconds_out = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
	return true;
}

/* "-0800" */
static bool
zone(struct span text, int16_t *minutes_out)
{
	int hours, minutes;

	if (text.length != 5 || (text.at[0] != '+' && text.at[0] != '-') ||
	    !digits(span_slice(text, 1, 2), &hours) || !digits(span_slice(text, 3, 2), &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*minutes_out = (int16_t)((hours * 60 + minutes) * (text.at[0] == '-' ? -1 : 1));
	return true;
}

/*
 * "dd-Mmm-yyyy hh:mm:ss +zzzz".  The grammar wants a space or a zero before a day of one digit; node-imap 0.8
 * writes the digit alone, and other servers take it.
 */
bool
imap_date_time_parse(struct span text, struct imap_date_time *time_out)
{
	size_t dash = span_find(text, '-');
	struct span behind = span_from(text, dash);
	int32_t days;
	int64_t seconds;
	int16_t minutes;
	int day;

	if (dash < 1 || dash > 2 || behind.length != 24 || behind.at[9] != ' ' || behind.at[18] != ' ')
		return false;
	if (!digits(text.at[0] == ' ' ? span_slice(text, 1, dash - 1) : span_slice(text, 0, dash), &day) ||
	    !month_and_year(day, span_slice(behind, 1, 8), true, &days) ||
	    !time_of_day(span_slice(behind, 10, 8), &seconds) || !zone(span_slice(behind, 19, 5), &minutes))
		return false;
	time_out->seconds = (int64_t)days * SECONDS_PER_DAY + seconds - minutes * 60;
	time_out->zone_minutes = minutes;
	return true;
}

static void
two_digits(uint8_t *at, int number, uint8_t filler)
{
	at[0] = number < 10 ? filler : (uint8_t)('0' + number / 10 % 10);
	at[1] = (uint8_t)('0' + number % 10);
}

static int64_t
clamp_to_four_digit_years(int64_t local)
{
	int64_t least = (int64_t)mime_date_day(0, 1, 1) * SECONDS_PER_DAY;
	int64_t most = (int64_t)mime_date_day(10000, 1, 1) * SECONDS_PER_DAY - 1;

	return local < least ? least : local > most ? most : local;
}

void
imap_date_time_write(struct buffer *out, struct imap_date_time time)
{
	int zone_minutes = time.zone_minutes < 0 ? -time.zone_minutes : time.zone_minutes;
	int64_t local, days;
	int year, month, day, second;
	uint8_t text[28] = "\"dd-Mmm-yyyy hh:mm:ss +zzzz\"";

	/* Seconds beyond all years are cut first, so that the zone cannot overflow them. */
	local = clamp_to_four_digit_years(clamp_to_four_digit_years(time.seconds) + time.zone_minutes * 60);
	days = local / SECONDS_PER_DAY - (local % SECONDS_PER_DAY < 0);
	second = (int)(local - days * SECONDS_PER_DAY);
	civil_from_days(days, &year, &month, &day);
	two_digits(text + 1, day, ' ');
	memcpy(text + 4, months[month - 1], 3);
	two_digits(text + 8, year / 100, '0');
	two_digits(text + 10, year % 100, '0');
	two_digits(text + 13, second / 3600, '0');
	two_digits(text + 16, second / 60 % 60, '0');
	two_digits(text + 19, second % 60, '0');
	text[22] = time.zone_minutes < 0 ? '-' : '+';
	two_digits(text + 23, zone_minutes / 60, '0');
	two_digits(text + 25, zone_minutes % 60, '0');
	buffer_add(out, text, sizeof text);
}
