/*
 * The pairs of ID as one line (RFC 2971).  Pure.
 */
#include "imap/id.h"

static void
add_printable(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.length && out->length < IMAP_ID_TEXT_MAX; i++)
		buffer_add_octet(out, text.at[i] >= ' ' && text.at[i] <= '~' ? text.at[i] : '?');
}

static void
write_pairs(const struct imap_id *id, bool has_names, struct buffer *out)
{
	for (size_t i = 0; i < id->count; i++) {
		const struct imap_id_pair *pair = &id->pairs[i];

		if (pair->is_nil || pair->value.length == 0 || span_starts_with_nocase(pair->name, SPAN("x-")))
			continue;
		if (out->length > 0)
			add_printable(out, SPAN("; "));
		if (has_names) {
			add_printable(out, pair->name);
			add_printable(out, SPAN("="));
		}
		add_printable(out, pair->value);
	}
}

void
imap_id_write(const struct imap_id *id, struct buffer *out)
{
	write_pairs(id, true, out);
}

void
imap_id_write_values(const struct imap_id *id, struct buffer *out)
{
	write_pairs(id, false, out);
}
