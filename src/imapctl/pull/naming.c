/*
 * Level by level: a "/" within one is no separator, and an empty one is left out.
 */
#include "naming.h"

#include "imap/mailbox_name.h"

/* Length of the control at the front, RFC 9051 section 5.1 with RFC 5198 section 2; 0: it is none. */
static size_t
control_length(struct span text)
{
	if (text.at[0] < ' ' || text.at[0] == 0x7f)
		return 1;
	if (text.length >= 2 && text.at[0] == 0xc2 && text.at[1] >= 0x80 && text.at[1] < 0xa0)
		return 2;
	if (span_starts_with(text, SPAN("\xe2\x80\xa8")) || span_starts_with(text, SPAN("\xe2\x80\xa9")))
		return 3;
	return 0;
}

static void
add_level(const struct naming *naming, struct span sent, struct buffer *out)
{
	struct buffer text = { 0 };
	struct span rest;

	imap_utf7_decode_lax(sent, naming->is_utf8, &text);
	for (rest = buffer_span(&text); rest.length > 0;) {
		size_t length = control_length(rest);
		bool is_odd = length > 0 || rest.at[0] == IMAP_SEPARATOR;

		buffer_add_octet(out, is_odd ? '_' : rest.at[0]);
		rest = span_from(rest, length > 0 ? length : 1);
	}
	buffer_free(&text);
}

/* A first level that means other people's mail here. */
static bool
is_reserved(const struct naming *naming, struct span level)
{
	return level.length > 0 && (span_equals_nocase(level, naming->others) || span_equals_nocase(level, naming->shared));
}

static struct span
without_prefix(const struct naming *naming, struct span sent)
{
	if (naming->prefix.length > 0 && sent.length > naming->prefix.length && span_starts_with_nocase(sent, naming->prefix))
		return span_from(sent, naming->prefix.length);
	return sent;
}

enum imap_name_status
naming_translate(const struct naming *naming, struct span sent, int separator, struct buffer *out)
{
	struct buffer name = { 0 };
	enum imap_name_status status;
	struct span rest = without_prefix(naming, sent);

	while (rest.length > 0) {
		size_t end = separator < 0 ? rest.length : span_find(rest, (uint8_t)separator);

		if (end > 0 && name.length > 0)
			buffer_add_octet(&name, IMAP_SEPARATOR);
		add_level(naming, span_slice(rest, 0, end), &name);
		if (is_reserved(naming, buffer_span(&name)))
			buffer_add_octet(&name, '_');
		rest = span_from(rest, end + 1);
	}
	status = imap_name_canonical(buffer_span(&name), true, out);
	buffer_free(&name);
	return status;
}
