/*
 * A session as text: a line for each fact that is not zero, of its name and its value.  A reader that does not know a name
 * knows less than the client relies on, and refuses.  Pure.
 */
#include "carried.h"

#include <string.h>

#include "base/base64.h"
#include "imap/command.h"

#define LIMIT_KNOWN (CARRIED_OCTETS_MAX / (sizeof "known 1 0 1\n" - 1))	/* no text has more */

enum kind {
	FLAG,
	NUMBER32,
	NUMBER64,
	TEXT,			/* in base64 */
	TAG,			/* likewise */
	UIDS,
};

static const struct {
	const char *name;
	enum kind kind;
	size_t place;
} facts[] = {
#define FACT(name, kind, member) { name, kind, offsetof(struct carried, member) }
	FACT("account", TEXT, account),
	FACT("rev2", FLAG, is_rev2),
	FACT("utf8", FLAG, has_utf8),
	FACT("condstore", FLAG, has_condstore),
	FACT("qresync", FLAG, has_qresync),
	FACT("uidonly", FLAG, is_uid_only),
	FACT("message-limit", NUMBER32, message_limit),
	FACT("save-limit", NUMBER32, save_limit),
	FACT("quiet-ms", NUMBER64, quiet_ms),
	FACT("id", TEXT, id),
	FACT("idle", FLAG, is_idling),
	FACT("idle-tag", TAG, idle_tag),
	FACT("mailbox", NUMBER64, mailbox_id),
	FACT("uidvalidity", NUMBER32, uidvalidity),
	FACT("name", TEXT, name),
	FACT("examined", FLAG, is_examined),
	FACT("limit-uid", NUMBER32, view.limit_uid),
	FACT("exists", NUMBER32, view.told_exists),
	FACT("recent", NUMBER32, view.told_recent),
	FACT("modseq", NUMBER64, view.told_modseq),
	FACT("keywords", NUMBER64, view.told_keywords),
	FACT("owes-flags", FLAG, view.owes_flags),
	FACT("owes-modseq", FLAG, view.owes_modseq),
	FACT("ghosts", UIDS, view.ghosts),
	FACT("ghost-modseq", NUMBER64, view.ghost_modseq),
	FACT("recents", UIDS, view.recent),
	FACT("saved", UIDS, saved),
	FACT("deflate", FLAG, is_deflated),
	FACT("window", TEXT, window),
	FACT("unread", TEXT, unread),
#undef FACT
};

static const char first_line[] = "session 1";

/* ---- writing ---- */

static void
write_number(struct buffer *out, const char *name, uint64_t number)
{
	if (number != 0)
		buffer_printf(out, "%s %llu\n", name, (unsigned long long)number);
}

static void
write_text(struct buffer *out, const char *name, struct span text)
{
	if (text.length == 0)
		return;
	buffer_printf(out, "%s ", name);
	base64_encode(text, out);
	buffer_add_octet(out, '\n');
}

static void
write_uids(struct buffer *out, const char *name, const struct imap_sequence *uids)
{
	if (uids->count == 0)
		return;
	buffer_printf(out, "%s ", name);
	for (size_t i = 0; i < uids->count; i++)
		buffer_printf(out, "%s%u:%u", i == 0 ? "" : ",", uids->ranges[i].first, uids->ranges[i].last);
	buffer_add_octet(out, '\n');
}

static void
write_fact(struct buffer *out, size_t fact, const uint8_t *at)
{
	switch (facts[fact].kind) {
	case FLAG:
		write_number(out, facts[fact].name, *(const bool *)(const void *)at);
		break;
	case NUMBER32:
		write_number(out, facts[fact].name, *(const uint32_t *)(const void *)at);
		break;
	case NUMBER64:
		write_number(out, facts[fact].name, *(const uint64_t *)(const void *)at);
		break;
	case TEXT:
	case TAG:
		write_text(out, facts[fact].name, *(const struct span *)(const void *)at);
		break;
	case UIDS:
		write_uids(out, facts[fact].name, (const void *)at);
		break;
	}
}

void
carried_write(const struct carried *carried, struct buffer *out)
{
	const struct view_memory *view = &carried->view;

	buffer_printf(out, "%s\n", first_line);
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		write_fact(out, i, (const uint8_t *)carried + facts[i].place);
	for (size_t i = 0; i < view->known_count; i++)
		buffer_printf(out, "known %u %llu %llu\n", view->known[i].uid, (unsigned long long)view->known[i].flags,
		    (unsigned long long)view->known[i].modseq);
}

/* ---- reading ---- */

static bool
read_flag(struct span value, bool *flag_out)
{
	*flag_out = true;
	return span_equals(value, SPAN("1"));
}

static bool
read_number32(struct span value, uint32_t *number_out)
{
	uint64_t number;

	if (!span_to_number(value, UINT32_MAX, &number))
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static bool
read_text(struct span value, struct arena *arena, struct span *text_out)
{
	struct buffer text = { 0 };
	bool is_good = base64_decode(value, &text);

	*text_out = arena_copy(arena, buffer_span(&text));
	buffer_free(&text);
	return is_good;
}

static bool
read_uids(struct span value, struct arena *arena, struct imap_sequence *uids_out)
{
	return imap_sequence_parse(arena, value, uids_out) && !uids_out->has_star && !uids_out->is_saved;
}

static bool
read_fact(size_t fact, struct span value, struct arena *arena, uint8_t *at)
{
	switch (facts[fact].kind) {
	case FLAG:
		return read_flag(value, (void *)at);
	case NUMBER32:
		return read_number32(value, (void *)at);
	case NUMBER64:
		return span_to_number(value, UINT64_MAX, (void *)at);
	case TEXT:
		return read_text(value, arena, (void *)at);
	case TAG:
		return read_text(value, arena, (void *)at) && imap_is_tag(*(const struct span *)(const void *)at);
	case UIDS:
		return read_uids(value, arena, (void *)at);
	}
	return false;
}

/* `UID FLAGS MODSEQ` */
static bool
read_known(struct span value, struct arena *arena, struct view_memory *view)
{
	size_t first = span_find(value, ' ');
	struct span rest = span_from(value, first + 1);
	size_t second = span_find(rest, ' ');
	struct view_known *known;

	if (view->known == NULL)
		view->known = arena_alloc_array(arena, LIMIT_KNOWN, sizeof *view->known);
	if (view->known_count == LIMIT_KNOWN)
		return false;
	known = &view->known[view->known_count++];
	return read_number32(span_slice(value, 0, first), &known->uid) &&
	    span_to_number(span_slice(rest, 0, second), UINT64_MAX, &known->flags) &&
	    span_to_number(span_from(rest, second + 1), UINT64_MAX, &known->modseq);
}

static bool
read_line(struct span line, struct arena *arena, struct carried *carried)
{
	size_t space = span_find(line, ' ');
	struct span name = span_slice(line, 0, space), value = span_from(line, space + 1);

	if (span_equals(name, SPAN("known")))
		return read_known(value, arena, &carried->view);
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		if (span_equals(name, span_from_string(facts[i].name)))
			return read_fact(i, value, arena, (uint8_t *)carried + facts[i].place);
	return false;
}

bool
carried_read(struct span text, struct arena *arena, struct carried *carried_out)
{
	size_t end = span_find(text, '\n');

	*carried_out = (struct carried){ .mailbox_id = 0 };
	if (!span_equals(span_slice(text, 0, end), span_from_string(first_line)))
		return false;
	for (text = span_from(text, end + 1); text.length > 0; text = span_from(text, end + 1)) {
		end = span_find(text, '\n');
		if (!read_line(span_slice(text, 0, end), arena, carried_out))
			return false;
	}
	return !carried_out->is_idling || carried_out->idle_tag.length > 0;
}
