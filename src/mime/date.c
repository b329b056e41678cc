/*
 * Dates of messages: the Date field of RFC 5322 sections 3.3 and 4.3, what else programs have written there,
 * and the dates of separators in mbox files.  The value is read as words and numbers; comments, commas and
 * folding are passed over.  Any thread.
 */
#include "mime/date.h"

#include "base/memory.h"

#define MINUTES_DAY (24 * 60)

struct cursor {
	const uint8_t *at, *end;
};

int32_t
mime_date_day(int32_t year, unsigned month, unsigned day_of_month)
{
	/* Years that begin in March, in eras of 400 of them: leap days come last. */
	int32_t shifted = month <= 2 ? year - 1 : year;
	int32_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int32_t year_of_era = shifted - era * 400;
	int32_t day_of_year = ((int32_t)(month + (month > 2 ? -3 : 9)) * 153 + 2) / 5 + (int32_t)day_of_month - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool
is_letter(uint8_t octet)
{
	return ascii_lower(octet) >= 'a' && ascii_lower(octet) <= 'z';
}

/* Go behind a comment, or to the end when it is not closed. */
static void
skip_comment(struct cursor *cursor)
{
	size_t depth = 0;

	do {
		if (*cursor->at == '\\' && cursor->end - cursor->at > 1)
			cursor->at++;
		else if (*cursor->at == '(')
			depth++;
		else if (*cursor->at == ')')
			depth--;
		cursor->at++;
	} while (depth > 0 && cursor->at < cursor->end);
}

static void
skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end) {
		if (*cursor->at == '(')
			skip_comment(cursor);
		else if (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == '\r' || *cursor->at == '\n')
			cursor->at++;
		else
			return;
	}
}

/* Go to the next octet that says something: a letter, a digit, or one of these. */
static void
skip_to(struct cursor *cursor, const char *wanted)
{
	while (cursor->at < cursor->end) {
		uint8_t octet = *cursor->at;

		if (octet == '(') {
			skip_comment(cursor);
			continue;
		}
		if (is_letter(octet) || ascii_is_digit(octet) || (octet != 0 && strchr(wanted, octet) != NULL))
			return;
		cursor->at++;
	}
}

static struct span
read_word(struct cursor *cursor)
{
	const uint8_t *from = cursor->at;

	while (cursor->at < cursor->end && is_letter(*cursor->at))
		cursor->at++;
	return span_of(from, cursor->at - from);
}

/* Read digits; false if there are none, or more than such a number may have. */
static bool
read_number(struct cursor *cursor, size_t digits_max, int *number_out, size_t *digits_out)
{
	const uint8_t *from = cursor->at;
	int number = 0;

	while (cursor->at < cursor->end && ascii_is_digit(*cursor->at)) {
		if ((size_t)(cursor->at - from) < digits_max)
			number = number * 10 + (*cursor->at - '0');
		cursor->at++;
	}
	*number_out = number;
	*digits_out = cursor->at - from;
	return *digits_out > 0 && *digits_out <= digits_max;
}

/* 1 to 12 by its first three letters, or 0. */
static int
month_of(struct span word)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12 && word.length >= 3; i++)
		if (span_equals_nocase(span_slice(word, 0, 3), span_of(months + 3 * i, 3)))
			return i + 1;
	return 0;
}

static bool
read_month(struct cursor *cursor, int *month_out)
{
	skip_to(cursor, "");
	*month_out = month_of(read_word(cursor));
	return *month_out > 0;
}

/* RFC 5322 section 4.3: two digits are a year from 1950 to 2049, three count from 1900. */
static bool
read_year(struct cursor *cursor, int *year_out)
{
	size_t digits;
	int year;

	skip_to(cursor, "");
	if (!read_number(cursor, 4, &year, &digits) || digits < 2)
		return false;
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3)
		year += 1900;
	*year_out = year;
	return true;
}

static bool
is_in_month(int year, int month, int day)
{
	static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return day >= 1 && day <= lengths[month - 1] + (month == 2 && is_leap);
}

/* "PM" behind a time of twelve hours; anything else stays for who reads the zone. */
static void
read_half_of_day(struct cursor *cursor, int *hours)
{
	struct cursor before = *cursor;
	struct span word;

	skip_space(cursor);
	word = read_word(cursor);
	if (span_equals_nocase(word, SPAN("AM")) && *hours <= 12)
		*hours %= 12;
	else if (span_equals_nocase(word, SPAN("PM")) && *hours <= 12)
		*hours = *hours % 12 + 12;
	else
		*cursor = before;
}

/* Go behind a fraction of a second, as ISO 8601 has it. */
static void
skip_fraction(struct cursor *cursor)
{
	while (cursor->at < cursor->end && ascii_is_digit(*cursor->at))
		cursor->at++;
}

/* Read hours, minutes and perhaps seconds; false if that is no time of a day. */
static bool
read_time(struct cursor *cursor, int *seconds_out)
{
	int numbers[3] = { 0, 0, 0 };
	size_t count = 0, digits;

	skip_to(cursor, "+-");
	while (count < 3 && read_number(cursor, 2, &numbers[count], &digits)) {
		count++;
		skip_space(cursor);	/* RFC 5322 section 4.3 allows it around the colon */
		if (cursor->at == cursor->end || (*cursor->at != ':' && *cursor->at != '.'))
			break;
		cursor->at++;
		skip_space(cursor);
	}
	if (count == 3 && cursor->at[-1] == '.')
		skip_fraction(cursor);
	read_half_of_day(cursor, &numbers[0]);
	if (count < 2 || numbers[0] > 23 || numbers[1] > 59 || numbers[2] > 60)
		return false;
	*seconds_out = numbers[0] * 3600 + numbers[1] * 60 + numbers[2];
	return true;
}

/* RFC 5322 section 4.3: military letters were used both ways and say nothing. */
static int
zone_by_name(struct span word)
{
	static const struct {
		struct span name;
		int minutes;
	} zones[] = {
		{ SPAN("EST"), -5 * 60 }, { SPAN("EDT"), -4 * 60 }, { SPAN("CST"), -6 * 60 },
		{ SPAN("CDT"), -5 * 60 }, { SPAN("MST"), -7 * 60 }, { SPAN("MDT"), -6 * 60 },
		{ SPAN("PST"), -8 * 60 }, { SPAN("PDT"), -7 * 60 },
	};

	for (size_t i = 0; i < COUNT_OF(zones); i++)
		if (span_equals_nocase(word, zones[i].name))
			return zones[i].minutes;
	return 0;
}

static int
zone_by_offset(struct cursor *cursor)
{
	int sign = *cursor->at++ == '-' ? -1 : 1, number, minutes = 0;
	size_t digits;

	if (!read_number(cursor, 4, &number, &digits))
		return 0;
	if (digits <= 2 && cursor->end - cursor->at > 1 && *cursor->at == ':') {
		cursor->at++;
		if (!read_number(cursor, 2, &minutes, &digits))
			return 0;
		number = number * 100 + minutes;
	} else if (digits <= 2) {
		number *= 100;
	}
	if (number % 100 > 59 || number / 100 * 60 + number % 100 >= MINUTES_DAY)
		return 0;
	return sign * (number / 100 * 60 + number % 100);
}

static int
read_zone(struct cursor *cursor)
{
	struct span word;
	int minutes;

	skip_to(cursor, "+-");
	if (cursor->at == cursor->end)
		return 0;
	if (*cursor->at == '+' || *cursor->at == '-')
		return zone_by_offset(cursor);
	word = read_word(cursor);
	minutes = zone_by_name(word);
	/* "GMT+0100" is written by programs that mean the number. */
	if (minutes == 0 && word.length > 0 && cursor->at < cursor->end &&
	    (*cursor->at == '+' || *cursor->at == '-'))
		return zone_by_offset(cursor);
	return minutes;
}

/* Skip the name of the day, if there is one; a month's name stays. */
static void
skip_day_name(struct cursor *cursor)
{
	struct cursor before;

	skip_to(cursor, "");
	before = *cursor;
	if (month_of(read_word(cursor)) > 0)
		*cursor = before;
	else
		skip_to(cursor, "");
}

/* What is read before it becomes a struct mime_date. */
struct parts {
	int year, month, day, seconds, zone_minutes;
};

/* Whether the next number is the hour of a time, "9:55", and no year. */
static bool
is_at_time(struct cursor cursor)
{
	size_t digits;
	int number;

	skip_to(&cursor, "");
	if (!read_number(&cursor, 2, &number, &digits))
		return false;
	skip_space(&cursor);
	return cursor.at < cursor.end && *cursor.at == ':';
}

/*
 * "09:55:06 1997" as asctime(3) puts them, the zone before the year, "CET", "MET DST" or "-0800", or behind
 * it.
 */
static bool
read_time_and_year(struct cursor *cursor, struct parts *parts)
{
	if (!read_time(cursor, &parts->seconds))
		return false;
	for (skip_to(cursor, "+-"); cursor->at < cursor->end && !ascii_is_digit(*cursor->at); skip_to(cursor, "+-")) {
		int minutes = read_zone(cursor);

		if (minutes != 0)
			parts->zone_minutes = minutes;
	}
	if (!read_year(cursor, &parts->year))
		return false;
	if (parts->zone_minutes == 0)
		parts->zone_minutes = read_zone(cursor);
	return true;
}

/* "1997 09:55:06 -0600"; no time is midnight: RFC 5256 section 2.2. */
static bool
read_year_and_time(struct cursor *cursor, struct parts *parts)
{
	if (!read_year(cursor, &parts->year))
		return false;
	if (read_time(cursor, &parts->seconds))
		parts->zone_minutes = read_zone(cursor);
	return true;
}

/* "2024-01-01T10:00:00Z", also with a space or slashes: ISO 8601 and RFC 3339 section 5.6. */
static bool
read_iso(struct cursor *cursor, struct parts *parts)
{
	size_t digits;

	if (!read_number(cursor, 4, &parts->year, &digits))
		return false;
	skip_to(cursor, "");
	if (!read_number(cursor, 2, &parts->month, &digits) || parts->month < 1 || parts->month > 12)
		return false;
	skip_to(cursor, "");
	if (!read_number(cursor, 2, &parts->day, &digits))
		return false;
	if (cursor->at < cursor->end && ascii_lower(*cursor->at) == 't')
		cursor->at++;
	if (!read_time(cursor, &parts->seconds))
		return false;
	parts->zone_minutes = read_zone(cursor);
	return true;
}

static bool
is_at_iso(const struct cursor *cursor)
{
	struct span rest = span_of(cursor->at, cursor->end - cursor->at);

	for (size_t i = 0; i < 4; i++)
		if (i >= rest.length || !ascii_is_digit(rest.at[i]))
			return false;
	return rest.length > 4 && (rest.at[4] == '-' || rest.at[4] == '/');
}

static bool
read_month_and_day(struct cursor *cursor, struct parts *parts)
{
	size_t digits;

	if (cursor->at == cursor->end || !is_letter(*cursor->at))
		return read_number(cursor, 2, &parts->day, &digits) && read_month(cursor, &parts->month);
	if (!read_month(cursor, &parts->month))
		return false;
	skip_to(cursor, "");
	return read_number(cursor, 2, &parts->day, &digits);
}

static bool
read_parts(struct cursor *cursor, struct parts *parts)
{
	skip_day_name(cursor);
	if (is_at_iso(cursor))
		return read_iso(cursor, parts);
	if (!read_month_and_day(cursor, parts))
		return false;
	return is_at_time(*cursor) ? read_time_and_year(cursor, parts) : read_year_and_time(cursor, parts);
}

bool
mime_date_parse(struct span value, struct mime_date *date_out)
{
	struct cursor cursor = { value.at, value.length == 0 ? value.at : value.at + value.length };
	struct parts parts = { 0 };

	if (!read_parts(&cursor, &parts) || !is_in_month(parts.year, parts.month, parts.day))
		return false;
	date_out->day = mime_date_day(parts.year, parts.month, parts.day);
	date_out->zone_minutes = parts.zone_minutes;
	date_out->unix_s = (int64_t)date_out->day * 86400 + parts.seconds - parts.zone_minutes * 60;
	return true;
}
