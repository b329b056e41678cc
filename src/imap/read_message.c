/*
 * Arguments of STORE, COPY, MOVE, UID EXPUNGE and UIDBATCHES.  RFC 9051 section 6.4, RFC 7162 section 3.1.3, RFC 10022.
 * Pure.
 */
#include "base/memory.h"
#include "read.h"

bool
imap_read_expunge(struct cursor *cursor, struct imap_command_line *line)
{
	return !line->is_uid || (cursor_space(cursor) && cursor_sequence(cursor, &line->expunge.set));
}

bool
imap_read_copy(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && cursor_sequence(cursor, &line->copy.set) && cursor_space(cursor) &&
	    cursor_mailbox(cursor, &line->copy.mailbox);
}

bool
imap_read_uid_batches(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_uid_batches *batches = &line->uid_batches;

	if (!cursor_space(cursor) || !cursor_nz_number(cursor, UINT32_MAX, &batches->size))
		return false;
	return cursor_is_at_end(cursor) || (cursor_space(cursor) &&
	    cursor_nz_number(cursor, UINT32_MAX, &batches->first) && cursor_expect(cursor, ':') &&
	    cursor_nz_number(cursor, UINT32_MAX, &batches->last));
}

static bool
read_store_option(struct cursor *cursor, void *context)
{
	struct imap_store *store = context;

	if (!cursor_word(cursor, "UNCHANGEDSINCE"))
		return cursor_fail(cursor, "Unknown option of STORE");
	if (store->has_unchanged_since)
		return cursor_fail(cursor, "UNCHANGEDSINCE stands once");	/* RFC 7162 section 7 */
	store->has_unchanged_since = true;
	return cursor_space(cursor) && imap_read_modseq(cursor, &store->unchanged_since);
}

static bool
read_store_name(struct cursor *cursor, struct imap_store *store)
{
	static const struct {
		const char *name;
		enum imap_store_kind kind;
		bool is_silent;
	} names[] = {
		{ "FLAGS", IMAP_STORE_REPLACE, false }, { "FLAGS.SILENT", IMAP_STORE_REPLACE, true },
		{ "+FLAGS", IMAP_STORE_ADD, false }, { "+FLAGS.SILENT", IMAP_STORE_ADD, true },
		{ "-FLAGS", IMAP_STORE_REMOVE, false }, { "-FLAGS.SILENT", IMAP_STORE_REMOVE, true },
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (cursor_word(cursor, names[i].name)) {
			store->kind = names[i].kind;
			store->is_silent = names[i].is_silent;
			return true;
		}
	return cursor_fail(cursor, "Expected FLAGS, +FLAGS or -FLAGS");
}

bool
imap_read_store(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_store *store = &line->store;

	if (!cursor_space(cursor) || !cursor_sequence(cursor, &store->set) || !cursor_space(cursor))
		return false;
	if (cursor_peek(cursor) == '(' &&
	    (!cursor_list(cursor, false, read_store_option, store) || !cursor_space(cursor)))
		return false;
	return read_store_name(cursor, store) && cursor_space(cursor) && cursor_flags(cursor, true, &store->flags);
}
