/*
 * LIST patterns, by keeping all places of the pattern that the name read so far can have led to: pattern times
 * name at worst, where going back from "%" to "*" would be pattern times name times name.
 * RFC 9051 section 6.3.9.  Pure.
 */
#include "imap/list_match.h"

#include "imap/mailbox_name.h"

struct match {
	struct span pattern;
	uint8_t is_live[IMAP_PATTERN_OCTETS_MAX + 1];	/* the rest of the pattern from here is still to match */
	size_t lowest, highest;				/* no other place is live */
};

bool
imap_pattern_join(struct span reference, struct span pattern, struct buffer *out)
{
	struct buffer joined = { 0 };
	size_t before = out->length;

	/* A pattern with a leading separator is taken from the root, as in RFC 9051 section 6.3.9.1. */
	if (pattern.length > 0 && pattern.at[0] == IMAP_SEPARATOR)
		reference.length = 0;
	/* Decomposed, a name that is within bounds may take three times as much. */
	if (reference.length > 3 * IMAP_PATTERN_OCTETS_MAX || pattern.length > 3 * IMAP_PATTERN_OCTETS_MAX)
		return false;
	buffer_add_span(&joined, reference);
	buffer_add_span(&joined, pattern);
	imap_name_compose(buffer_span(&joined), out);
	buffer_free(&joined);
	if (out->length - before <= IMAP_PATTERN_OCTETS_MAX)
		return true;
	out->length = before;
	return false;
}

static bool
is_wildcard(uint8_t octet)
{
	return octet == '*' || octet == '%';
}

/* A wildcard may also eat nothing. */
static void
pass_wildcards(struct match *match)
{
	for (size_t p = match->lowest; p <= match->highest && p < match->pattern.length; p++) {
		if (!match->is_live[p] || !is_wildcard(match->pattern.at[p]))
			continue;
		match->is_live[p + 1] = true;
		if (match->highest == p)
			match->highest = p + 1;
	}
}

static void
start(struct match *match, struct span pattern)
{
	memset(match->is_live, 0, pattern.length + 1);
	match->pattern = pattern;
	match->is_live[0] = true;
	match->lowest = match->highest = 0;
	pass_wildcards(match);
}

/* Eat one octet of the name; false when no place is left. */
static bool
step(struct match *match, uint8_t octet, bool is_any_case)
{
	size_t lowest = SIZE_MAX, highest = 0;

	for (size_t p = match->highest + 1; p-- > match->lowest;) {
		uint8_t wanted;
		bool is_live = match->is_live[p];

		match->is_live[p] = false;
		if (!is_live || p == match->pattern.length)
			continue;
		wanted = match->pattern.at[p];
		if (wanted == '*' || (wanted == '%' && octet != IMAP_SEPARATOR)) {
			match->is_live[p] = true;
			lowest = p;
		} else if (wanted == octet || (is_any_case && ascii_upper(wanted) == octet)) {
			match->is_live[p + 1] = true;
			lowest = p + 1 < lowest ? p + 1 : lowest;
		}
		if (highest == 0 && lowest != SIZE_MAX)
			highest = match->is_live[p + 1] ? p + 1 : p;
	}
	if (lowest == SIZE_MAX)
		return false;
	match->lowest = lowest;
	match->highest = highest;
	pass_wildcards(match);
	return true;
}

static bool
eat(struct match *match, struct span pattern, struct span name)
{
	bool is_inbox = span_starts_with(name, SPAN("INBOX")) &&
	    (name.length == 5 || name.at[5] == IMAP_SEPARATOR);

	if (pattern.length > IMAP_PATTERN_OCTETS_MAX)
		return false;
	start(match, pattern);
	for (size_t n = 0; n < name.length; n++)
		if (!step(match, name.at[n], is_inbox && n < 5))
			return false;
	return true;
}

bool
imap_pattern_matches(struct span pattern, struct span name)
{
	struct match match;

	return eat(&match, pattern, name) && match.highest == pattern.length;
}

bool
imap_pattern_matches_below(struct span pattern, struct span name)
{
	struct match match;

	/* Something of the pattern must be left for the levels below. */
	return eat(&match, pattern, name) && step(&match, IMAP_SEPARATOR, false) &&
	    match.lowest < pattern.length;
}

struct span
imap_pattern_prefix(const struct span *patterns, size_t count)
{
	struct span prefix = count == 0 ? span_of(NULL, 0) : patterns[0];
	size_t length = 0;

	while (length < prefix.length && !is_wildcard(prefix.at[length]))
		length++;
	for (size_t i = 1; i < count; i++) {
		size_t most = patterns[i].length < length ? patterns[i].length : length;

		for (length = 0; length < most && patterns[i].at[length] == prefix.at[length];)
			length++;
	}
	prefix.length = length;
	/* INBOX matches in any case. */
	if (span_starts_with_nocase(prefix, SPAN("INBOX")) || span_starts_with_nocase(SPAN("INBOX"), prefix))
		prefix.length = 0;
	return prefix;
}
