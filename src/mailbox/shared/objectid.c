/*
 * Identifiers begin with a letter, since some clients would take digits for a number: RFC 8474 section 4.
 */
#include "objectid.h"

static void
write(struct buffer *out, char kind, uint64_t id)
{
	buffer_add_octet(out, '(');
	buffer_add_octet(out, (uint8_t)kind);
	buffer_add_number(out, id);
	buffer_add_octet(out, ')');
}

void
objectid_write_email(struct buffer *out, uint64_t content_id)
{
	write(out, 'M', content_id);
}

void
objectid_write_mailbox(struct buffer *out, uint64_t mailbox_id)
{
	write(out, 'F', mailbox_id);
}

uint64_t
objectid_email(struct span text)
{
	uint64_t id;

	if (text.length < 2 || text.at[0] != 'M' || text.at[1] == '0' ||
	    !span_to_number(span_from(text, 1), UINT64_MAX, &id))
		return 0;
	return id;
}
