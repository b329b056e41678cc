/*
 * Arguments of LIST and LSUB.  RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590, RFC 3501 section 6.3.9.
 * Pure.
 */
#include "base/memory.h"
#include "read.h"

struct option {
	unsigned bit;
	const char *name;
};

static bool
read_option(struct cursor *cursor, const struct option *options, size_t count, unsigned *bits)
{
	for (size_t i = 0; i < count; i++)
		if (cursor_word(cursor, options[i].name)) {
			*bits |= options[i].bit;
			return true;
		}
	return cursor_fail(cursor, "Unknown option of LIST");
}

static bool
read_select_option(struct cursor *cursor, void *context)
{
	static const struct option options[] = {
		{ IMAP_LIST_SELECT_SUBSCRIBED, "SUBSCRIBED" },
		{ IMAP_LIST_SELECT_REMOTE, "REMOTE" },
		{ IMAP_LIST_SELECT_RECURSIVEMATCH, "RECURSIVEMATCH" },
		{ IMAP_LIST_SELECT_SPECIAL_USE, "SPECIAL-USE" },
	};
	struct imap_list *list = context;

	return read_option(cursor, options, COUNT_OF(options), &list->select);
}

static bool
read_return_option(struct cursor *cursor, void *context)
{
	static const struct option options[] = {
		{ IMAP_LIST_RETURN_SUBSCRIBED, "SUBSCRIBED" },
		{ IMAP_LIST_RETURN_CHILDREN, "CHILDREN" },
		{ IMAP_LIST_RETURN_SPECIAL_USE, "SPECIAL-USE" },
		{ IMAP_LIST_RETURN_MYRIGHTS, "MYRIGHTS" },
	};
	struct imap_list *list = context;

	if (cursor_word(cursor, "STATUS")) {
		list->returns |= IMAP_LIST_RETURN_STATUS;
		return cursor_space(cursor) && imap_read_status_items(cursor, &list->status);
	}
	if (cursor_word(cursor, "METADATA")) {
		list->returns |= IMAP_LIST_RETURN_METADATA;
		return cursor_space(cursor) &&
		    imap_read_entries(cursor, &list->annotations, &list->annotation_count);
	}
	return read_option(cursor, options, COUNT_OF(options), &list->returns);
}

/*
 * A pattern or reference as UTF-8.  What is no modified UTF-7 stays as it is: it can match no name beyond
 * ASCII, and LIST has no way to complain about a part of a name.
 */
static bool
decode(struct cursor *cursor, struct span sent, struct span *text_out)
{
	struct buffer decoded = { 0 };

	*text_out = sent;
	if (sent.length > 3 * IMAP_NAME_OCTETS_MAX)
		return cursor_refuse(cursor, "LIMIT", "Pattern is too long");
	if (!cursor->is_utf8 && imap_utf7_decode(sent, &decoded))
		*text_out = arena_copy(cursor->arena, buffer_span(&decoded));
	buffer_free(&decoded);
	return true;
}

static bool
read_reference(struct cursor *cursor, struct imap_list *list)
{
	struct span sent;

	return cursor_astring(cursor, &sent) && decode(cursor, sent, &list->reference);
}

static bool
read_pattern(struct cursor *cursor, void *context)
{
	struct imap_list *list = context;
	struct span sent;

	if (!cursor_run(cursor, imap_is_list_octet, &sent) && !cursor_string(cursor, &sent))
		return false;
	return decode(cursor, sent, cursor_grow(cursor, (void **)&list->patterns, &list->pattern_count,
	    sizeof(struct span)));
}

static bool
read_patterns(struct cursor *cursor, struct imap_list *list)
{
	if (cursor_peek(cursor) != '(')
		return read_pattern(cursor, list);
	list->is_extended = true;
	return cursor_list(cursor, false, read_pattern, list);
}

static bool
read_returns(struct cursor *cursor, struct imap_list *list)
{
	list->is_extended = true;
	if (!cursor_space(cursor))
		return false;
	if (!cursor_word(cursor, "RETURN"))
		return cursor_fail(cursor, "Expected RETURN");
	return cursor_space(cursor) && cursor_list(cursor, true, read_return_option, list);
}

bool
imap_read_list(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_list *list = &line->list;

	if (!cursor_space(cursor))
		return false;
	if (cursor_peek(cursor) == '(') {
		list->is_extended = true;
		if (!cursor_list(cursor, true, read_select_option, list) || !cursor_space(cursor))
			return false;
	}
	/* RFC 5258 section 3: it modifies other options, and REMOTE is none to modify. */
	if (list->select != 0 && (list->select & ~(IMAP_LIST_SELECT_RECURSIVEMATCH | IMAP_LIST_SELECT_REMOTE)) == 0 &&
	    (list->select & IMAP_LIST_SELECT_RECURSIVEMATCH))
		return cursor_fail(cursor, "RECURSIVEMATCH needs another option beside it");
	if (!read_reference(cursor, list) || !cursor_space(cursor) || !read_patterns(cursor, list))
		return false;
	return cursor_is_at_end(cursor) || read_returns(cursor, list);
}

bool
imap_read_lsub(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && read_reference(cursor, &line->list) && cursor_space(cursor) &&
	    read_pattern(cursor, &line->list);
}
