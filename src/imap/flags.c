/*
 * Names of flags and their bits.  RFC 9051 section 2.3.2; "flag" and "flag-keyword" of its section 9.  Pure.
 */
#include "imap/flags.h"

#include "base/memory.h"
#include "cursor.h"

static const struct {
	uint64_t bit;
	const char *name;
} flags[] = {
	{ IMAP_FLAG_ANSWERED, "\\Answered" },
	{ IMAP_FLAG_FLAGGED, "\\Flagged" },
	{ IMAP_FLAG_DELETED, "\\Deleted" },
	{ IMAP_FLAG_SEEN, "\\Seen" },
	{ IMAP_FLAG_DRAFT, "\\Draft" },
};

uint64_t
imap_flag_from_name(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (span_equals_nocase(name, span_from_string(flags[i].name)))
			return flags[i].bit;
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

static void
add_name(struct buffer *out, bool *is_first, struct span name)
{
	if (!*is_first)
		buffer_add_octet(out, ' ');
	buffer_add_span(out, name);
	*is_first = false;
}

void
imap_flags_write(struct buffer *out, uint64_t bits, const struct span *keywords, size_t keyword_count,
    bool is_recent)
{
	bool is_first = true;

	buffer_add_octet(out, '(');
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (bits & flags[i].bit)
			add_name(out, &is_first, span_from_string(flags[i].name));
	if (is_recent)
		add_name(out, &is_first, SPAN("\\Recent"));
	bits >>= IMAP_KEYWORD_BIT_FIRST;
	for (size_t i = 0; bits != 0 && i < keyword_count && i < IMAP_KEYWORD_COUNT_MAX; i++, bits >>= 1)
		if (bits & 1)
			add_name(out, &is_first, keywords[i]);
	buffer_add_octet(out, ')');
}
