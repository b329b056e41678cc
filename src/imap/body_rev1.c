/*
 * BODY and BODYSTRUCTURE for clients of IMAP4rev1, made from what is kept, which is as IMAP4rev2 has it.  Goes over
 * the text once and from body to body: each begins with a parenthesis, and where one has ended either the next of
 * its multipart begins or the body around it goes on.  Any thread.
 */
#include "imap/bodystructure.h"

#define FIELDS 7	/* from the type through the size */

struct rewriter {
	struct span body;
	size_t at, copied;		/* up to here: read, and copied or left out */
	struct buffer *out;
};

static bool
is_at(const struct rewriter *rewriter, uint8_t octet)
{
	return rewriter->at < rewriter->body.length && rewriter->body.at[rewriter->at] == octet;
}

static bool
expect(struct rewriter *rewriter, uint8_t octet)
{
	if (!is_at(rewriter, octet))
		return false;
	rewriter->at++;
	return true;
}

static bool
skip_quoted(struct rewriter *rewriter)
{
	while (rewriter->at < rewriter->body.length && !is_at(rewriter, '"'))
		rewriter->at += is_at(rewriter, '\\') ? 2 : 1;
	return expect(rewriter, '"');
}

static bool
skip_literal(struct rewriter *rewriter)
{
	struct span rest = span_from(rewriter->body, rewriter->at);
	size_t digits = span_find(rest, '}');
	uint64_t length;

	if (!span_to_number(span_slice(rest, 0, digits), rest.length, &length) ||
	    !span_starts_with(span_from(rest, digits), SPAN("}\r\n")) || length > rest.length - digits - 3)
		return false;
	rewriter->at += digits + 3 + (size_t)length;
	return true;
}

static bool
skip_number_or_nil(struct rewriter *rewriter)
{
	struct span rest = span_from(rewriter->body, rewriter->at);
	size_t length = span_starts_with(rest, SPAN("NIL")) ? 3 : 0;

	while (length < rest.length && ascii_is_digit(rest.at[length]))
		length++;
	rewriter->at += length;
	return length > 0;
}

static bool
skip_atom_or_string(struct rewriter *rewriter)
{
	if (expect(rewriter, '"'))
		return skip_quoted(rewriter);
	return expect(rewriter, '{') ? skip_literal(rewriter) : skip_number_or_nil(rewriter);
}

/* One value; lists in lists are only counted. */
static bool
skip_value(struct rewriter *rewriter)
{
	size_t depth = 0;

	do {
		if (expect(rewriter, '('))
			depth++;
		else if (depth > 0 && expect(rewriter, ')'))
			depth--;
		else if (!(depth > 0 && expect(rewriter, ' ')) && !skip_atom_or_string(rewriter))
			return false;
	} while (depth > 0);
	return true;
}

static bool
skip_values(struct rewriter *rewriter, unsigned count)
{
	while (count-- > 0)
		if (!expect(rewriter, ' ') || !skip_value(rewriter))
			return false;
	return true;
}

static void
copy(struct rewriter *rewriter)
{
	buffer_add_span(rewriter->out, span_slice(rewriter->body, rewriter->copied, rewriter->at - rewriter->copied));
	rewriter->copied = rewriter->at;
}

/* Behind the parenthesis of what is no multipart.  Stops at the body of a message inside, or within the part. */
static bool
enter_part(struct rewriter *rewriter)
{
	struct span rest = span_from(rewriter->body, rewriter->at);

	if (span_starts_with_nocase(rest, SPAN("\"message\" \"rfc822\" ")))
		return skip_value(rewriter) && skip_values(rewriter, FIELDS) && expect(rewriter, ' ');
	if (!span_starts_with_nocase(rest, SPAN("\"message\" \"global\" ")))
		return skip_value(rewriter);
	if (!skip_value(rewriter) || !skip_values(rewriter, FIELDS - 1))
		return false;
	copy(rewriter);
	if (!skip_values(rewriter, 3))	/* envelope, body, lines */
		return false;
	rewriter->copied = rewriter->at;
	return true;
}

static bool
rewrite(struct rewriter *rewriter)
{
	while (rewriter->at < rewriter->body.length) {
		if (expect(rewriter, '(')) {
			if (!is_at(rewriter, '(') && !enter_part(rewriter))
				return false;
			if (is_at(rewriter, '('))
				continue;
		}
		while (is_at(rewriter, ' '))
			if (!skip_values(rewriter, 1))
				return false;
		if (!expect(rewriter, ')'))
			return false;
	}
	return true;
}

static bool
may_have_global(struct span body)
{
	const uint8_t *end = body.at + body.length, *quote = body.at;

	while (body.length > 0 && (quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
		quote++;
		if (span_starts_with_nocase(span_of(quote, (size_t)(end - quote)), SPAN("global\"")))
			return true;
	}
	return false;
}

void
imap_body_write_rev1(struct span body, struct buffer *out)
{
	struct rewriter rewriter = { .body = body, .out = out };
	size_t before = out->length;

	if (may_have_global(body) && rewrite(&rewriter)) {
		copy(&rewriter);
		return;
	}
	out->length = before;
	buffer_add_span(out, body);
}
