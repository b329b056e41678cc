/*
 * Replies as octets.  RFC 9051 section 9.  Pure.
 */
#include "imap/writer.h"

#include "cursor.h"
#include "imap/mailbox_name.h"
#include "imap/search.h"

#define QUOTED_OCTETS_MAX 1000	/* longer strings are literals: some clients bound their line buffers */

static bool
may_be_quoted(struct span text, bool is_utf8)
{
	bool is_ascii = true;

	if (text.length > QUOTED_OCTETS_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < ' ' || text.at[i] == 127)
			return false;
		is_ascii &= text.at[i] < 128;
	}
	return is_ascii || (is_utf8 && imap_utf8_is_valid(text));
}

void
imap_write_quoted(struct buffer *out, struct span text)
{
	buffer_add_octet(out, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '"' || text.at[i] == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, text.at[i]);
	}
	buffer_add_octet(out, '"');
}

void
imap_write_literal_header(struct buffer *out, uint64_t size_octets, bool is_literal8)
{
	if (is_literal8)
		buffer_add_octet(out, '~');
	buffer_add_octet(out, '{');
	buffer_add_number(out, size_octets);
	buffer_add_string(out, "}\r\n");
}

void
imap_write_string(struct buffer *out, struct span text, bool is_utf8)
{
	if (may_be_quoted(text, is_utf8)) {
		imap_write_quoted(out, text);
		return;
	}
	imap_write_literal_header(out, text.length, false);
	buffer_add_span(out, text);
}

void
imap_write_astring(struct buffer *out, struct span text, bool is_utf8)
{
	bool is_atom = text.length > 0 && text.length <= QUOTED_OCTETS_MAX &&
	    !span_equals_nocase(text, SPAN("NIL"));

	for (size_t i = 0; is_atom && i < text.length; i++)
		is_atom = imap_is_astring_octet(text.at[i]);
	if (is_atom)
		buffer_add_span(out, text);
	else
		imap_write_string(out, text, is_utf8);
}

void
imap_write_nstring(struct buffer *out, struct span text, bool is_utf8)
{
	if (text.at == NULL)
		buffer_add_string(out, "NIL");
	else
		imap_write_string(out, text, is_utf8);
}

void
imap_write_mailbox(struct buffer *out, struct span name, bool is_utf8)
{
	struct buffer shown = { 0 };

	imap_name_for_session(name, is_utf8, &shown);
	imap_write_astring(out, buffer_span(&shown), is_utf8);
	buffer_free(&shown);
}

void
imap_write_condition(struct buffer *out, struct span tag, enum imap_condition condition, struct span code,
    struct span text)
{
	static const char *const words[] = { " OK ", " NO ", " BAD ", " BYE ", " PREAUTH " };

	buffer_add_span(out, tag);
	buffer_add_string(out, words[condition]);
	if (code.length > 0) {
		buffer_add_octet(out, '[');
		buffer_add_span(out, code);
		buffer_add_string(out, "] ");
	}
	if (text.length == 0)
		text = SPAN("done");
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] != '\r' && text.at[i] != '\n' && text.at[i] != 0)
			buffer_add_octet(out, text.at[i]);
	buffer_add_string(out, "\r\n");
}

/* With the UID in front, where message numbers are not told: RFC 9586 section 3.3. */
static void
begin_fetch(struct buffer *out, uint32_t number, uint32_t uid)
{
	buffer_add(out, "* ", 2);
	buffer_add_number(out, number == 0 ? uid : number);
	buffer_add_string(out, number == 0 ? " UIDFETCH (" : " FETCH (");
	if (uid != 0 && number != 0) {
		buffer_add(out, "UID ", 4);
		buffer_add_number(out, uid);
		buffer_add_octet(out, ' ');
	}
}

void
imap_write_fetch_flags(struct buffer *out, uint32_t number, uint32_t uid, uint64_t flags,
    const struct imap_keywords *keywords, bool is_recent, uint64_t modseq)
{
	begin_fetch(out, number, uid);
	if (modseq != 0) {
		buffer_add(out, "MODSEQ (", 8);
		buffer_add_number(out, modseq);
		buffer_add(out, ") ", 2);
	}
	buffer_add(out, "FLAGS ", 6);
	imap_flags_write(out, flags, keywords, is_recent);
	buffer_add(out, ")\r\n", 3);
}

void
imap_write_fetch_modseq(struct buffer *out, uint32_t number, uint32_t uid, uint64_t modseq)
{
	begin_fetch(out, number, uid);
	buffer_add(out, "MODSEQ (", 8);
	buffer_add_number(out, modseq);
	buffer_add(out, "))\r\n", 4);
}

void
imap_write_number_line(struct buffer *out, uint32_t number, const char *word)
{
	buffer_add(out, "* ", 2);
	buffer_add_number(out, number);
	buffer_add_octet(out, ' ');
	buffer_add_string(out, word);
	buffer_add(out, "\r\n", 2);
}

static void
write_result(struct buffer *out, const char *name, uint64_t number)
{
	buffer_add_string(out, name);
	buffer_add_number(out, number);
}

static void
begin_partial(struct buffer *out, const struct imap_esearch *result)
{
	buffer_add_string(out, " PARTIAL (");
	imap_partial_write(out, &result->partial);
	buffer_add_string(out, result->has_set ? " " : " NIL");
}

void
imap_write_esearch_begin(struct buffer *out, const struct imap_esearch *result)
{
	buffer_add_string(out, "* ESEARCH (TAG ");
	imap_write_string(out, result->tag, false);
	if (result->mailbox.length > 0) {
		buffer_add_string(out, " MAILBOX ");
		imap_write_mailbox(out, result->mailbox, result->is_utf8);
		write_result(out, " UIDVALIDITY ", result->uidvalidity);
	}
	buffer_add_octet(out, ')');
	if (result->is_uid)
		buffer_add_string(out, " UID");
	if ((result->returns & IMAP_RETURN_MIN) && result->min != 0)
		write_result(out, " MIN ", result->min);
	if ((result->returns & IMAP_RETURN_MAX) && result->max != 0)
		write_result(out, " MAX ", result->max);
	if (result->returns & IMAP_RETURN_PARTIAL)
		begin_partial(out, result);
	else if (result->has_set)
		buffer_add_string(out, " ALL ");
}

void
imap_write_esearch_end(struct buffer *out, const struct imap_esearch *result)
{
	if (result->returns & IMAP_RETURN_PARTIAL)
		buffer_add_octet(out, ')');
	if (result->returns & IMAP_RETURN_COUNT)
		write_result(out, " COUNT ", result->count);
	if (result->modseq != 0)
		write_result(out, " MODSEQ ", result->modseq);
	buffer_add_string(out, "\r\n");
}
