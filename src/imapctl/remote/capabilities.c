/*
 * Sets of capabilities.
 */
#include "capabilities.h"

#include "base/memory.h"

void
capabilities_keep(struct buffer *kept, const struct span *words, size_t count)
{
	buffer_clear(kept);
	buffer_add_octet(kept, ' ');	/* each has a space on either side */
	for (size_t i = 0; i < count; i++) {
		buffer_add_span(kept, words[i]);
		buffer_add_octet(kept, ' ');
	}
}

bool
capabilities_have(const struct buffer *kept, struct span word)
{
	struct span rest = span_from(buffer_span(kept), 1);

	while (rest.length > 0) {
		size_t end = span_find(rest, ' ');

		if (span_equals_nocase(span_slice(rest, 0, end), word))
			return true;
		rest = span_from(rest, end + 1);
	}
	return false;
}

static bool
is_part_of_rev2(struct span capability)
{
	static const char *const parts[] = { "ENABLE", "ESEARCH", "IDLE", "LIST-EXTENDED", "LIST-STATUS", "LITERAL-", "MOVE",
		"NAMESPACE", "SASL-IR", "SEARCHRES", "SPECIAL-USE", "STATUS=SIZE", "UIDPLUS", "UNSELECT" };

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (span_equals_nocase(capability, span_from_string(parts[i])))
			return true;
	return false;
}

bool
capabilities_imply(const struct buffer *kept, struct span word)
{
	return capabilities_have(kept, word) || (is_part_of_rev2(word) && capabilities_have(kept, SPAN("IMAP4rev2")));
}
