/*
 * Mailboxes: LIST and LSUB (RFC 9051 section 7.3.1, RFC 5258, RFC 6154), NAMESPACE (section 7.3.3), STATUS (section
 * 7.3.4), METADATA (RFC 5464).  Pure.
 */
#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "reply_read.h"

static const struct {
	const char *name;
	unsigned bits;
} attributes[] = {
	{ "\\Noselect", IMAP_LIST_NOSELECT },
	{ "\\NonExistent", IMAP_LIST_NONEXISTENT | IMAP_LIST_NOSELECT },	/* RFC 5258 section 3: implies it */
	{ "\\Noinferiors", IMAP_LIST_NOINFERIORS | IMAP_LIST_HAS_NO_CHILDREN },
	{ "\\HasChildren", IMAP_LIST_HAS_CHILDREN },
	{ "\\HasNoChildren", IMAP_LIST_HAS_NO_CHILDREN },
	{ "\\Marked", IMAP_LIST_MARKED },
	{ "\\Unmarked", IMAP_LIST_UNMARKED },
	{ "\\Subscribed", IMAP_LIST_SUBSCRIBED },
	{ "\\Remote", IMAP_LIST_REMOTE },
	{ "\\All", IMAP_LIST_ALL },
	{ "\\AllMail", IMAP_LIST_ALL },			/* of XLIST, as the next ones */
	{ "\\Archive", IMAP_LIST_ARCHIVE },
	{ "\\Drafts", IMAP_LIST_DRAFTS },
	{ "\\Flagged", IMAP_LIST_FLAGGED },
	{ "\\Starred", IMAP_LIST_FLAGGED },
	{ "\\Junk", IMAP_LIST_JUNK },
	{ "\\Spam", IMAP_LIST_JUNK },
	{ "\\Sent", IMAP_LIST_SENT },
	{ "\\Trash", IMAP_LIST_TRASH },
	{ "\\Important", IMAP_LIST_IMPORTANT },
	{ "\\Inbox", IMAP_LIST_INBOX },
};

static unsigned
attribute_bits(struct span word)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++)
		if (span_equals_nocase(word, span_from_string(attributes[i].name)))
			return attributes[i].bits;
	return 0;
}

/* NIL, and "", which some servers send in its place. */
static bool
read_separator(struct reply_cursor *cursor, int *separator_out)
{
	struct reply_string string;

	cursor_skip_spaces(&cursor->in);
	if (!reply_string(cursor, &string) || string.is_taken)
		return false;
	*separator_out = string.octets.length > 0 ? string.octets.at[0] : -1;
	return true;
}

/*
 * A name, up to a list or the end: one that some server has not quoted holds spaces and parentheses, and NIL is as good
 * a name as others.
 */
static bool
read_name(struct reply_cursor *cursor, struct span *name_out)
{
	size_t start;
	struct reply_string string;

	cursor_skip_spaces(&cursor->in);
	start = cursor->in.at;
	if (!reply_string(cursor, &string) || string.is_taken)
		return false;
	*name_out = string.octets;
	if (!string.is_atom)
		return true;
	for (;;) {
		size_t end = cursor->in.at;
		struct span word;

		*name_out = span_slice(cursor->in.text, start, end - start);
		cursor_skip_spaces(&cursor->in);
		if (!reply_word(cursor, &word))
			return true;
	}
}

/* ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("x")); what is not understood says nothing. */
static bool
read_extended(struct reply_cursor *cursor, struct imap_list_reply *list)
{
	for (;;) {
		struct reply_string item;
		struct span *values;
		size_t count;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in) || cursor_skip(&cursor->in, ')'))
			return true;
		if (!reply_string(cursor, &item))
			return false;
		cursor_skip_spaces(&cursor->in);
		if (!span_equals_nocase(item.octets, SPAN("CHILDINFO")) && !span_equals_nocase(item.octets, SPAN("OLDNAME"))) {
			if (!reply_skip(cursor))
				return false;
			continue;
		}
		if (!reply_list(cursor, &values, &count))
			return false;
		for (size_t i = 0; i < count; i++)
			list->has_subscribed_below |= span_equals_nocase(values[i], SPAN("SUBSCRIBED"));
		if (span_equals_nocase(item.octets, SPAN("OLDNAME")) && count > 0)
			list->old_name = values[0];
	}
}

bool
reply_read_list(struct reply_cursor *cursor, struct imap_list_reply *list_out)
{
	if (!reply_list(cursor, &list_out->words, &list_out->word_count))
		return false;
	for (size_t i = 0; i < list_out->word_count; i++)
		list_out->attributes |= attribute_bits(list_out->words[i]);
	if (!read_separator(cursor, &list_out->separator) || !read_name(cursor, &list_out->name))
		return false;
	cursor_skip_spaces(&cursor->in);
	return !cursor_skip(&cursor->in, '(') || read_extended(cursor, list_out);
}

/* ("INBOX." "." "TRANSLATION" ("x")) */
static bool
read_space(struct reply_cursor *cursor, struct imap_namespace *space)
{
	struct reply_string prefix;

	cursor_skip_spaces(&cursor->in);
	if (!reply_string(cursor, &prefix) || prefix.is_taken || !read_separator(cursor, &space->separator))
		return false;
	space->prefix = prefix.octets;
	for (;;) {
		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in) || cursor_skip(&cursor->in, ')'))
			return true;
		if (!reply_skip(cursor))
			return false;
	}
}

static bool
read_spaces(struct reply_cursor *cursor, struct imap_namespace **spaces_out, size_t *count_out)
{
	void *spaces = NULL;
	struct reply_string nil;

	cursor_skip_spaces(&cursor->in);
	if (!cursor_skip(&cursor->in, '('))
		return cursor_is_at_end(&cursor->in) || (reply_string(cursor, &nil) && nil.is_nil);
	for (;;) {
		struct imap_namespace space;

		cursor_skip_spaces(&cursor->in);
		if (cursor_skip(&cursor->in, ')'))
			break;
		if (!cursor_skip(&cursor->in, '(') || !read_space(cursor, &space))
			return false;
		*(struct imap_namespace *)cursor_grow(&cursor->in, &spaces, count_out, sizeof space) = space;
	}
	*spaces_out = spaces;
	return true;
}

bool
reply_read_namespace(struct reply_cursor *cursor, struct imap_namespace_reply *spaces_out)
{
	for (size_t i = 0; i < IMAP_NAMESPACE_COUNT; i++)
		if (!read_spaces(cursor, &spaces_out->spaces[i], &spaces_out->counts[i]))
			return false;
	return true;
}

static const struct {
	const char *name;
	enum imap_status_has has;
	size_t offset;
} status_items[] = {
	{ "MESSAGES", IMAP_STATUS_HAS_MESSAGES, offsetof(struct imap_status_reply, messages) },
	{ "UIDNEXT", IMAP_STATUS_HAS_UIDNEXT, offsetof(struct imap_status_reply, uidnext) },
	{ "UIDVALIDITY", IMAP_STATUS_HAS_UIDVALIDITY, offsetof(struct imap_status_reply, uidvalidity) },
	{ "UNSEEN", IMAP_STATUS_HAS_UNSEEN, offsetof(struct imap_status_reply, unseen) },
	{ "HIGHESTMODSEQ", IMAP_STATUS_HAS_HIGHESTMODSEQ, offsetof(struct imap_status_reply, highestmodseq) },
	{ "SIZE", IMAP_STATUS_HAS_SIZE, offsetof(struct imap_status_reply, size) },
	{ "RECENT", IMAP_STATUS_HAS_RECENT, offsetof(struct imap_status_reply, recent) },
	{ "DELETED", IMAP_STATUS_HAS_DELETED, offsetof(struct imap_status_reply, deleted) },
};

/* A number that is none is as if it were not there. */
static bool
read_status_item(struct reply_cursor *cursor, struct span name, struct imap_status_reply *status)
{
	size_t start = cursor->in.at;
	uint64_t number;

	if (span_equals_nocase(name, SPAN("MAILBOXID"))) {
		struct span *ids;
		size_t count;

		if (!reply_list(cursor, &ids, &count))
			return false;
		if (count > 0)
			status->mailbox_id = ids[0];
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(status_items); i++) {
		if (!span_equals_nocase(name, span_from_string(status_items[i].name)) ||
		    !reply_number(cursor, UINT64_MAX, &number))
			continue;
		*(uint64_t *)(void *)((char *)status + status_items[i].offset) = number;
		status->has |= status_items[i].has;
		return true;
	}
	cursor->in.at = start;
	return reply_skip(cursor);
}

bool
reply_read_status(struct reply_cursor *cursor, struct imap_status_reply *status_out)
{
	if (!read_name(cursor, &status_out->mailbox))
		return false;
	cursor_skip_spaces(&cursor->in);
	if (!cursor_skip(&cursor->in, '('))
		return false;
	for (;;) {
		struct span name;

		cursor_skip_spaces(&cursor->in);
		if (cursor_is_at_end(&cursor->in) || cursor_skip(&cursor->in, ')'))
			return true;
		if (!reply_word(cursor, &name) || !read_status_item(cursor, name, status_out))
			return false;
	}
}

bool
reply_read_metadata(struct reply_cursor *cursor, struct imap_metadata_reply *metadata_out)
{
	struct reply_string mailbox;

	if (!reply_string(cursor, &mailbox) || mailbox.is_taken)
		return false;
	metadata_out->mailbox = mailbox.octets;
	cursor_skip_spaces(&cursor->in);
	cursor_skip(&cursor->in, '(');	/* RFC 5464 section 4.4.2: entries alone have none */
	return reply_strings(cursor, &metadata_out->words, &metadata_out->word_count);
}
