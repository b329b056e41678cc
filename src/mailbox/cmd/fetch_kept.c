/*
 * Messages of a FETCH whose octets are kept in memory, bodies.h: their lines are written without a job.  Loop thread.
 */
#include "../fetch/item.h"
#include "fetch.h"

static const struct state *
state_of(const struct session *session)
{
	return session->view == NULL ? NULL : session->view->state;
}

/* Where the octets of an item are, which is plain or a matter of the line.  False: not known here. */
static bool
find_octets(const struct state *state, const struct fetch_entry *entry, const struct imap_fetch_item *item,
    struct fetch_range *range_out)
{
	struct fetch_content content = { .size = entry->message.size };
	struct span parts;

	if (!fetch_bodies_know(state, entry->message.content_id, &content.header_length, &parts))
		return false;
	content.parts = (struct buffer){ .at = (uint8_t *)(uintptr_t)parts.at, .length = parts.length };
	return (item->part_depth == 0 || parts.length > 0) && fetch_section_find(&content, item, range_out);
}

static bool
is_line_kept(const struct session *session, const struct fetch *fetch, const struct fetch_entry *entry)
{
	const struct state *state = state_of(session);
	struct fetch_range range;

	for (size_t i = 0; i < fetch->program->item_count; i++) {
		const struct imap_fetch_item *item = &fetch->program->items[i];

		if (fetch_line_has(item->kind))
			continue;
		if (!find_octets(state, entry, item, &range))
			return false;
		fetch_item_apply_partial(item, &range.at, &range.length);
		if (!fetch_bodies_cover(state, entry->message.content_id, range.at, range.length))
			return false;
	}
	return true;
}

static void
write_octets(struct session *session, const struct fetch_entry *entry, const struct imap_fetch_item *item)
{
	struct state *state = session->view->state;
	struct fetch_range range;
	struct fetch_block *block;
	struct span octets;

	find_octets(state, entry, item, &range);
	fetch_item_apply_partial(item, &range.at, &range.length);
	imap_write_literal_header(session_out(session), range.length, false);
	for (; range.length > 0; range.at += octets.length, range.length -= octets.length) {
		octets = fetch_bodies_take(state, entry->message.content_id, range.at, range.length, &block);
		session_write_shared(session, octets, fetch_block_release, block);
	}
}

static void
write_line(struct session *session, const struct fetch *fetch, const struct fetch_entry *entry)
{
	const struct fetch_style *style = &fetch->render.style;
	struct buffer *out = session_out(session);

	fetch_line_begin(style, entry, out);
	for (size_t i = 0; i < fetch->program->item_count; i++) {
		const struct imap_fetch_item *item = &fetch->program->items[i];

		fetch_line_space(style, i, out);
		if (fetch_line_has(item->kind)) {
			fetch_line_item(style, entry, item->kind, out);
			continue;
		}
		buffer_add_span(out, item->echo);
		buffer_add_octet(out, ' ');
		write_octets(session, entry, item);
	}
	fetch_line_end(style, fetch->program, entry, out);
}

bool
fetch_may_be_kept(const struct imap_fetch *program)
{
	for (size_t i = 0; i < program->item_count; i++)
		if (!fetch_line_has(program->items[i].kind) && !fetch_item_is_plain(&program->items[i]))
			return false;
	return true;
}

bool
fetch_is_kept(const struct session *session, const struct fetch *fetch)
{
	if (!fetch->may_be_kept || state_of(session) == NULL)
		return false;
	for (size_t i = fetch->render.next; i < fetch->render.entry_count; i++)
		if (!is_line_kept(session, fetch, &fetch->render.entries[i]))
			return false;
	return true;
}

void
fetch_write_kept(struct session *session, struct fetch *fetch)
{
	struct fetch_render *render = &fetch->render;

	if (!fetch->may_be_kept || state_of(session) == NULL || render->is_begun)
		return;
	while (!fetch_render_is_done(render) && session_has_room_ahead(session) &&
	    is_line_kept(session, fetch, &render->entries[render->next])) {
		write_line(session, fetch, &render->entries[render->next]);
		render->next++;
	}
}

void
fetch_write_piece(struct session *session, struct fetch *fetch)
{
	struct fetch_notes *notes = &fetch->render.notes;
	struct fetch_block *block;

	if (notes->count == 0 || state_of(session) == NULL) {
		session_write_buffer(session, &fetch->out);
	} else {
		block = fetch_block_new(&fetch->out, notes);
		fetch_bodies_keep(account_body_cache(fetch->account), session->view->state, block);
		session_write_shared(session, fetch_block_reply(block), fetch_block_release, block);
	}
	fetch_notes_clear(notes);
}
