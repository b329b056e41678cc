/*
 * Which names a mailbox may have, and their one canonical form.  RFC 9051 section 5.1, RFC 5198.  Pure.
 */
#include "imap/mailbox_name.h"

#include <stdlib.h>
#include <uninorm.h>
#include <unistr.h>

const char *
imap_name_status_text(enum imap_name_status status)
{
	static const char *const texts[] = {
		[IMAP_NAME_OK] = "Mailbox name is valid",
		[IMAP_NAME_BAD_ENCODING] = "Mailbox name is not in the encoding of this session",
		[IMAP_NAME_BAD_CHARACTER] = "Mailbox name holds a control character",
		[IMAP_NAME_EMPTY_LEVEL] = "Mailbox name holds an empty level of hierarchy",
		[IMAP_NAME_TOO_LONG] = "Mailbox name is too long",
		[IMAP_NAME_TOO_DEEP] = "Mailbox name has too many levels",
	};

	return texts[status];
}

/* C0, DEL, C1, and the separators of lines and paragraphs, which RFC 9051 section 5.1 forbids. */
static bool
has_control(struct span text)
{
	for (size_t at = 0; at < text.length;) {
		ucs4_t character;

		at += (size_t)u8_mbtouc(&character, text.at + at, text.length - at);
		if (character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
		    character == 0x2029)
			return true;
	}
	return false;
}

static enum imap_name_status
check_levels(struct span name)
{
	size_t levels = 1;

	if (name.length == 0 || name.at[0] == IMAP_SEPARATOR || name.at[name.length - 1] == IMAP_SEPARATOR)
		return IMAP_NAME_EMPTY_LEVEL;
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] != IMAP_SEPARATOR)
			continue;
		if (name.at[i + 1] == IMAP_SEPARATOR)
			return IMAP_NAME_EMPTY_LEVEL;
		levels++;
	}
	return levels > IMAP_NAME_LEVELS_MAX ? IMAP_NAME_TOO_DEEP : IMAP_NAME_OK;
}

static enum imap_name_status
check(struct span name)
{
	if (name.length > IMAP_NAME_OCTETS_MAX)
		return IMAP_NAME_TOO_LONG;
	if (has_control(name))
		return IMAP_NAME_BAD_CHARACTER;
	return check_levels(name);
}

static void
add_with_inbox(struct span name, struct buffer *out)
{
	if (span_starts_with_nocase(name, SPAN("INBOX")) && (name.length == 5 || name.at[5] == IMAP_SEPARATOR)) {
		buffer_add_string(out, "INBOX");
		name = span_from(name, 5);
	}
	buffer_add_span(out, name);
}

/* The name is valid UTF-8 of bounded length. */
static enum imap_name_status
normalize(struct span name, struct buffer *out)
{
	uint8_t *composed;
	size_t length;
	enum imap_name_status status;

	composed = u8_normalize(UNINORM_NFC, name.at, name.length, NULL, &length);
	if (composed == NULL)
		return IMAP_NAME_BAD_ENCODING;
	status = check(span_of(composed, length));
	if (status == IMAP_NAME_OK)
		add_with_inbox(span_of(composed, length), out);
	free(composed);
	return status;
}

static bool
has_more_than_ascii(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] > 127)
			return true;
	return false;
}

void
imap_name_compose(struct span text, struct buffer *out)
{
	uint8_t *composed = NULL;
	size_t length;

	if (has_more_than_ascii(text) && u8_check(text.at, text.length) == NULL)
		composed = u8_normalize(UNINORM_NFC, text.at, text.length, NULL, &length);
	buffer_add_span(out, composed == NULL ? text : span_of(composed, length));
	free(composed);
}

enum imap_name_status
imap_name_canonical(struct span sent, bool is_utf8, struct buffer *out)
{
	struct buffer decoded = { 0 };
	enum imap_name_status status;

	if (sent.length == 0)
		return IMAP_NAME_EMPTY_LEVEL;
	/* Modified UTF-7 takes at most 3 octets for one of UTF-8. */
	if (sent.length > 3 * IMAP_NAME_OCTETS_MAX)
		return IMAP_NAME_TOO_LONG;
	status = IMAP_NAME_BAD_ENCODING;
	if (is_utf8)
		buffer_add_span(&decoded, sent);
	if ((is_utf8 || imap_utf7_decode(sent, &decoded)) && u8_check(decoded.at, decoded.length) == NULL)
		status = normalize(buffer_span(&decoded), out);
	buffer_free(&decoded);
	return status;
}

void
imap_name_for_session(struct span name, bool is_utf8, struct buffer *out)
{
	if (is_utf8)
		buffer_add_span(out, name);
	else
		imap_utf7_encode(name, out);
}

bool
imap_name_is_below(struct span name, struct span ancestor)
{
	return name.length > ancestor.length && name.at[ancestor.length] == IMAP_SEPARATOR &&
	    span_starts_with(name, ancestor);
}

struct span
imap_name_parent(struct span name)
{
	size_t end = name.length;

	while (end > 0 && name.at[end - 1] != IMAP_SEPARATOR)
		end--;
	return span_slice(name, 0, end == 0 ? 0 : end - 1);
}
