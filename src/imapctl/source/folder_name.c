#include "folder_name.h"

#include "imap/mailbox_name.h"

/* `\2e` at this place?  Only a character that needs hiding is hidden, and "/" stays hidden: it separates. */
static bool
is_escape(struct span name, uint8_t *octet_out)
{
	int high, low;
	uint8_t octet;

	if (name.length < 3 || name.at[0] != '\\')
		return false;
	high = ascii_hex_value(name.at[1]);
	low = ascii_hex_value(name.at[2]);
	if (high < 0 || low < 0)
		return false;
	octet = (uint8_t)(high << 4 | low);
	if (octet != '.' && octet != '\\' && octet != '~')
		return false;
	*octet_out = octet;
	return true;
}

static void
add_unescaped(struct buffer *out, struct span name)
{
	while (name.length > 0) {
		uint8_t octet = name.at[0];

		name = span_from(name, is_escape(name, &octet) ? 3 : 1);
		buffer_add_octet(out, octet);
	}
}

void
folder_name_add_level(struct buffer *name, struct span level)
{
	struct buffer decoded = { 0 };

	if (name->length > 0)
		buffer_add_octet(name, IMAP_SEPARATOR);
	add_unescaped(name, imap_utf7_decode(level, &decoded) ? buffer_span(&decoded) : level);
	buffer_free(&decoded);
}

void
folder_name_add_text(struct buffer *name, struct span level)
{
	if (name->length > 0)
		buffer_add_octet(name, IMAP_SEPARATOR);
	for (size_t i = 0; i < level.length; i++)
		buffer_add_octet(name, level.at[i] == IMAP_SEPARATOR ? '_' : level.at[i]);
}

const char *
folder_name_finish(struct span name, struct buffer *mailbox_out)
{
	struct buffer canonical = { 0 };
	enum imap_name_status status;

	if (name.length == 0)
		return NULL;
	if (!imap_utf8_is_valid(name))
		return "its name is neither UTF-8 nor modified UTF-7";
	status = imap_name_canonical(name, true, &canonical);
	if (status == IMAP_NAME_OK)
		imap_utf7_encode(name, mailbox_out);
	buffer_free(&canonical);
	return status == IMAP_NAME_OK ? NULL : imap_name_status_text(status);
}

const char *
folder_name_of_path(struct span path, struct buffer *mailbox_out)
{
	struct buffer name = { 0 };
	const char *why;

	while (path.length > 0) {
		size_t end = span_find(path, '/');

		if (end > 0)
			folder_name_add_level(&name, span_slice(path, 0, end));
		path = span_from(path, end + 1);
	}
	why = folder_name_finish(buffer_span(&name), mailbox_out);
	buffer_free(&name);
	return why;
}
