/*
 * A stripper of HTML.  Where mail is malformed it shows too much rather than nothing.  Any thread.
 */
#include "preview_html.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/span.h"

static const struct {
	const char *name;
	uint32_t c;
} references[] = {
	{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' },
	{ "auml", 0xe4 }, { "ouml", 0xf6 }, { "uuml", 0xfc }, { "szlig", 0xdf }, { "eacute", 0xe9 }, { "egrave", 0xe8 },
	{ "agrave", 0xe0 }, { "ccedil", 0xe7 }, { "ntilde", 0xf1 }, { "aacute", 0xe1 }, { "iacute", 0xed },
	{ "oacute", 0xf3 }, { "uacute", 0xfa }, { "copy", 0xa9 }, { "reg", 0xae }, { "trade", 0x2122 },
	{ "euro", 0x20ac }, { "pound", 0xa3 }, { "hellip", 0x2026 }, { "ndash", 0x2013 }, { "mdash", 0x2014 },
	{ "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "sbquo", 0x201a }, { "ldquo", 0x201c }, { "rdquo", 0x201d },
	{ "bdquo", 0x201e }, { "laquo", 0xab }, { "raquo", 0xbb }, { "bull", 0x2022 }, { "middot", 0xb7 },
	{ "zwnj", 0x200c }, { "zwj", 0x200d }, { "shy", 0xad },
};

/* Elements whose text is not shown. */
static const char *const hidden[] = { "style", "script", "title", "head", "template", "noscript" };

/* Elements that a word goes on through; all others divide. */
static const char *const in_line[] = { "a", "abbr", "b", "big", "em", "font", "i", "s", "small", "span", "strong", "sub",
	"sup", "u", "wbr" };

static bool
is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void
begin_name(struct preview_html *html)
{
	html->name_length = 0;
	html->name[0] = '\0';
}

static void
add_name(struct preview_html *html, uint32_t c)
{
	if (html->name_length == PREVIEW_NAME_MAX)
		return;
	html->name[html->name_length++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	html->name[html->name_length] = '\0';
}

static void
show(struct preview_html *html, uint32_t c)
{
	if (html->hidden[0] == '\0')
		html->on_character(c, html->context);
}

static void
end_tag(struct preview_html *html)
{
	bool is_closing = html->name[0] == '/';
	const char *element = html->name + is_closing;

	html->state = HTML_TEXT;
	if (html->hidden[0] != '\0') {
		if (is_closing && strcmp(element, html->hidden) == 0)
			html->hidden[0] = '\0';
		return;
	}
	if (!is_closing && is_one_of(element, hidden, COUNT_OF(hidden)))
		memcpy(html->hidden, element, strlen(element) + 1);
	else if (!is_one_of(element, in_line, COUNT_OF(in_line)))
		show(html, ' ');
}

static bool
is_name_octet(uint32_t c)
{
	return c < 128 && (ascii_is_digit((uint8_t)c) || (ascii_lower((uint8_t)c) >= 'a' && ascii_lower((uint8_t)c) <= 'z') ||
	    c == '/' || c == '!' || c == '-' || c == ':');
}

static void
add_tag_name(struct preview_html *html, uint32_t c)
{
	if (html->name_length == 0 && !is_name_octet(c) && c != '?') {	/* "a < b" */
		html->state = HTML_TEXT;
		show(html, '<');
		preview_html_add(html, c);
	} else if (c == '>') {
		end_tag(html);
	} else if (is_name_octet(c) && !(c == '/' && html->name_length > 0)) {
		add_name(html, c);
		if (strcmp(html->name, "!--") == 0) {
			html->state = HTML_COMMENT;
			html->dashes = 2;	/* "<!-->" is a whole one */
		}
	} else {
		html->state = HTML_TAG;
	}
}

static void
add_tag(struct preview_html *html, uint32_t c)
{
	if (c == '>') {
		end_tag(html);
	} else if (c == '"' || c == '\'') {
		html->quote = c;
		html->state = HTML_QUOTED;
	}
}

static void
add_comment(struct preview_html *html, uint32_t c)
{
	if (c == '>' && html->dashes >= 2)
		html->state = HTML_TEXT;
	html->dashes = c == '-' ? html->dashes + 1 : 0;
}

/* "#8364", "#x20ac" or a name; 0: none. */
static uint32_t
resolve(const char *name)
{
	unsigned long c;

	if (name[0] == '#') {
		c = name[1] == 'x' ? strtoul(name + 2, NULL, 16) : strtoul(name + 1, NULL, 10);
		return c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : (uint32_t)c;
	}
	for (size_t i = 0; i < COUNT_OF(references); i++)
		if (strcmp(name, references[i].name) == 0)
			return references[i].c;
	return 0;
}

static bool
is_reference_octet(uint32_t c)
{
	return c == '#' || (c != '/' && c != '!' && c != '-' && c != ':' && is_name_octet(c));
}

/* It ends with ";", which many forget; what is none is shown as it is written. */
static void
end_reference(struct preview_html *html, uint32_t c)
{
	uint32_t resolved = resolve(html->name);

	html->state = HTML_TEXT;
	if (resolved != 0) {
		show(html, resolved);
	} else {
		show(html, '&');
		for (const char *at = html->name; *at != '\0'; at++)
			show(html, (uint8_t)*at);
	}
	if (c != ';' || resolved == 0)
		preview_html_add(html, c);
}

static void
add_text(struct preview_html *html, uint32_t c)
{
	if (c != '<' && c != '&') {
		show(html, c);
		return;
	}
	begin_name(html);
	html->state = c == '<' ? HTML_TAG_NAME : HTML_REFERENCE;
}

void
preview_html_add(struct preview_html *html, uint32_t c)
{
	switch (html->state) {
	case HTML_TEXT:
		add_text(html, c);
		break;
	case HTML_TAG_NAME:
		add_tag_name(html, c);
		break;
	case HTML_TAG:
		add_tag(html, c);
		break;
	case HTML_QUOTED:
		if (c == html->quote)
			html->state = HTML_TAG;
		break;
	case HTML_COMMENT:
		add_comment(html, c);
		break;
	case HTML_REFERENCE:
		if (is_reference_octet(c) && html->name_length < PREVIEW_NAME_MAX)
			add_name(html, c);
		else
			end_reference(html, c);
		break;
	}
}
