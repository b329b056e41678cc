/*
 * Arguments of ESEARCH: RFC 7377 section 4.  Pure.
 */
#include "read.h"

/* There is one filter of each kind in the end: every mailbox is held against all. */
static void
add_source(struct cursor *cursor, struct imap_search_sources *sources, const struct imap_filter *filter)
{
	for (size_t i = 0; i < sources->filter_count; i++) {
		struct imap_filter *other = &sources->filters[i];

		if (other->kind != filter->kind)
			continue;
		for (size_t k = 0; k < filter->name_count; k++)
			*(struct span *)cursor_grow(cursor, (void **)&other->names, &other->name_count,
			    sizeof other->names[0]) = filter->names[k];
		return;
	}
	*(struct imap_filter *)cursor_grow(cursor, (void **)&sources->filters, &sources->filter_count, sizeof *filter) =
	    *filter;
}

/* Filters, and scope options behind them, of which none is defined yet. */
static bool
read_source(struct cursor *cursor, struct imap_search_sources *sources)
{
	struct imap_filter filter;

	if (cursor_peek(cursor) == '(')
		return cursor_fail(cursor, "Unknown scope option");
	if (!cursor_node(cursor) || !imap_read_filter(cursor, true, &filter))
		return false;
	if (imap_filter_is_selected(&filter))
		sources->has_selected = true;
	else
		add_source(cursor, sources, &filter);
	return true;
}

static bool
read_sources(struct cursor *cursor, struct imap_search_sources *sources)
{
	if (!cursor_space(cursor) || !cursor_expect(cursor, '('))
		return false;
	do {
		if (!read_source(cursor, sources))
			return false;
	} while (cursor_skip(cursor, ' '));
	for (size_t i = 0; i < sources->filter_count; i++)
		imap_sort_filter(&sources->filters[i]);
	return cursor_expect(cursor, ')') && cursor_space(cursor);
}

/* "$" is of the selected mailbox: section 2.2. */
static bool
check_save(struct cursor *cursor, const struct imap_command_line *line)
{
	return (line->search.return_options & IMAP_RETURN_SAVE) == 0 || line->sources.filter_count == 0 ||
	    cursor_fail(cursor, "SAVE is for the selected mailbox alone");
}

bool
imap_read_esearch(struct cursor *cursor, struct imap_command_line *line)
{
	line->is_uid = true;
	if (!cursor_space(cursor))
		return false;
	if (!cursor_word(cursor, "IN"))
		line->sources.has_selected = true;
	else if (!read_sources(cursor, &line->sources))
		return false;
	return imap_read_search_program(cursor, &line->search) && check_save(cursor, line);
}
