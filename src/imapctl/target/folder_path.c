#include "folder_path.h"

#include "../source/manifest.h"
#include "base/digest.h"
#include "imap/mailbox_name.h"

#define LEVEL_OCTETS_MAX 240	/* a file may be called by 255; there is room for ".mbox" and ".new" */
#define SHORT_OCTETS 160
#define DIGEST_OCTETS_SHOWN 12

/* What a file system takes no more of: the beginning, and a digest of all of it. */
static void
add_shortened(struct buffer *out, struct span level)
{
	uint8_t digest[DIGEST_LENGTH];
	size_t length = level.length < SHORT_OCTETS ? level.length : SHORT_OCTETS;

	while (length > 0 && length < level.length && (level.at[length] & 0xc0) == 0x80)	/* within a character */
		length--;
	digest_sha256(level, digest);
	buffer_add_span(out, span_slice(level, 0, length));
	buffer_add_octet(out, '~');
	for (size_t i = 0; i < DIGEST_OCTETS_SHOWN; i++)
		buffer_printf(out, "%02x", digest[i]);
}

static void
add_level(struct buffer *out, struct span level)
{
	if (level.length > LEVEL_OCTETS_MAX || span_equals(level, SPAN(MANIFEST_NAME)))
		add_shortened(out, level);
	else
		buffer_add_span(out, level);
}

void
folder_path_maildir(struct span name, struct buffer *out)
{
	struct buffer encoded = { 0 }, path = { 0 };

	if (span_equals(name, SPAN("INBOX"))) {
		buffer_add_octet(out, '.');
		return;
	}
	imap_utf7_encode(name, &encoded);
	for (size_t i = 0; i < encoded.length; i++) {
		if (encoded.at[i] == '.' || encoded.at[i] == '\\' || (i == 0 && encoded.at[i] == '~'))
			buffer_printf(&path, "\\%02x", encoded.at[i]);
		else
			buffer_add_octet(&path, encoded.at[i] == IMAP_SEPARATOR ? '.' : encoded.at[i]);
	}
	buffer_add_octet(out, '.');
	add_level(out, buffer_span(&path));
	buffer_free(&encoded);
	buffer_free(&path);
}

/* The dot of ".mbox" and ".eml" at the end of a level would make a file of it. */
static size_t
suffix_dot(struct span level)
{
	static const char *const suffixes[] = { ".mbox", ".eml" };

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		struct span suffix = span_from_string(suffixes[i]);

		if (level.length >= suffix.length &&
		    span_equals_nocase(span_from(level, level.length - suffix.length), suffix))
			return level.length - suffix.length;
	}
	return level.length;
}

static void
add_tree_level(struct buffer *out, struct span level)
{
	struct buffer encoded = { 0 }, escaped = { 0 };
	size_t dot;

	if (span_find(level, '&') < level.length)
		imap_utf7_encode(level, &encoded);
	else
		buffer_add_span(&encoded, level);
	dot = suffix_dot(buffer_span(&encoded));
	for (size_t i = 0; i < encoded.length; i++) {
		uint8_t octet = encoded.at[i];

		if (octet == '\\' || (octet == '.' && (i == 0 || i == dot)))
			buffer_printf(&escaped, "\\%02x", octet);
		else
			buffer_add_octet(&escaped, octet);
	}
	add_level(out, buffer_span(&escaped));
	buffer_free(&encoded);
	buffer_free(&escaped);
}

void
folder_path_tree(struct span name, const char *suffix, struct buffer *out)
{
	for (;;) {
		size_t end = span_find(name, IMAP_SEPARATOR);

		add_tree_level(out, span_slice(name, 0, end));
		if (end == name.length)
			break;
		buffer_add_octet(out, '/');
		name = span_from(name, end + 1);
	}
	buffer_add_string(out, suffix);
}
