/*
 * Sets of messages: SEARCH (RFC 3501 section 7.2.5), ESEARCH (RFC 9051 section 7.3.5, RFC 7162 section 3.1.10),
 * VANISHED (RFC 7162 section 3.2.10).  Pure.
 */
#include "base/memory.h"
#include "reply_read.h"

/* (MODSEQ 917162500), behind the numbers of a SEARCH. */
static bool
read_modseq(struct reply_cursor *cursor, uint64_t *modseq_out)
{
	struct span *words;
	size_t count;

	if (!reply_list(cursor, &words, &count))
		return false;
	if (count == 2 && span_equals_nocase(words[0], SPAN("MODSEQ")))
		span_to_number(words[1], UINT64_MAX, modseq_out);
	return true;
}

/* Zeros, of which no message is one, are left out. */
bool
reply_read_search(struct reply_cursor *cursor, struct imap_search_reply *search_out)
{
	void *ranges = NULL;
	size_t count = 0;

	for (;;) {
		uint64_t number;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in))
			break;
		if (cursor_peek(&cursor->in) == '(') {
			if (!read_modseq(cursor, &search_out->modseq))
				return false;
			continue;
		}
		if (!reply_number(cursor, UINT32_MAX, &number))
			return false;
		if (number > 0)
			*(struct imap_range *)cursor_grow(&cursor->in, &ranges, &count, sizeof(struct imap_range)) =
			    (struct imap_range){ (uint32_t)number, (uint32_t)number };
	}
	search_out->all = imap_sequence_of(ranges, count);
	return true;
}

/* (TAG "a1") */
static bool
read_correlator(struct reply_cursor *cursor, struct imap_search_reply *search)
{
	struct span *words;
	size_t count;

	if (cursor_peek(&cursor->in) != '(')
		return true;
	if (!reply_list(cursor, &words, &count))
		return false;
	for (size_t i = 0; i + 1 < count; i += 2)
		if (span_equals_nocase(words[i], SPAN("TAG")))
			search->tag = words[i + 1];
	return true;
}

static bool
read_message(struct reply_cursor *cursor, uint32_t *number_out)
{
	uint64_t number;

	if (!reply_number(cursor, UINT32_MAX, &number))
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static bool
read_item(struct reply_cursor *cursor, struct span name, struct imap_search_reply *search)
{
	if (span_equals_nocase(name, SPAN("ALL")))
		return reply_sequence(cursor, &search->all);
	if (span_equals_nocase(name, SPAN("MIN")))
		return read_message(cursor, &search->min);
	if (span_equals_nocase(name, SPAN("MAX")))
		return read_message(cursor, &search->max);
	if (span_equals_nocase(name, SPAN("MODSEQ")))
		return reply_number(cursor, UINT64_MAX, &search->modseq);
	if (!span_equals_nocase(name, SPAN("COUNT")))
		return reply_skip(cursor);
	search->has_count = reply_number(cursor, UINT64_MAX, &search->count);
	return search->has_count;
}

bool
reply_read_esearch(struct reply_cursor *cursor, struct imap_search_reply *search_out)
{
	if (!read_correlator(cursor, search_out))
		return false;
	for (;;) {
		struct span name;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in))
			return true;
		if (!reply_word(cursor, &name))
			return false;
		if (span_equals_nocase(name, SPAN("UID")))
			search_out->is_uid = true;
		else if (!read_item(cursor, name, search_out))
			return false;
	}
}

bool
reply_read_vanished(struct reply_cursor *cursor, struct imap_vanished_reply *vanished_out)
{
	struct span *words;
	size_t count;

	if (cursor_peek(&cursor->in) == '(') {
		if (!reply_list(cursor, &words, &count))
			return false;
		vanished_out->is_earlier = count > 0 && span_equals_nocase(words[0], SPAN("EARLIER"));
	}
	return reply_sequence(cursor, &vanished_out->uids);
}
