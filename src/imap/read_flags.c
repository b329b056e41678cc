/*
 * Lists of flags in APPEND and STORE.  RFC 9051 section 9, "flag-list", "store-att-flags".  Pure.
 */
#include "cursor.h"

#define KEYWORDS_MAX 1000	/* of one command: each is compared with those before */

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

/* imapcopy 1.04 appends with the flags that FETCH told it; \Recent is none that a client could set. */
static bool
read_system_flag(struct cursor *cursor, bool is_store, struct imap_flags *flags)
{
	struct span name;
	uint64_t bit;

	if (!cursor_atom(cursor, &name))
		return false;
	if (!is_store && span_equals_nocase(name, SPAN("Recent")))
		return true;
	bit = imap_flag_from_name(span_of(name.at - 1, name.length + 1));
	flags->system |= bit;
	return bit != 0 || cursor_fail(cursor, "Unknown system flag");
}

static bool
read_flag(struct cursor *cursor, bool is_store, struct imap_flags *flags)
{
	struct span name;

	if (cursor_skip(cursor, '\\'))
		return read_system_flag(cursor, is_store, flags);
	if (!cursor_atom(cursor, &name))
		return false;
	return imap_keyword_is_valid(name) ? add_keyword(cursor, flags, name) :
	    cursor_refuse(cursor, "LIMIT", "Keyword is too long");
}

static bool
read_store_flag(struct cursor *cursor, void *flags)
{
	return read_flag(cursor, true, flags);
}

static bool
read_append_flag(struct cursor *cursor, void *flags)
{
	return read_flag(cursor, false, flags);
}

bool
cursor_flags(struct cursor *cursor, bool is_store, struct imap_flags *flags_out)
{
	struct imap_flags flags = { 0 };

	if (!is_store || cursor_peek(cursor) == '(') {
		if (!cursor_list(cursor, true, is_store ? read_store_flag : read_append_flag, &flags))
			return false;
	} else {
		do {
			if (!cursor_node(cursor) || !read_store_flag(cursor, &flags))
				return false;
		} while (cursor_skip(cursor, ' '));
	}
	*flags_out = flags;
	return true;
}
