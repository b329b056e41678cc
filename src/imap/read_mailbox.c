/*
 * Arguments of the commands on mailboxes, LIST aside.  RFC 9051 section 6.3, RFC 6154 section 3, RFC 7162
 * sections 3.1.8 and 3.2.5.  Pure.
 */
#include "base/memory.h"
#include "read.h"

bool
imap_read_modseq(struct cursor *cursor, uint64_t *modseq_out)
{
	return cursor_number(cursor, INT64_MAX, modseq_out);
}

bool
imap_read_mailbox(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_mailbox(cursor, &line->mailbox.mailbox);
}

bool
imap_read_rename(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_mailbox(cursor, &line->rename.from) && cursor_space(cursor) &&
	    cursor_mailbox(cursor, &line->rename.to);
}

static bool
read_use(struct cursor *cursor, void *context)
{
	unsigned *uses = context, use;
	size_t start = cursor->at;
	struct span name;

	if (!cursor_expect(cursor, '\\') || !cursor_atom(cursor, &name))
		return false;
	use = imap_use_from_name(span_slice(cursor->text, start, cursor->at - start));
	if (use == 0)
		return cursor_refuse(cursor, "USEATTR", "Unknown special use");
	*uses |= use;
	return true;
}

static bool
read_create_option(struct cursor *cursor, void *context)
{
	if (!cursor_word(cursor, "USE"))
		return cursor_fail(cursor, "Unknown option of CREATE");
	return cursor_space(cursor) && cursor_list(cursor, true, read_use, context);
}

/* A separator at the end only says that children will follow: RFC 9051 section 6.3.4. */
static bool
read_new_mailbox(struct cursor *cursor, struct imap_mailbox *mailbox)
{
	struct span sent;

	if (!cursor_astring(cursor, &sent))
		return false;
	mailbox->has_trailing_separator = sent.length > 1 && sent.at[sent.length - 1] == IMAP_SEPARATOR;
	sent.length -= mailbox->has_trailing_separator;
	return cursor_canonical(cursor, sent, &mailbox->mailbox);
}

bool
imap_read_create(struct cursor *cursor, struct imap_command_line *line)
{
	if (!cursor_space(cursor) || !read_new_mailbox(cursor, &line->mailbox))
		return false;
	return cursor_is_at_end(cursor) || (cursor_space(cursor) &&
	    cursor_list(cursor, false, read_create_option, &line->mailbox.uses));
}

/* A set without "*". */
static bool
read_known(struct cursor *cursor, struct imap_sequence *sequence_out)
{
	if (!cursor_sequence(cursor, sequence_out))
		return false;
	return !(sequence_out->has_star || sequence_out->is_saved) || cursor_fail(cursor, "Only numbers are known");
}

/*
 * "(1,5 41,50)": RFC 7162 section 3.2.5.2.  What does not rise, or does not come in pairs, matches nothing: then no
 * less is told than without it.
 */
static bool
read_match_data(struct cursor *cursor, struct imap_select *select)
{
	size_t begin = cursor->at + 1, middle, end;

	select->has_match_data = true;
	if (!cursor_expect(cursor, '(') || !read_known(cursor, &select->match_numbers))
		return false;
	middle = cursor->at;
	if (!cursor_space(cursor) || !read_known(cursor, &select->match_uids))
		return false;
	end = cursor->at;
	if (!imap_sequence_is_rising(span_slice(cursor->text, begin, middle - begin)) ||
	    !imap_sequence_is_rising(span_slice(cursor->text, middle + 1, end - middle - 1)) ||
	    imap_sequence_size(&select->match_numbers) != imap_sequence_size(&select->match_uids))
		select->match_numbers.count = select->match_uids.count = 0;
	return cursor_expect(cursor, ')');
}

/* "67890007 90060115194045000": neither may be 0. */
static bool
read_known_state(struct cursor *cursor, struct imap_select *select)
{
	uint64_t validity;

	if (!cursor_nz_number(cursor, UINT32_MAX, &validity) || !cursor_space(cursor) ||
	    !imap_read_modseq(cursor, &select->qresync_modseq))
		return false;
	select->qresync_uid_validity = (uint32_t)validity;
	return select->qresync_modseq > 0 || cursor_fail(cursor, "QRESYNC knows no 0");
}

/* "(67890007 90060115194045000 41:211 (1,5 41,50))" */
static bool
read_qresync(struct cursor *cursor, struct imap_select *select)
{
	select->has_qresync = true;
	if (!cursor_space(cursor) || !cursor_expect(cursor, '(') || !read_known_state(cursor, select))
		return false;
	if (cursor_peek(cursor) == ' ' && cursor->at + 1 < cursor->text.length &&
	    cursor->text.at[cursor->at + 1] != '(') {
		select->has_known_uids = true;
		if (!cursor_space(cursor) || !read_known(cursor, &select->known_uids))
			return false;
	}
	if (cursor_skip(cursor, ' ') && !read_match_data(cursor, select))
		return false;
	return cursor_expect(cursor, ')');
}

static bool
read_select_option(struct cursor *cursor, void *context)
{
	struct imap_select *select = context;

	if (cursor_word(cursor, "CONDSTORE"))
		return select->has_condstore = true;
	if (cursor_word(cursor, "QRESYNC"))
		return read_qresync(cursor, select);
	return cursor_fail(cursor, "Unknown option of SELECT");
}

bool
imap_read_select(struct cursor *cursor, struct imap_command_line *line)
{
	if (!cursor_space(cursor) || !cursor_mailbox(cursor, &line->select.mailbox))
		return false;
	return cursor_is_at_end(cursor) || (cursor_space(cursor) &&
	    cursor_list(cursor, false, read_select_option, &line->select));
}

static bool
read_status_item(struct cursor *cursor, void *context)
{
	static const struct {
		unsigned bit;
		const char *name;
	} items[] = {
		{ IMAP_STATUS_MESSAGES, "MESSAGES" }, { IMAP_STATUS_UIDNEXT, "UIDNEXT" },
		{ IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY" }, { IMAP_STATUS_UNSEEN, "UNSEEN" },
		{ IMAP_STATUS_DELETED, "DELETED" }, { IMAP_STATUS_SIZE, "SIZE" },
		{ IMAP_STATUS_RECENT, "RECENT" }, { IMAP_STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ" },
		{ IMAP_STATUS_APPENDLIMIT, "APPENDLIMIT" }, { IMAP_STATUS_MAILBOXID, "MAILBOXID" },
		{ IMAP_STATUS_DELETED_STORAGE, "DELETED-STORAGE" },
	};
	unsigned *bits = context;

	for (size_t i = 0; i < COUNT_OF(items); i++)
		if (cursor_word(cursor, items[i].name)) {
			*bits |= items[i].bit;
			return true;
		}
	return cursor_fail(cursor, "Unknown item of STATUS");
}

bool
imap_read_status_items(struct cursor *cursor, unsigned *items_out)
{
	return cursor_list(cursor, false, read_status_item, items_out);
}

bool
imap_read_status(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_mailbox(cursor, &line->status.mailbox) && cursor_space(cursor) &&
	    imap_read_status_items(cursor, &line->status.items);
}
