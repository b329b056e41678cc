#include "names_there.h"

#include "imap/mailbox_name.h"

static void
add_levels(const struct names_there *there, struct span name, struct buffer *out)
{
	for (size_t i = 0; i < name.length; i++) {
		uint8_t octet = name.at[i];

		if (octet == IMAP_SEPARATOR)
			octet = there->separator < 0 ? '_' : (uint8_t)there->separator;
		else if (octet == there->separator)
			octet = '_';
		buffer_add_octet(out, octet);
	}
}

void
names_there_add(const struct names_there *there, struct span name, struct buffer *out)
{
	bool is_inbox = span_equals(name, SPAN("INBOX"));

	if (is_inbox && there->root.length == 0) {
		buffer_add_span(out, name);
		return;
	}
	if (there->root.length > 0)
		buffer_add_span(out, there->root);
	else
		buffer_add_span(out, there->prefix);
	if (is_inbox)
		return;
	if (there->root.length > 0)
		buffer_add_octet(out, there->separator < 0 ? '_' : (uint8_t)there->separator);
	add_levels(there, name, out);
}

void
names_there_decode(struct span sent, struct buffer *out)
{
	if (!imap_utf7_decode(sent, out))
		buffer_add_span(out, sent);
}
