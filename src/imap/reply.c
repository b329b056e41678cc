/*
 * What kind of reply it is, and conditions.  RFC 9051 section 7 and 9 ("response").  Pure.
 */
#include "imap/reply.h"

#include "base/memory.h"
#include "reply_read.h"

static const struct {
	const char *name;
	enum imap_reply_kind kind;
	enum imap_reply_condition condition;
} kinds[] = {
	{ "FETCH", IMAP_REPLY_FETCH, IMAP_REPLY_OK },
	{ "UIDFETCH", IMAP_REPLY_FETCH, IMAP_REPLY_OK },		/* RFC 9586 section 3.3 */
	{ "OK", IMAP_REPLY_CONDITION, IMAP_REPLY_OK },
	{ "NO", IMAP_REPLY_CONDITION, IMAP_REPLY_NO },
	{ "BAD", IMAP_REPLY_CONDITION, IMAP_REPLY_BAD },
	{ "PREAUTH", IMAP_REPLY_CONDITION, IMAP_REPLY_PREAUTH },
	{ "BYE", IMAP_REPLY_CONDITION, IMAP_REPLY_BYE },
	{ "CAPABILITY", IMAP_REPLY_CAPABILITY, IMAP_REPLY_OK },
	{ "ENABLED", IMAP_REPLY_ENABLED, IMAP_REPLY_OK },
	{ "ID", IMAP_REPLY_ID, IMAP_REPLY_OK },
	{ "FLAGS", IMAP_REPLY_FLAGS, IMAP_REPLY_OK },
	{ "LIST", IMAP_REPLY_LIST, IMAP_REPLY_OK },
	{ "XLIST", IMAP_REPLY_LIST, IMAP_REPLY_OK },
	{ "LSUB", IMAP_REPLY_LSUB, IMAP_REPLY_OK },
	{ "NAMESPACE", IMAP_REPLY_NAMESPACE, IMAP_REPLY_OK },
	{ "STATUS", IMAP_REPLY_STATUS, IMAP_REPLY_OK },
	{ "SEARCH", IMAP_REPLY_SEARCH, IMAP_REPLY_OK },
	{ "ESEARCH", IMAP_REPLY_ESEARCH, IMAP_REPLY_OK },
	{ "EXISTS", IMAP_REPLY_EXISTS, IMAP_REPLY_OK },
	{ "RECENT", IMAP_REPLY_RECENT, IMAP_REPLY_OK },
	{ "EXPUNGE", IMAP_REPLY_EXPUNGE, IMAP_REPLY_OK },
	{ "VANISHED", IMAP_REPLY_VANISHED, IMAP_REPLY_OK },
	{ "METADATA", IMAP_REPLY_METADATA, IMAP_REPLY_OK },
};

static bool
has_number(enum imap_reply_kind kind)
{
	return kind == IMAP_REPLY_EXISTS || kind == IMAP_REPLY_RECENT || kind == IMAP_REPLY_EXPUNGE ||
	    kind == IMAP_REPLY_FETCH;
}

static void
find_kind(struct imap_reply *reply, bool is_numbered)
{
	reply->kind = IMAP_REPLY_OTHER;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!span_equals_nocase(reply->name, span_from_string(kinds[i].name)) ||
		    has_number(kinds[i].kind) != is_numbered)
			continue;
		reply->kind = kinds[i].kind;
		reply->condition = kinds[i].condition;
		return;
	}
}

static struct span
rest_of(const struct reply_cursor *cursor)
{
	return span_trim(span_from(cursor->in.text, cursor->in.at));
}

static bool
read_condition(struct reply_cursor *cursor, struct imap_reply *reply)
{
	if (cursor_peek(&cursor->in) == '[' && !reply_read_code(cursor, &reply->code))
		return false;
	reply->text = rest_of(cursor);
	return true;
}

static bool
read_flags(struct reply_cursor *cursor, struct imap_reply *reply)
{
	return reply_list(cursor, &reply->words, &reply->word_count);
}

/* The number stands before the name, and was read. */
static bool
read_fetch(struct reply_cursor *cursor, struct imap_reply *reply)
{
	if (span_starts_with_nocase(reply->name, SPAN("UID"))) {
		reply->fetch.uid = (uint32_t)reply->number;
		reply->fetch.has = IMAP_FETCH_HAS_UID;
	} else {
		reply->fetch.number = (uint32_t)reply->number;
	}
	return reply_read_fetch(cursor, &reply->fetch);
}

static bool
read_arguments(struct reply_cursor *cursor, struct imap_reply *reply)
{
	switch (reply->kind) {
	case IMAP_REPLY_CONDITION:
		return read_condition(cursor, reply);
	case IMAP_REPLY_CAPABILITY:
	case IMAP_REPLY_ENABLED:
		return reply_strings(cursor, &reply->words, &reply->word_count);
	case IMAP_REPLY_ID:
	case IMAP_REPLY_FLAGS:
		return read_flags(cursor, reply);
	case IMAP_REPLY_LIST:
	case IMAP_REPLY_LSUB:
		return reply_read_list(cursor, &reply->list);
	case IMAP_REPLY_NAMESPACE:
		return reply_read_namespace(cursor, &reply->spaces);
	case IMAP_REPLY_STATUS:
		return reply_read_status(cursor, &reply->status);
	case IMAP_REPLY_SEARCH:
		return reply_read_search(cursor, &reply->search);
	case IMAP_REPLY_ESEARCH:
		return reply_read_esearch(cursor, &reply->search);
	case IMAP_REPLY_VANISHED:
		return reply_read_vanished(cursor, &reply->vanished);
	case IMAP_REPLY_METADATA:
		return reply_read_metadata(cursor, &reply->metadata);
	case IMAP_REPLY_FETCH:
		return read_fetch(cursor, reply);
	default:
		return true;
	}
}

/* "* FETCH" or "* 12 FETCH"; behind the tag. */
static bool
read_name(struct reply_cursor *cursor, struct imap_reply *reply)
{
	bool is_numbered;

	cursor_skip_spaces(&cursor->in);
	if (!reply_word(cursor, &reply->name))
		return false;
	is_numbered = span_to_number(reply->name, UINT32_MAX, &reply->number);
	if (is_numbered) {
		cursor_skip_spaces(&cursor->in);
		if (!reply_word(cursor, &reply->name))
			return false;
	}
	find_kind(reply, is_numbered);
	cursor_skip_spaces(&cursor->in);
	reply->text = rest_of(cursor);
	return true;
}

bool
imap_reply_read(struct imap_reply_text text, struct arena *arena, struct imap_reply *reply_out)
{
	struct reply_cursor cursor = { .in = { .text = text.octets, .arena = arena }, .text = &text };
	struct imap_reply *reply = reply_out;

	*reply = (struct imap_reply){ .kind = IMAP_REPLY_OTHER };
	if (!reply_word(&cursor, &reply->tag))
		return false;
	if (span_equals(reply->tag, SPAN("+"))) {
		reply->kind = IMAP_REPLY_CONTINUE;
		reply->text = rest_of(&cursor);
		return true;
	}
	if (!read_name(&cursor, reply))
		return false;
	/* What is tagged says how a command ended, and nothing else. */
	if (!span_equals(reply->tag, SPAN("*")) && reply->kind != IMAP_REPLY_CONDITION)
		return false;
	return read_arguments(&cursor, reply);
}
