/*
 * FETCH.  RFC 9051 section 7.5.2; RFC 3501; RFC 3516; RFC 7162 section 3.1.4.2; RFC 8474; RFC 8514; and Gmail's own.  Pure.
 */
#include "base/memory.h"
#include "reply_read.h"

static bool
read_flags(struct reply_cursor *cursor, struct imap_fetch_reply *fetch)
{
	struct span *words;
	size_t count, kept = 0;

	if (!reply_list(cursor, &words, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t flag = imap_flag_from_name(words[i]);

		fetch->flags.system |= flag;
		if (span_equals_nocase(words[i], SPAN("\\Recent")))
			fetch->is_recent = true;
		else if (flag == 0 && words[i].length > 0)
			words[kept++] = words[i];
	}
	fetch->flags.keywords = words;
	fetch->flags.keyword_count = kept;
	fetch->has |= IMAP_FETCH_HAS_FLAGS;
	return true;
}

static bool
read_date(struct reply_cursor *cursor, struct imap_date_time *date_out, unsigned has, struct imap_fetch_reply *fetch)
{
	struct reply_string string;

	if (!reply_string(cursor, &string))
		return false;
	/* A space too many at either end; one before a digit belongs to the date, or does no harm. */
	if (imap_date_time_parse(span_trim(string.octets), date_out))
		fetch->has |= has;
	return true;
}

/* What is no number is as if it were not there: servers send NIL and negative sizes. */
static bool
read_number(struct reply_cursor *cursor, uint64_t max, uint64_t *number_out, bool *has_out)
{
	struct reply_string string;

	if (!reply_string(cursor, &string))
		return false;
	*has_out = span_to_number(string.octets, max, number_out);
	return true;
}

static bool
read_uid(struct reply_cursor *cursor, struct imap_fetch_reply *fetch)
{
	uint64_t uid = 0;
	bool has;

	if (!read_number(cursor, UINT32_MAX, &uid, &has))
		return false;
	if (has && uid > 0) {
		fetch->uid = (uint32_t)uid;
		fetch->has |= IMAP_FETCH_HAS_UID;
	}
	return true;
}

static bool
read_size(struct reply_cursor *cursor, struct imap_fetch_reply *fetch)
{
	bool has;

	if (!read_number(cursor, UINT64_MAX, &fetch->size, &has))
		return false;
	if (has)
		fetch->has |= IMAP_FETCH_HAS_SIZE;
	return true;
}

/* The first of "(M6d99ac3275bb4e)", or a word that stands alone. */
static bool
read_single(struct reply_cursor *cursor, struct span *word_out)
{
	struct reply_string string;
	struct span *words;
	size_t count;

	if (cursor_peek(&cursor->in) != '(') {
		if (!reply_string(cursor, &string))
			return false;
		*word_out = string.octets;
		return true;
	}
	if (!reply_list(cursor, &words, &count))
		return false;
	if (count > 0)
		*word_out = words[0];
	return true;
}

static bool
read_modseq(struct reply_cursor *cursor, struct imap_fetch_reply *fetch)
{
	struct span word = { NULL, 0 };

	if (!read_single(cursor, &word))
		return false;
	if (span_to_number(word, UINT64_MAX, &fetch->modseq))
		fetch->has |= IMAP_FETCH_HAS_MODSEQ;
	return true;
}

static bool
read_labels(struct reply_cursor *cursor, struct imap_fetch_reply *fetch)
{
	fetch->has |= IMAP_FETCH_HAS_LABELS;
	return reply_list(cursor, &fetch->labels, &fetch->label_count);
}

static bool
read_body(struct reply_cursor *cursor, struct imap_fetch_body body, struct imap_fetch_reply *fetch)
{
	void *bodies = fetch->bodies;
	struct reply_string string;

	if (!reply_string(cursor, &string))
		return false;
	body.is_nil = string.is_nil;
	body.is_taken = string.is_taken;
	body.size = string.size;
	body.octets = string.octets;
	*(struct imap_fetch_body *)cursor_grow(&cursor->in, &bodies, &fetch->body_count, sizeof body) = body;
	fetch->bodies = bodies;
	return true;
}

/* HEADER.FIELDS ("a]b" C)], behind the opening bracket. */
static bool
read_section(struct reply_cursor *cursor, struct span *section_out)
{
	size_t start = cursor->in.at;
	bool is_quoted = false;

	for (; !cursor_is_at_end(&cursor->in); cursor->in.at++) {
		int octet = cursor_peek(&cursor->in);

		if (octet == '\n')
			return false;
		if (octet == '"')
			is_quoted = !is_quoted;
		else if (octet == ']' && !is_quoted)
			break;
	}
	*section_out = span_slice(cursor->in.text, start, cursor->in.at - start);
	return cursor_skip(&cursor->in, ']');
}

/* BODY[...]<0>, behind the bracket. */
static bool
read_part(struct reply_cursor *cursor, struct span name, struct imap_fetch_reply *fetch)
{
	struct imap_fetch_body body = { .is_binary = span_starts_with_nocase(name, SPAN("BINARY")) };

	if (!read_section(cursor, &body.section))
		return false;
	if (cursor_skip(&cursor->in, '<') &&
	    (!cursor_number(&cursor->in, UINT64_MAX, &body.origin) || !cursor_skip(&cursor->in, '>')))
		return false;
	cursor_skip_spaces(&cursor->in);
	if (span_equals_nocase(name, SPAN("BINARY.SIZE")))
		return reply_skip(cursor);
	return read_body(cursor, body, fetch);
}

enum item {
	ITEM_UID, ITEM_FLAGS, ITEM_DATE, ITEM_SIZE, ITEM_MODSEQ, ITEM_EMAIL, ITEM_THREAD, ITEM_SAVEDATE, ITEM_GMAIL_MESSAGE,
	ITEM_GMAIL_THREAD, ITEM_LABELS, ITEM_MESSAGE, ITEM_HEADER, ITEM_TEXT, ITEM_UNKNOWN
};

static const char *const items[] = {
	[ITEM_UID] = "UID", [ITEM_FLAGS] = "FLAGS", [ITEM_DATE] = "INTERNALDATE", [ITEM_SIZE] = "RFC822.SIZE",
	[ITEM_MODSEQ] = "MODSEQ", [ITEM_EMAIL] = "EMAILID", [ITEM_THREAD] = "THREADID", [ITEM_SAVEDATE] = "SAVEDATE",
	[ITEM_GMAIL_MESSAGE] = "X-GM-MSGID", [ITEM_GMAIL_THREAD] = "X-GM-THRID", [ITEM_LABELS] = "X-GM-LABELS",
	[ITEM_MESSAGE] = "RFC822", [ITEM_HEADER] = "RFC822.HEADER", [ITEM_TEXT] = "RFC822.TEXT",
};

static enum item
find_item(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(items); i++)
		if (span_equals_nocase(name, span_from_string(items[i])))
			return (enum item)i;
	return ITEM_UNKNOWN;
}

static bool
read_item(struct reply_cursor *cursor, enum item item, struct imap_fetch_reply *fetch)
{
	bool has;

	switch (item) {
	case ITEM_UID:
		return read_uid(cursor, fetch);
	case ITEM_FLAGS:
		return read_flags(cursor, fetch);
	case ITEM_DATE:
		return read_date(cursor, &fetch->date, IMAP_FETCH_HAS_DATE, fetch);
	case ITEM_SIZE:
		return read_size(cursor, fetch);
	case ITEM_MODSEQ:
		return read_modseq(cursor, fetch);
	case ITEM_EMAIL:
		return read_single(cursor, &fetch->emailid);
	case ITEM_THREAD:
		return read_single(cursor, &fetch->threadid);
	case ITEM_SAVEDATE:
		return read_date(cursor, &fetch->savedate, IMAP_FETCH_HAS_SAVEDATE, fetch);
	case ITEM_GMAIL_MESSAGE:
		return read_number(cursor, UINT64_MAX, &fetch->gmail_message, &has);
	case ITEM_GMAIL_THREAD:
		return read_number(cursor, UINT64_MAX, &fetch->gmail_thread, &has);
	case ITEM_LABELS:
		return read_labels(cursor, fetch);
	case ITEM_MESSAGE:
		return read_body(cursor, (struct imap_fetch_body){ .origin = 0 }, fetch);
	case ITEM_HEADER:
		return read_body(cursor, (struct imap_fetch_body){ .section = SPAN("HEADER") }, fetch);
	case ITEM_TEXT:
		return read_body(cursor, (struct imap_fetch_body){ .section = SPAN("TEXT") }, fetch);
	case ITEM_UNKNOWN:
		break;
	}
	return reply_skip(cursor);
}

static bool
is_item_octet(uint8_t octet)
{
	return octet > ' ' && strchr("()[]\"{<", octet) == NULL;
}

bool
reply_read_fetch(struct reply_cursor *cursor, struct imap_fetch_reply *fetch_out)
{
	if (!cursor_skip(&cursor->in, '('))
		return false;
	for (;;) {
		struct span name;
		bool is_read;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in) || cursor_skip(&cursor->in, ')'))
			return true;
		if (!cursor_run(&cursor->in, is_item_octet, &name))
			return false;
		if (cursor_skip(&cursor->in, '[')) {
			is_read = read_part(cursor, name, fetch_out);
		} else {
			cursor_skip_spaces(&cursor->in);
			is_read = read_item(cursor, find_item(name), fetch_out);
		}
		if (!is_read)
			return false;
	}
}
