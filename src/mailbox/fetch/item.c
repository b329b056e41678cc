/*
 * Items by their kind.  Any thread.
 */
#include "item.h"

#include "line.h"
#include "section.h"

bool
fetch_item_has_fields(const struct imap_fetch_item *item)
{
	return item->section == IMAP_SECTION_HEADER_FIELDS || item->section == IMAP_SECTION_HEADER_FIELDS_NOT;
}

unsigned
fetch_item_needs(const struct imap_fetch_item *item)
{
	if (fetch_line_has(item->kind) || item->kind == IMAP_FETCH_SAVEDATE)
		return 0;
	if (item->kind == IMAP_FETCH_PREVIEW)
		return STORE_CONTENT_PREVIEW;
	if (item->kind == IMAP_FETCH_ENVELOPE)
		return STORE_CONTENT_ENVELOPE;
	if (item->kind == IMAP_FETCH_BODY)
		return STORE_CONTENT_BODY;
	if (item->kind == IMAP_FETCH_BODYSTRUCTURE)
		return STORE_CONTENT_BODYSTRUCTURE;
	if (item->part_depth > 0)
		return STORE_CONTENT_PARTS;
	return fetch_item_has_fields(item) ? FETCH_CONTENT_HEADER : FETCH_CONTENT_ROW;
}

/* IMAP4rev2 and its predecessor write structures differently: each has a name of its own. */
struct span
fetch_item_kept_name(const struct imap_fetch_item *item, bool is_rev2)
{
	switch (item->kind) {
	case IMAP_FETCH_ENVELOPE:
		return SPAN("ENVELOPE");
	case IMAP_FETCH_BODY:
		return is_rev2 ? SPAN("BODY rev2") : SPAN("BODY");
	case IMAP_FETCH_BODYSTRUCTURE:
		return is_rev2 ? SPAN("BODYSTRUCTURE rev2") : SPAN("BODYSTRUCTURE");
	case IMAP_FETCH_SECTION:
		if (fetch_item_has_fields(item) && item->part_depth == 0 && !item->has_partial)
			return item->echo;
		return SPAN("");
	default:
		return SPAN("");
	}
}

bool
fetch_item_is_plain(const struct imap_fetch_item *item)
{
	return item->kind == IMAP_FETCH_SECTION && !fetch_item_has_fields(item);
}

void
fetch_item_apply_partial(const struct imap_fetch_item *item, uint64_t *at, uint64_t *length)
{
	uint64_t skipped;

	if (!item->has_partial)
		return;
	skipped = item->partial_offset < *length ? item->partial_offset : *length;
	*at += skipped;
	*length -= skipped;
	if (*length > item->partial_length)
		*length = item->partial_length;
}
