/*
 * A message begins with a header field.  What is called .eml may begin otherwise: with the separator of the
 * mbox it was cut from, if there is no other; with a line that somebody put above the header.
 */
#include "no_mail.h"

#include "base/memory.h"
#include "separator.h"

#define LOOK_OCTETS 8192

static const struct {
	struct span start;	/* in any case */
	const char *reason;
} others[] = {
	{ SPAN("*mbx*\r\n"), "a folder in the format mbx; import it as mbx" },
	{ SPAN("BABYL OPTIONS:"), "a folder in the format babyl; import it as babyl" },
	{ SPAN("\1\1\1\1\n"), "a folder in the format mmdf; import it as mmdf" },
	{ SPAN("BEGIN:VCALENDAR"), "a calendar, not mail" },
	{ SPAN("BEGIN:VCARD"), "an address, not mail" },
};

/* "2 M1e C6b09d328": the first line of a file of Dovecot's sdbox and mdbox. */
static bool
is_dbox(struct span text)
{
	size_t length = span_find(text, '\n');
	struct span line = span_slice(text, 0, length);

	return line.length > 5 && ascii_is_digit(line.at[0]) && line.at[1] == ' ' && line.at[2] == 'M' &&
	    span_find(line, 'C') < line.length && span_starts_with(span_from(text, length + 1), SPAN("\1\2"));
}

/* " 1-Jan-2024 09:01:00 +0000,140;000000000015": what stands before each message in mtx and tenex of c-client. */
static bool
is_tenex(struct span text)
{
	size_t length = span_find(span_slice(text, 0, span_find(text, '\n')), ',');

	return length == 26 && text.at[2] == '-' && text.at[6] == '-' && text.at[11] == ' ' && text.at[14] == ':';
}

/* ",2" and "#2" are what MH's rmm leaves. */
static bool
is_removed_in_mh(const char *name)
{
	size_t digits = strspn(name + (name[0] != '\0'), "0123456789");

	return (name[0] == ',' || name[0] == '#') && digits > 0 && name[1 + digits] == '\0';
}

static bool
is_blank(struct span line)
{
	return span_trim(span_without_line_end(line)).length == 0;
}

static bool
is_named_eml(const char *name)
{
	struct span text = span_from_string(name), ending = SPAN(".eml");

	return text.length >= ending.length &&
	    span_equals_nocase(span_from(text, text.length - ending.length), ending);
}

/* The first line, and what follows it, past a mark of byte order and empty lines. */
static struct span
first_line(struct span text, struct span *rest_out)
{
	struct span mark = SPAN("\xef\xbb\xbf"), line = { NULL, 0 };

	if (span_starts_with(text, mark))
		text = span_from(text, mark.length);
	do {
		text = span_from(text, line.length);
		line = span_slice(text, 0, span_find(text, '\n') + 1);
	} while (line.length > 0 && is_blank(line));
	*rest_out = span_from(text, line.length);
	return line;
}

/* Whether a separator is among the lines that come: then it is a whole mbox. */
static bool
has_separator(struct input *input)
{
	bool is_line_start = true, is_behind_empty = false;
	uint8_t look[4096];
	struct from_line from;
	struct span line;

	while (input_line(input, &line)) {
		if (is_line_start && from_line_read(line, &from) && (from.is_dated || is_behind_empty) &&
		    header_follows(span_of(look, input_look(input, input_offset(input), look, sizeof look))))
			return true;
		is_behind_empty = is_line_start && is_blank(line);
		is_line_start = line.at[line.length - 1] == '\n';
	}
	return false;
}

/* Whether a header field of mail is there, though not at the start; also where lines end in CR alone. */
static bool
has_field(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((i == 0 || text.at[i - 1] == '\n' || text.at[i - 1] == '\r') && header_follows(span_from(text, i)))
			return true;
	}
	return false;
}

static const char *
why_no_message(const char *name, struct input *input, struct span text)
{
	struct span rest, line = first_line(text, &rest);
	struct from_line from;

	if (is_dbox(text))
		return "a dbox file of Dovecot; take the mail out with doveadm backup";
	if (is_tenex(text))
		return "a folder in the format mtx or tenex; mailutil copy makes an mbox of it";
	if (from_line_read(line, &from) && (from.is_dated || header_follows(rest))) {
		input_seek(input, (uint64_t)(rest.at - text.at));
		return is_named_eml(name) && !has_separator(input) ? NULL : "an mbox; import it as mbox";
	}
	if (header_follows(span_of(line.at, line.length + rest.length)) || (is_named_eml(name) && has_field(text)))
		return NULL;
	return "it does not begin with a header field of mail";
}

const char *
no_mail(const char *name, struct input *input)
{
	uint8_t look[LOOK_OCTETS];
	struct span text = span_of(look, input_look(input, 0, look, sizeof look));
	const char *reason = NULL;

	if (is_removed_in_mh(name))
		return "a message that was removed in MH";
	for (size_t i = 0; i < COUNT_OF(others) && reason == NULL; i++) {
		if (span_starts_with_nocase(text, others[i].start))
			reason = others[i].reason;
	}
	if (reason == NULL)
		reason = why_no_message(name, input, text);
	input_seek(input, 0);
	return reason;
}
