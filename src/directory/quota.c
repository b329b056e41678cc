/*
 * Limits as people and LDAP schemas write them.  Pure.
 */
#include "directory/directory.h"

#include "base/memory.h"

static struct span
skip(struct span text, size_t length)
{
	return span_trim(span_from(text, length));
}

/* A number at the front, and what is behind it.  False: there is none, or a too large one. */
static bool
read_number(struct span *text, int64_t *number_out)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < text->length && ascii_is_digit(text->at[digits]))
		digits++;
	if (digits == 0 || !span_to_number(span_slice(*text, 0, digits), INT64_MAX, &number))
		return false;
	*number_out = (int64_t)number;
	*text = skip(*text, digits);
	return true;
}

/*
 * What a unit counts: "", or K, M, G or T, alone or before B or iB.  False: it is none.
 *
 *	plain	for ""
 */
static bool
read_unit(struct span text, uint64_t plain, uint64_t *unit_out)
{
	static const struct span letters = SPAN("bkmgt");
	size_t power = text.length == 0 ? 0 : span_find(letters, ascii_lower(text.at[0]));
	struct span rest = text.length == 0 ? text : span_from(text, 1);

	if (power == letters.length ||
	    !(rest.length == 0 || (power > 0 && (span_equals_nocase(rest, SPAN("b")) || span_equals_nocase(rest, SPAN("ib"))))))
		return false;
	*unit_out = text.length == 0 ? plain : UINT64_C(1) << (10 * power);
	return true;
}

/* Octets: a number and its unit. */
static bool
read_size(struct span text, uint64_t plain, int64_t *size_out)
{
	uint64_t unit;
	int64_t number;

	if (!read_number(&text, &number) || !read_unit(text, plain, &unit) || (uint64_t)number > INT64_MAX / unit)
		return false;
	*size_out = number * (int64_t)unit;
	return true;
}

static bool
read_count(struct span text, int64_t *count_out)
{
	return read_number(&text, count_out) && text.length == 0;
}

static int64_t
limit_of(int64_t number)
{
	return number == 0 ? DIRECTORY_NO_LIMIT : number;
}

bool
directory_read_limit(struct span text, enum directory_resource resource, int64_t *limit_out)
{
	static const int64_t most[DIRECTORY_RESOURCE_COUNT] = {
		[DIRECTORY_STORAGE] = INT64_C(1) << 50, [DIRECTORY_MESSAGES] = UINT32_MAX, [DIRECTORY_MAILBOXES] = 10000,
	};
	bool is_default = span_equals(text, SPAN("default"));
	int64_t number = 0;

	if (!is_default && !span_equals(text, SPAN("none")) &&
	    !(resource == DIRECTORY_STORAGE ? read_size(text, 1, &number) : read_count(text, &number)))
		return false;
	if (number > most[resource])
		return false;
	*limit_out = is_default ? 0 : limit_of(number);
	return true;
}

/* One limit of Dovecot's rule.  The words that mean nothing here: on which file system, by which driver. */
static bool
read_rule_limit(struct span text, struct directory_quota *quota)
{
	size_t equals = span_find(text, '=');
	struct span key = span_trim(span_slice(text, 0, equals)), value = skip(text, equals < text.length ? equals + 1 : equals);
	enum directory_resource resource = DIRECTORY_STORAGE;
	bool is_good = true;
	int64_t number = 0;

	if (span_equals_nocase(key, SPAN("storage"))) {
		is_good = read_size(value, 1024, &number);
	} else if (span_equals_nocase(key, SPAN("bytes"))) {
		is_good = read_size(value, 1, &number);
	} else if (span_equals_nocase(key, SPAN("messages"))) {
		is_good = read_count(value, &number);
		resource = DIRECTORY_MESSAGES;
	} else if (span_equals_nocase(key, SPAN("ignore"))) {
		quota->of[DIRECTORY_MESSAGES] = DIRECTORY_NO_LIMIT;
	} else {
		return span_equals_nocase(key, SPAN("backend"));
	}
	if (is_good)
		quota->of[resource] = limit_of(number);
	return is_good;
}

/* Which mailboxes a rule is for: all, unless one is named before the first colon. */
static bool
is_for_all(struct span *rule)
{
	size_t colon = span_find(*rule, ':');
	struct span first = span_trim(span_slice(*rule, 0, colon));

	if (colon == rule->length || span_find(first, '=') < first.length)
		return true;
	*rule = span_from(*rule, colon + 1);
	return first.length == 0 || span_equals(first, SPAN("*")) || span_equals(first, SPAN("?"));
}

static bool
read_rule(struct span rule, struct directory_quota *quota)
{
	if (!is_for_all(&rule))
		return true;
	for (;;) {
		size_t colon = span_find(rule, ':');

		if (!read_rule_limit(span_slice(rule, 0, colon), quota))
			return false;
		if (colon == rule.length)
			return true;
		rule = span_from(rule, colon + 1);
	}
}

/* A number with S is octets, with C messages: Maildir++; without, octets by their unit. */
static bool
read_part(struct span text, uint64_t unit, struct directory_quota *quota)
{
	struct span rest = text;
	int64_t number;

	if (span_equals(text, SPAN("-1")) || span_equals_nocase(text, SPAN("none")) ||
	    span_equals_nocase(text, SPAN("noquota"))) {
		quota->of[DIRECTORY_STORAGE] = DIRECTORY_NO_LIMIT;
		return true;
	}
	if (span_equals(text, SPAN("-2"))) {
		quota->of[DIRECTORY_STORAGE] = 0;
		return true;
	}
	if (!read_number(&rest, &number))
		return false;
	if (span_equals_nocase(rest, SPAN("c"))) {
		quota->of[DIRECTORY_MESSAGES] = limit_of(number);
		return true;
	}
	if (!span_equals_nocase(rest, SPAN("s")) && !read_size(text, unit, &number))
		return false;
	quota->of[DIRECTORY_STORAGE] = limit_of(number);
	return true;
}

static bool
read_parts(struct span parts, uint64_t unit, struct directory_quota *quota)
{
	for (;;) {
		size_t comma = span_find(parts, ',');

		if (!read_part(span_trim(span_slice(parts, 0, comma)), unit, quota))
			return false;
		if (comma == parts.length)
			return true;
		parts = span_from(parts, comma + 1);
	}
}

bool
directory_read_quota(struct span value, uint64_t unit, struct directory_quota *quota)
{
	struct directory_quota read = *quota;
	bool is_rule = span_find(value, ':') < value.length || span_find(value, '=') < value.length;

	if (!(is_rule ? read_rule(value, &read) : read_parts(value, unit, &read)))
		return false;
	*quota = read;
	return true;
}
