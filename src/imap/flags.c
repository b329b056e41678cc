/*
 * Names of flags and their bits.  RFC 9051 section 2.3.2; "flag" and "flag-keyword" of its section 9.  Pure.
 */
#include "imap/flags.h"

#include "base/bound.h"
#include "base/memory.h"
#include "cursor.h"

static const struct {
	uint64_t bit;
	const char *name;
} names[] = {
	{ IMAP_FLAG_ANSWERED, "\\Answered" },
	{ IMAP_FLAG_FLAGGED, "\\Flagged" },
	{ IMAP_FLAG_DELETED, "\\Deleted" },
	{ IMAP_FLAG_SEEN, "\\Seen" },
	{ IMAP_FLAG_DRAFT, "\\Draft" },
};

uint64_t
imap_flag_from_name(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (span_equals_nocase(name, span_from_string(names[i].name)))
			return names[i].bit;
	return 0;
}

bool
imap_keyword_is_valid(struct span name)
{
	if (name.length == 0 || name.length > IMAP_KEYWORD_OCTETS_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (!imap_is_atom_octet(name.at[i]))
			return false;
	return true;
}

static const struct imap_keyword_set *
find_set(const struct imap_keywords *keywords, uint64_t flags)
{
	uint64_t id = (flags & ~IMAP_FLAGS_HAS_SET) >> IMAP_KEYWORD_BIT_FIRST;
	size_t low = LOWER_BOUND(keywords->set_count, middle, keywords->sets[middle].id < id);

	return low < keywords->set_count && keywords->sets[low].id == id ? &keywords->sets[low] : NULL;
}

static bool
set_has(const struct imap_keyword_set *set, size_t number)
{
	size_t low = LOWER_BOUND(set->count, middle, set->members[middle] < number);

	return low < set->count && set->members[low] == number;
}

bool
imap_flags_have(uint64_t flags, const struct imap_keywords *keywords, size_t number)
{
	const struct imap_keyword_set *set;

	if ((flags & IMAP_FLAGS_HAS_SET) == 0)
		return number < IMAP_KEYWORD_BITS && (flags >> (IMAP_KEYWORD_BIT_FIRST + number) & 1) != 0;
	set = find_set(keywords, flags);
	return set != NULL && set_has(set, number);
}

static void
add_name(struct buffer *out, bool *is_first, struct span name)
{
	if (!*is_first)
		buffer_add_octet(out, ' ');
	buffer_add_span(out, name);
	*is_first = false;
}

static void
add_keyword(struct buffer *out, bool *is_first, const struct imap_keywords *keywords, size_t number)
{
	if (number < keywords->count && keywords->names[number].length > 0)
		add_name(out, is_first, keywords->names[number]);
}

static void
add_keywords(struct buffer *out, bool *is_first, uint64_t flags, const struct imap_keywords *keywords)
{
	const struct imap_keyword_set *set;
	uint64_t bits = flags >> IMAP_KEYWORD_BIT_FIRST;

	if ((flags & IMAP_FLAGS_HAS_SET) == 0) {
		for (size_t i = 0; bits != 0; i++, bits >>= 1)
			if (bits & 1)
				add_keyword(out, is_first, keywords, i);
	} else if ((set = find_set(keywords, flags)) != NULL) {
		for (size_t i = 0; i < set->count; i++)
			add_keyword(out, is_first, keywords, set->members[i]);
	}
}

static void
add_system(struct buffer *out, bool *is_first, uint64_t bits)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (bits & names[i].bit)
			add_name(out, is_first, span_from_string(names[i].name));
}

void
imap_flags_write(struct buffer *out, uint64_t bits, const struct imap_keywords *keywords, bool is_recent)
{
	bool is_first = true;

	buffer_add_octet(out, '(');
	add_system(out, &is_first, bits);
	if (is_recent)
		add_name(out, &is_first, SPAN("\\Recent"));
	add_keywords(out, &is_first, bits, keywords);
	buffer_add_octet(out, ')');
}

void
imap_flags_write_all(struct buffer *out, const struct imap_keywords *keywords)
{
	imap_flags_write_permitted(out, IMAP_FLAGS_SYSTEM, keywords);
}

void
imap_flags_write_permitted(struct buffer *out, uint64_t system, const struct imap_keywords *keywords)
{
	bool is_first = true;

	buffer_add_octet(out, '(');
	add_system(out, &is_first, system);
	for (size_t i = 0; i < keywords->count; i++)
		add_keyword(out, &is_first, keywords, i);
	buffer_add_octet(out, ')');
}
