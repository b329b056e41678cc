/*
 * A line and its words: white space parts them, quotation marks keep them together, "#" ends the line.  Pure.
 */
#include "options.h"

#include <unistr.h>

#include "base/memory.h"

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* Read a word in quotes, whose first one is at *at; leaves *at behind the last.  False: there is none. */
static bool
take_quoted(struct span line, size_t *at, struct buffer *out)
{
	(*at)++;
	while (*at < line.length && line.at[*at] != '"') {
		if (line.at[*at] == '\\' && *at + 1 < line.length)
			(*at)++;
		buffer_add_octet(out, line.at[(*at)++]);
	}
	return (*at)++ < line.length;
}

static bool
take_word(struct word *word, struct span line, size_t *at)
{
	buffer_clear(&word->text);
	word->column = (unsigned)*at + 1;
	word->is_quoted = line.at[*at] == '"';
	if (word->is_quoted)
		return take_quoted(line, at, &word->text);
	while (*at < line.length && !is_blank(line.at[*at]))
		buffer_add_octet(&word->text, line.at[(*at)++]);
	return true;
}

bool
words_find_control(struct span line, unsigned *column_out, const char **reason_out)
{
	size_t at = 0;

	while (at < line.length && (line.at[at] >= ' ' || line.at[at] == '\t') && line.at[at] != 0x7f)
		at++;
	if (at == line.length)
		return false;
	*column_out = (unsigned)at + 1;
	*reason_out = line.at[at] == '\0' ? "the octet NUL cannot be in a configuration" :
		line.at[at] == '\r' ? "a carriage return alone ends no line; save the file with the line ends of Unix" :
		"a control character cannot be in a configuration";
	return true;
}

/* What editors and web pages put in the place of a space (Unicode 15.0 section 6.2); how long it is, 0: it is none. */
static size_t
blank_length(struct span text)
{
	static const struct span blanks[] = { SPAN("\xc2\xa0"), SPAN("\xe2\x80\x80"), SPAN("\xe2\x80\x81"), SPAN("\xe2\x80\x82"),
		SPAN("\xe2\x80\x83"), SPAN("\xe2\x80\x84"), SPAN("\xe2\x80\x85"), SPAN("\xe2\x80\x86"), SPAN("\xe2\x80\x87"),
		SPAN("\xe2\x80\x88"), SPAN("\xe2\x80\x89"), SPAN("\xe2\x80\x8a"), SPAN("\xe2\x80\x8b"), SPAN("\xe2\x80\xaf"),
		SPAN("\xe3\x80\x80"), SPAN("\xef\xbb\xbf") };

	for (size_t i = 0; i < COUNT_OF(blanks); i++)
		if (span_starts_with(text, blanks[i]))
			return blanks[i].length;
	return 0;
}

/* Within quotation marks, and in a comment, it may be what is meant. */
unsigned
words_find_blank(struct span line, size_t *length_out)
{
	bool is_quoted = false;

	for (size_t at = 0; at < line.length && (is_quoted || line.at[at] != '#'); at++) {
		if (line.at[at] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && line.at[at] == '\\')
			at++;
		else if (!is_quoted && (*length_out = blank_length(span_from(line, at))) > 0)
			return (unsigned)at + 1;
	}
	return 0;
}

bool
words_are_utf8(const struct words *words, unsigned *column_out)
{
	for (size_t i = 0; i < words->count; i++) {
		struct span text = buffer_span(&words->at[i].text);

		*column_out = words->at[i].column;
		if (text.length > 0 && u8_check(text.at, text.length) != NULL)
			return false;
	}
	return true;
}

static bool
is_over(struct span line, size_t *at)
{
	while (*at < line.length && is_blank(line.at[*at]))
		++*at;
	return *at == line.length || line.at[*at] == '#';
}

bool
words_split(struct words *words, struct span line, unsigned *column_out, const char **reason_out)
{
	size_t at = 0;

	for (words->count = 0; !is_over(line, &at); words->count++) {
		*column_out = (unsigned)at + 1;
		*reason_out = words->count == WORDS_MAX - 1 ? "too many words" : "the quotation mark is not closed";
		if (words->count == WORDS_MAX - 1 || !take_word(&words->at[words->count], line, &at))
			return false;
	}
	return true;
}

void
words_remove(struct words *words, size_t index)
{
	struct word gone = words->at[index];

	words->count--;
	for (size_t i = index; i < words->count; i++)
		words->at[i] = words->at[i + 1];
	words->at[words->count] = gone;		/* its memory is used again */
}

void
words_insert(struct words *words, size_t index, struct span text, unsigned column)
{
	struct word fresh = words->at[words->count];

	for (size_t i = words->count++; i > index; i--)
		words->at[i] = words->at[i - 1];
	buffer_clear(&fresh.text);
	buffer_add_span(&fresh.text, text);
	fresh.column = column;
	fresh.is_quoted = false;
	words->at[index] = fresh;
}

void
words_free(struct words *words)
{
	for (size_t i = 0; i < WORDS_MAX; i++)
		buffer_free(&words->at[i].text);
}
