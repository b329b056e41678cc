/*
 * Lists of flags in APPEND and STORE.  RFC 9051 section 9, "flag-list", "store-att-flags".  Pure.
 */
#include "cursor.h"

#define KEYWORDS_MAX 1000	/* far above what a mailbox takes; keeps finding doubles cheap */

static bool
add_keyword(struct cursor *cursor, struct imap_flags *flags, struct span name)
{
	for (size_t i = 0; i < flags->keyword_count; i++)
		if (span_equals_nocase(flags->keywords[i], name))
			return true;
	if (flags->keyword_count == KEYWORDS_MAX)
		return cursor_refuse(cursor, "LIMIT", "Too many keywords");
	*(struct span *)cursor_grow(cursor, (void **)&flags->keywords, &flags->keyword_count,
	    sizeof name) = name;
	return true;
}

static bool
read_flag(struct cursor *cursor, void *context)
{
	struct imap_flags *flags = context;
	size_t start = cursor->at;
	bool is_system = cursor_skip(cursor, '\\');
	struct span name;
	uint64_t bit;

	if (!cursor_atom(cursor, &name))
		return false;
	if (!is_system)
		return imap_keyword_is_valid(name) ? add_keyword(cursor, flags, name) :
		    cursor_refuse(cursor, "LIMIT", "Keyword is too long");
	bit = imap_flag_from_name(span_slice(cursor->text, start, cursor->at - start));
	if (bit == 0)
		return cursor_fail(cursor, "Unknown system flag");
	flags->system |= bit;
	return true;
}

bool
cursor_flags(struct cursor *cursor, bool may_be_bare, struct imap_flags *flags_out)
{
	struct imap_flags flags = { 0 };

	if (!may_be_bare || cursor_peek(cursor) == '(') {
		if (!cursor_list(cursor, true, read_flag, &flags))
			return false;
	} else {
		do {
			if (!cursor_node(cursor) || !read_flag(cursor, &flags))
				return false;
		} while (cursor_skip(cursor, ' '));
	}
	*flags_out = flags;
	return true;
}
