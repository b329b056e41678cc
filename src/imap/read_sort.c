/*
 * Arguments of SORT and THREAD: RFC 5256 section 5, RFC 5957 section 5, RFC 5267 section 3.1.  Pure.
 */
#include "base/memory.h"
#include "read.h"

static bool
has_criterion(const struct imap_sort *sort, enum imap_sort_key key)
{
	for (size_t i = 0; i < sort->count; i++)
		if (sort->criteria[i].key == key)
			return true;
	return false;
}

static bool
read_criterion(struct cursor *cursor, void *context)
{
	static const char *const names[IMAP_SORT_KEY_COUNT] = {
		[IMAP_SORT_ARRIVAL] = "ARRIVAL", [IMAP_SORT_CC] = "CC", [IMAP_SORT_DATE] = "DATE",
		[IMAP_SORT_DISPLAYFROM] = "DISPLAYFROM", [IMAP_SORT_DISPLAYTO] = "DISPLAYTO", [IMAP_SORT_FROM] = "FROM",
		[IMAP_SORT_SIZE] = "SIZE", [IMAP_SORT_SUBJECT] = "SUBJECT", [IMAP_SORT_TO] = "TO",
	};
	struct imap_sort *sort = context;
	bool is_reverse = cursor_word(cursor, "REVERSE");

	if (is_reverse && !cursor_space(cursor))
		return false;
	for (enum imap_sort_key key = 0; key < IMAP_SORT_KEY_COUNT; key++) {
		if (!cursor_word(cursor, names[key]))
			continue;
		if (!has_criterion(sort, key))
			sort->criteria[sort->count++] = (struct imap_sort_criterion){ key, is_reverse };
		return true;
	}
	return cursor_fail(cursor, "Unknown sort criterion");
}

/* The charset, which must be there, and the keys. */
static bool
read_criteria(struct cursor *cursor, struct imap_search *search)
{
	return cursor_space(cursor) && imap_read_search_charset(cursor, search) && imap_read_search_keys(cursor, search);
}

bool
imap_read_sort(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && imap_read_search_returns(cursor, &line->search) &&
	    cursor_list(cursor, false, read_criterion, &line->sort) && read_criteria(cursor, &line->search);
}

bool
imap_read_thread(struct cursor *cursor, struct imap_command_line *line)
{
	static const char *const names[IMAP_THREAD_ALGORITHM_COUNT] = {
		[IMAP_THREAD_ORDEREDSUBJECT] = "ORDEREDSUBJECT",
		[IMAP_THREAD_REFERENCES] = "REFERENCES",
		[IMAP_THREAD_REFS] = "REFS",
	};

	if (!cursor_space(cursor))
		return false;
	for (line->thread = 0; line->thread < IMAP_THREAD_ALGORITHM_COUNT; line->thread++)
		if (cursor_word(cursor, names[line->thread]))
			return read_criteria(cursor, &line->search);
	return cursor_fail(cursor, "Unknown threading algorithm");
}
