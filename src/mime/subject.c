/*
 * The steps of RFC 5256 section 2.1, by their numbers.  Any thread.
 */
#include "mime/subject.h"

#include "mime/encoded_word.h"

#define FORWARD_HEADER SPAN("[fwd:")

static bool
is_space(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

static struct span
skip_spaces(struct span text)
{
	size_t i = 0;

	while (i < text.length && is_space(text.at[i]))
		i++;
	return span_from(text, i);
}

/* subj-blob: "[" *BLOBCHAR "]" *WSP; false: none begins here. */
static bool
skip_blob(struct span *text)
{
	size_t i = 1;

	if (text->length == 0 || text->at[0] != '[')
		return false;
	while (i < text->length && text->at[i] != '[' && text->at[i] != ']')
		i++;
	if (i == text->length || text->at[i] == '[')
		return false;
	*text = skip_spaces(span_from(*text, i + 1));
	return true;
}

/* subj-refwd: ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool
skip_reply(struct span *text)
{
	struct span rest;

	if (span_starts_with_nocase(*text, SPAN("fwd")))
		rest = span_from(*text, 3);
	else if (span_starts_with_nocase(*text, SPAN("re")) || span_starts_with_nocase(*text, SPAN("fw")))
		rest = span_from(*text, 2);
	else
		return false;
	rest = skip_spaces(rest);
	skip_blob(&rest);
	if (rest.length == 0 || rest.at[0] != ':')
		return false;
	*text = span_from(rest, 1);
	return true;
}

/* Step 2: subj-trailer, as often as there is one. */
static bool
strip_trailers(struct span *text)
{
	static const struct span forward = SPAN("(fwd)");
	bool is_reply = false;

	for (;;) {
		if (text->length > 0 && is_space(text->at[text->length - 1])) {
			text->length--;
		} else if (text->length >= forward.length &&
		    span_equals_nocase(span_from(*text, text->length - forward.length), forward)) {
			text->length -= forward.length;
			is_reply = true;
		} else {
			return is_reply;
		}
	}
}

/*
 * Steps 3 to 5.  A leader is blobs with "re:" behind; blobs without it go one by one, but never the last of them if
 * nothing stands behind it.  So each is looked at once.
 */
static bool
strip_leaders(struct span *text)
{
	struct span rest, last;
	bool is_reply = false;

	for (;;) {
		rest = last = *text = skip_spaces(*text);
		while (skip_blob(&rest) && rest.length > 0)
			last = rest;
		if (skip_reply(&rest)) {
			*text = rest;
			is_reply = true;
			continue;
		}
		*text = last;
		return is_reply;
	}
}

/* Step 6: subj-fwd-hdr and subj-fwd-trl. */
static bool
strip_forward(struct span *text)
{
	if (text->length <= FORWARD_HEADER.length || !span_starts_with_nocase(*text, FORWARD_HEADER) ||
	    text->at[text->length - 1] != ']')
		return false;
	*text = span_slice(*text, FORWARD_HEADER.length, text->length - FORWARD_HEADER.length - 1);
	return true;
}

bool
mime_subject_strip(struct span text, struct span *base_out)
{
	bool is_reply = false;

	for (;;) {
		is_reply |= strip_trailers(&text);
		is_reply |= strip_leaders(&text);
		if (!strip_forward(&text))
			break;
		is_reply = true;
	}
	*base_out = text;
	return is_reply;
}

/* Step 1, after decoding: what was in an encoded word may hold any octet. */
static void
join_spaces(struct buffer *text)
{
	size_t length = 0;

	for (size_t i = 0; i < text->length; i++) {
		uint8_t octet = text->at[i];

		if (octet == '\t' || octet == '\r' || octet == '\n')
			octet = ' ';
		if (octet != ' ' || length == 0 || text->at[length - 1] != ' ')
			text->at[length++] = octet;
	}
	text->length = length;
}

bool
mime_subject_base(struct span value, struct buffer *out)
{
	struct buffer text = { 0 };
	struct span base;
	bool is_reply;

	mime_header_decode(value, &text);
	join_spaces(&text);
	is_reply = mime_subject_strip(buffer_span(&text), &base);
	buffer_add_span(out, base);
	buffer_free(&text);
	return is_reply;
}
