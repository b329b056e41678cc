/*
 * A date is found by its words, in any order: what each word may be is summed from the end of the line, and
 * a sum that has a time, a month, a day and a year is a date.  Its value is read by the room mime.
 */
#include "separator.h"

#include "base/memory.h"
#include "mime/date.h"
#include "mime/header.h"

#define WORDS_MAX 40	/* more is prose */

/* What a word of a date may be; "1-Jan-2024" is three at once. */
enum { DAY_NAME, MONTH, NUMBER, YEAR, TIME, ISO_DATE, ZONE, KINDS };

static const char *const day_names[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday" };
static const char *const month_names[] = { "January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December" };

/* A name of the list, whole or its first three letters. */
static bool
is_name(struct span word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct span name = span_from_string(names[i]);

		if (span_equals_nocase(word, name) || span_equals_nocase(word, span_slice(name, 0, 3)))
			return true;
	}
	return false;
}

/* The number of digits at the front. */
static size_t
digits(struct span text)
{
	size_t count = 0;

	while (count < text.length && ascii_is_digit(text.at[count]))
		count++;
	return count;
}

/* "9:55", "09:55:06", "09:55:06.123Z", "09:55:06+01:00" */
static bool
is_time(struct span word)
{
	size_t hours = digits(word);
	struct span rest = span_from(word, hours + 1);

	return hours >= 1 && hours <= 2 && hours < word.length && word.at[hours] == ':' && digits(rest) == 2;
}

/* "+0100", "-08:00", "GMT+0100", "CET", "(CET)"; names in small letters are prose. */
static bool
is_zone(struct span word)
{
	size_t letters = 0;

	if (word.length >= 3 && word.at[0] == '(' && word.at[word.length - 1] == ')')
		word = span_slice(word, 1, word.length - 2);
	while (letters < word.length && word.at[letters] >= 'A' && word.at[letters] <= 'Z')
		letters++;
	if (letters == word.length)
		return letters >= 1 && letters <= 5;
	return letters <= 5 && (word.at[letters] == '+' || word.at[letters] == '-') &&
	    digits(span_from(word, letters + 1)) >= 2 && word.length - letters <= 6;
}

static void
count_number(struct span word, unsigned *counts)
{
	if (word.length == 4 && (word.at[0] == '1' || word.at[0] == '2'))
		counts[YEAR]++;
	else if (word.length <= 2)
		counts[NUMBER]++;
	else
		counts[KINDS]++;
}

/* "2024-01-01", "2024-01-01T10:00:00Z", "2024/01/01" */
static bool
count_iso(struct span word, unsigned *counts)
{
	size_t month = digits(span_from(word, 5)), day = digits(span_from(word, 6 + month));
	struct span rest = span_from(word, 6 + month + day);

	if (digits(word) != 4 || word.length < 8 || (word.at[4] != '-' && word.at[4] != '/') || month < 1 ||
	    month > 2 || day < 1 || day > 2)
		return false;
	if (rest.length > 0 && (ascii_lower(rest.at[0]) != 't' || !is_time(span_from(rest, 1))))
		return false;
	counts[ISO_DATE]++;
	counts[TIME] += rest.length > 0;
	return true;
}

static void count_word(struct span word, unsigned *counts);

/* "1-Jan-2024" */
static bool
count_hyphened(struct span word, unsigned *counts)
{
	size_t first = span_find(word, '-'), second = span_find(span_from(word, first + 1), '-');
	struct span month = span_slice(word, first + 1, second);

	if (digits(word) != first || first < 1 || first > 2 || second >= word.length - first ||
	    !is_name(month, month_names, COUNT_OF(month_names)))
		return false;
	count_word(span_slice(word, 0, first), counts);
	count_word(month, counts);
	count_word(span_from(word, first + second + 2), counts);
	return true;
}

/* Add what a word may be; counts[KINDS] rises when it is nothing that a date has. */
static void
count_word(struct span word, unsigned *counts)
{
	if (word.length > 0 && word.at[word.length - 1] == '.')
		word.length--;
	if (word.length > 0 && digits(word) == word.length)
		count_number(word, counts);
	else if (is_name(word, month_names, COUNT_OF(month_names)))
		counts[MONTH]++;
	else if (is_name(word, day_names, COUNT_OF(day_names)))
		counts[DAY_NAME]++;
	else if (is_time(word))
		counts[TIME]++;
	else if (is_zone(word))
		counts[ZONE]++;
	else if (!count_iso(word, counts) && !count_hyphened(word, counts))
		counts[KINDS]++;
}

static bool
is_date(const unsigned *counts)
{
	bool has_day = counts[ISO_DATE] == 0 && counts[MONTH] == 1 &&
	    ((counts[NUMBER] == 1 && counts[YEAR] == 1) || (counts[NUMBER] == 2 && counts[YEAR] == 0));
	bool is_iso = counts[ISO_DATE] == 1 && counts[MONTH] + counts[NUMBER] + counts[YEAR] == 0;

	return counts[TIME] == 1 && counts[DAY_NAME] <= 1 && counts[ZONE] <= 3 && (has_day || is_iso);
}

/* The index of the first word of a date that ends before this one, or count when there is none. */
static size_t
find_date(const struct span *words, size_t count)
{
	unsigned counts[KINDS + 1] = { 0 };
	size_t first = count;

	for (size_t i = count; i-- > 0;) {
		unsigned zones = counts[ZONE];

		count_word(words[i], counts);
		if (counts[KINDS] > 0)
			break;
		if (counts[ZONE] == zones && is_date(counts))	/* a zone is never its first word */
			first = i;
	}
	return first;
}

static size_t
split(struct span text, struct span *words)
{
	size_t count = 0;

	for (text = span_trim(text); text.length > 0; text = span_trim(text)) {
		size_t end = 0;

		if (count == WORDS_MAX)
			return 0;
		while (end < text.length && text.at[end] != ' ' && text.at[end] != '\t' && text.at[end] != ',')
			end++;
		if (end > 0)
			words[count++] = span_slice(text, 0, end);
		text = span_from(text, end < text.length && text.at[end] == ',' ? end + 1 : end);
	}
	return count;
}

/* Leave out what follows a date: "remote from host" of UUCP, and "(Central European Time)". */
static struct span
without_tail(struct span text)
{
	struct span tail = SPAN(" remote from ");
	size_t open = text.length - 1;

	for (size_t i = 0; i + tail.length < text.length; i++) {
		if (span_starts_with(span_from(text, i), tail))
			return span_slice(text, 0, i);
	}
	if (text.length == 0 || text.at[text.length - 1] != ')')
		return text;
	while (open > 0 && text.at[open] != '(')
		open--;
	return span_slice(text, 0, open);
}

/* Thunderbird and Python's mailbox put the time of writing there. */
static bool
is_writers(const struct span *words, size_t count)
{
	return count > 0 && (span_equals(words[0], SPAN("-")) || span_equals(words[0], SPAN("MAILER-DAEMON")));
}

bool
from_line_read(struct span line, struct from_line *out)
{
	struct span words[WORDS_MAX] = { 0 }, text = span_trim(without_tail(span_trim(span_without_line_end(line))));
	struct mime_date date;
	size_t count, first;

	*out = (struct from_line){ 0 };
	if (!span_starts_with(line, SPAN("From ")) || line.length > SEPARATOR_OCTETS_MAX)
		return false;
	count = split(span_from(text, 5), words);
	first = find_date(words, count);
	out->is_writers_clock = is_writers(words, count);
	out->is_dated = first < count || (count == 1 && out->is_writers_clock);
	for (size_t end = count; !out->is_dated && !out->has_inner_date && end-- > 1;)
		out->has_inner_date = find_date(words, end) < end;
	if (first < count && mime_date_parse(span_of(words[first].at, text.at + text.length - words[first].at), &date) &&
	    date.unix_s >= 0) {
		out->has_date = true;
		out->date_s = date.unix_s;
	}
	return true;
}

/* Names of fields that messages begin with; "X-", "Content-" and the like stand for all that begin so. */
static bool
is_known_name(struct span name)
{
	static const struct span names[] = { SPAN("Apparently-To"), SPAN("Bcc"), SPAN("Cc"), SPAN("Comments"),
		SPAN("Date"), SPAN("Delivered-To"), SPAN("Delivery-date"), SPAN("Envelope-To"), SPAN("From"),
		SPAN("Importance"), SPAN("In-Reply-To"), SPAN("Keywords"), SPAN("Lines"), SPAN("Mailing-List"),
		SPAN("Message-ID"), SPAN("MIME-Version"), SPAN("Newsgroups"), SPAN("Organization"), SPAN("Path"),
		SPAN("Precedence"), SPAN("Priority"), SPAN("Received"), SPAN("References"), SPAN("Reply-To"),
		SPAN("Return-Path"), SPAN("Sender"), SPAN("Status"), SPAN("Subject"), SPAN("To"), SPAN("User-Agent"),
		SPAN("Xref") };
	static const struct span prefixes[] = { SPAN("ARC-"), SPAN("Authentication-"), SPAN("Content-"),
		SPAN("DKIM-"), SPAN("DomainKey-"), SPAN("List-"), SPAN("Received-"), SPAN("Resent-"), SPAN("X-") };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (span_equals_nocase(name, names[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (span_starts_with_nocase(name, prefixes[i]))
			return true;
	return false;
}

bool
field_follows(struct span text)
{
	struct mime_field field;
	size_t offset = 0;

	return mime_field_next(text, &offset, &field) && field.name.length > 0;
}

bool
header_follows(struct span text)
{
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(text, &offset, &field) && field.name.length > 0) {
		if (is_known_name(field.name))
			return true;
	}
	return false;
}

struct span
separator_unquoted(struct span line)
{
	size_t depth = 0;

	while (depth < line.length && line.at[depth] == '>')
		depth++;
	return depth > 0 && span_starts_with(span_from(line, depth), SPAN("From ")) ? span_from(line, 1) : line;
}
