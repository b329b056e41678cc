/*
 * What stands before the keys of SEARCH: RETURN and CHARSET.  RFC 9051 section 9, "search"; RFC 4731; RFC 5182;
 * RFC 9394.  Pure.
 */
#include "base/memory.h"
#include "mime/charset.h"
#include "read.h"

static bool
read_partial(struct cursor *cursor, struct imap_search *search)
{
	if (search->return_options & IMAP_RETURN_PARTIAL)
		return cursor_fail(cursor, "PARTIAL stands twice");
	search->return_options |= IMAP_RETURN_PARTIAL;
	return cursor_space(cursor) && imap_read_partial(cursor, &search->partial);
}

static bool
read_return_option(struct cursor *cursor, void *context)
{
	static const struct {
		const char *name;
		unsigned bit;
	} options[] = {
		{ "MIN", IMAP_RETURN_MIN }, { "MAX", IMAP_RETURN_MAX }, { "ALL", IMAP_RETURN_ALL },
		{ "COUNT", IMAP_RETURN_COUNT }, { "SAVE", IMAP_RETURN_SAVE },
	};
	struct imap_search *search = context;

	if (cursor_word(cursor, "PARTIAL"))
		return read_partial(cursor, search);
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (cursor_word(cursor, options[i].name)) {
			search->return_options |= options[i].bit;
			return true;
		}
	return cursor_fail(cursor, "Unknown option of RETURN");
}

bool
imap_read_search_returns(struct cursor *cursor, struct imap_search *search)
{
	if (!cursor_word(cursor, "RETURN"))
		return true;
	search->has_return = true;
	if (!cursor_spaces(cursor) || !cursor_list(cursor, true, read_return_option, search))
		return false;
	if ((search->return_options & IMAP_RETURN_ALL) && (search->return_options & IMAP_RETURN_PARTIAL))
		return cursor_fail(cursor, "ALL and PARTIAL exclude each other");	/* RFC 9394 section 3.1 */
	if (search->return_options == 0)
		search->return_options = IMAP_RETURN_ALL;
	return cursor_spaces(cursor);
}

/*
 * Strings in an unknown charset are not looked at; that a NO is due only the session can say with all it means.
 * Programs ask for more than UTF-8: JavaMail makes ISO-8859-1 of US-ASCII, others write UTF8 or ASCII.
 */
bool
imap_read_search_charset(struct cursor *cursor, struct imap_search *search)
{
	struct span charset;

	if (!cursor_astring(cursor, &charset))
		return false;
	search->has_charset = true;
	search->has_unknown_charset = charset.length == 0 || !mime_charset_is_known(charset);
	if (!search->has_unknown_charset && !mime_charset_is_utf8(charset))
		search->charset = charset;
	cursor->has_charset = search->has_unknown_charset || search->charset.length > 0;
	return cursor_spaces(cursor);
}

bool
imap_read_search_program(struct cursor *cursor, struct imap_search *search)
{
	if (!imap_read_search_returns(cursor, search))
		return false;
	if (cursor_word(cursor, "CHARSET") && (!cursor_spaces(cursor) || !imap_read_search_charset(cursor, search)))
		return false;
	return imap_read_search_keys(cursor, search);
}

bool
imap_read_search(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_spaces(cursor) && imap_read_search_program(cursor, &line->search);
}
