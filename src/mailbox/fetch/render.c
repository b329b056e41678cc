/*
 * The rendering of FETCH lines on a worker, item by item.  Whatever may be long is not written by its item
 * (render_item.h) but left in octets, from where it goes out in pieces: so a reply of any size is made of small ones.
 * Worker.
 */
#include "metrics/metrics.h"
#include "render.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "item.h"
#include "render_item.h"

static unsigned
fields_of(const struct imap_fetch *program)
{
	unsigned fields = 0;

	for (size_t i = 0; i < program->item_count; i++)
		fields |= fetch_item_needs(&program->items[i]);
	return fields;
}

/* For each call anew: the caller may have another memory, or none. */
static void
find_kept_items(struct fetch_render *render)
{
	for (size_t i = 0; i < render->program->item_count; i++) {
		struct span name = fetch_item_kept_name(&render->program->items[i], render->style.is_rev2);

		render->kept_of[i] = render->kept != NULL && name.length > 0 ? fetch_kept_item(render->kept, name) : NULL;
	}
}

void
fetch_render_init(struct fetch_render *render, const struct imap_fetch *program, uint64_t mailbox_id)
{
	*render = (struct fetch_render){ .program = program, .mailbox_id = mailbox_id, .content_fields = fields_of(program) };
	render->fields = memory_new_array(program->item_count, sizeof *render->fields);
	render->kept_of = memory_new_array(program->item_count, sizeof *render->kept_of);
	render->ready = memory_new_array(program->item_count, sizeof *render->ready);
	for (size_t i = 0; i < program->item_count; i++)
		if (program->items[i].field_count > 0)
			fetch_fields_init(&render->fields[i], program->items[i].fields,
			    program->items[i].field_count);
}

void
fetch_render_fini(struct fetch_render *render)
{
	for (size_t i = 0; i < render->program->item_count; i++)
		fetch_fields_fini(&render->fields[i]);
	free(render->fields);
	free(render->kept_of);
	free(render->ready);
	free(render->entries);
	fetch_notes_fini(&render->notes);
	fetch_content_fini(&render->content);
	fetch_decoder_fini(&render->octets.decoder);
	buffer_free(&render->text);
}

void
fetch_render_restart(struct fetch_render *render)
{
	render->entry_count = render->next = 0;
}

void
fetch_render_add(struct fetch_render *render, const struct fetch_entry *entry)
{
	if (render->entry_count == render->entry_capacity) {
		render->entry_capacity = render->entry_capacity * 2 + 8;
		render->entries = memory_resize(render->entries, render->entry_capacity,
		    sizeof *render->entries);
	}
	render->entries[render->entry_count++] = *entry;
}

bool
fetch_render_is_done(const struct fetch_render *render)
{
	return render->next == render->entry_count;
}

/* Whether an item that was begun is to be gone on with. */
static bool
is_within_item(const struct fetch_render *render)
{
	return render->is_measuring || render->octets.from != FETCH_NOTHING;
}

/* Write an item, from what is kept if that is there. */
static enum store_status
write_item(struct fetch_render *render, size_t index, struct store *store, struct buffer *out)
{
	struct fetch_kept_item *kept = render->kept_of[index];
	enum store_status status;
	size_t before;

	fetch_line_space(&render->style, index, out);
	if (render->ready[index].at != NULL) {
		buffer_add_span(out, render->ready[index]);
		return STORE_OK;
	}
	before = out->length;
	status = fetch_render_item(render, &render->program->items[index], store, out);
	if (kept != NULL && status == STORE_OK && !is_within_item(render))
		render->kept_added += fetch_kept_note(kept, render->entries[render->next].message.content_id,
		    span_from(buffer_span(out), before));
	return status;
}

/* What is to be loaded of the message that comes next, beside what is kept of it. */
static unsigned
look_for_kept(struct fetch_render *render)
{
	uint64_t content_id = render->entries[render->next].message.content_id;
	bool has_any = false, is_kept = false;
	unsigned fields = 0;

	for (size_t i = 0; i < render->program->item_count; i++) {
		struct fetch_kept_item *kept = render->kept_of[i];

		is_kept = is_kept || kept != NULL;
		render->ready[i] = (struct span){ NULL, 0 };
		if (kept != NULL && fetch_kept_find(kept, content_id, &render->ready[i]))
			has_any = true;
		else
			fields |= fetch_item_needs(&render->program->items[i]);
	}
	if (is_kept)
		metric_count(METRIC_CACHE, METRIC_CACHE_RENDERED, has_any ? METRIC_HIT : METRIC_MISS);
	return has_any ? fields : render->content_fields;
}

/* Begin the line of a message; a message that is gone is left out. */
static enum store_status
begin_line(struct fetch_render *render, struct store *store, struct buffer *out)
{
	const struct fetch_entry *entry = &render->entries[render->next];
	unsigned fields = look_for_kept(render);
	enum store_status status = STORE_OK;

	if (fields != 0 || render->content_fields == 0)
		status = fetch_content_load(&render->content, store, entry->message.content_id, fields);
	if (status == STORE_NOT_FOUND) {
		render->gone++;
		render->next++;
		return STORE_OK;
	}
	if (status != STORE_OK)
		return status;
	render->line_at = out->length;
	fetch_line_begin(&render->style, entry, out);
	render->is_begun = true;
	render->item = 0;
	return STORE_OK;
}

static void
end_line(struct fetch_render *render, struct buffer *out)
{
	fetch_line_end(&render->style, render->program, &render->entries[render->next], out);
	render->is_begun = false;
	render->next++;
}

/* A line has at least one: RFC 9051 section 9, msg-att. */
static bool
has_item(const struct fetch_render *render)
{
	return render->item < render->program->item_count && (render->item == 0 || !render->is_cutting_off);
}

bool
fetch_render_is_cut_off(const struct fetch_render *render)
{
	return render->is_cutting_off && !render->is_begun;
}

static enum store_status
write_items(struct fetch_render *render, struct store *store, size_t limit, struct buffer *out)
{
	size_t end = out->length + limit;
	enum store_status status = STORE_OK;

	while (status == STORE_OK && has_item(render) && !is_within_item(render) && out->length < end)
		status = write_item(render, render->item++, store, out);
	if (status == STORE_OK && !has_item(render) && !is_within_item(render))
		end_line(render, out);
	return status;
}

/* One step: what is short of a line goes at once, for the clock that is read behind each costs as much as an item. */
static enum store_status
advance(struct fetch_render *render, struct store *store, size_t limit, struct buffer *out)
{
	enum store_status status;

	if (render->is_measuring)
		return fetch_octets_measure(render, store, out);
	if (render->octets.from != FETCH_NOTHING)
		return fetch_octets_write(render, store, limit, out);
	if (!render->is_begun && ((status = begin_line(render, store, out)) != STORE_OK || !render->is_begun))
		return status;
	return write_items(render, store, limit, out);
}

void
fetch_render_begin_piece(struct fetch_render *render)
{
	render->line_at = SIZE_MAX;
}

enum store_status
fetch_render(struct fetch_render *render, struct store *store, size_t limit, uint64_t until_us, struct buffer *out)
{
	enum store_status status = STORE_OK;

	find_kept_items(render);
	while (status == STORE_OK && !fetch_render_is_done(render) && !fetch_render_is_cut_off(render) && out->length < limit) {
		status = advance(render, store, limit - out->length, out);
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return status;
}

bool
fetch_render_take_back(struct fetch_render *render, struct buffer *out)
{
	if (render->is_begun && render->line_at == SIZE_MAX)
		return false;
	if (render->is_begun)
		out->length = render->line_at;
	render->is_begun = false;
	return true;
}
