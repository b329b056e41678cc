/*
 * Header text beyond ASCII: RFC 2047, RFC 2231.  Programs break the rules on where a word may stand and how
 * long it is, and cut characters between two words, so none of that is asked for.  Any thread.
 */
#include "mime/encoded_word.h"

#include "base/base64.h"
#include "mime/charset.h"
#include "mime/decode.h"
#include "mime/header.h"
#include "utf8.h"
#include "word.h"

/* What decodes one value. */
struct writer {
	struct buffer *out, octets;
	struct mime_converter *plain, *words;	/* of what stands between words, and in them */
	struct span words_charset;
};

static bool
is_charset_octet(uint8_t octet)
{
	return octet > ' ' && octet < 0x7F && octet != '?' && octet != '=' && octet != '"';
}

bool
word_read(struct span line, size_t offset, struct word *word_out)
{
	struct span rest = span_from(line, offset + 2);
	size_t length = 0;
	uint8_t encoding;

	while (length < rest.length && is_charset_octet(rest.at[length]))
		length++;
	if (length == 0 || rest.length - length < 5 || rest.at[length] != '?' || rest.at[length + 2] != '?')
		return false;
	word_out->charset = span_slice(rest, 0, length);
	encoding = ascii_lower(rest.at[length + 1]);
	if (encoding != 'b' && encoding != 'q')
		return false;
	word_out->is_base64 = encoding == 'b';
	rest = span_from(rest, length + 3);
	length = span_find(rest, '?');
	if (length + 1 >= rest.length || rest.at[length + 1] != '=')
		return false;
	word_out->text = span_slice(rest, 0, length);
	word_out->end = rest.at + length + 2 - line.at;
	return true;
}

/* Append what an escape character and two hexadecimal digits stand for, and other octets as they are. */
static void
decode_escapes(struct span text, uint8_t escape, bool with_underscores, struct buffer *out)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == escape && i + 2 < text.length && hex_decode(span_slice(text, i + 1, 2), out))
			i += 2;
		else if (text.at[i] == '_' && with_underscores)
			buffer_add_octet(out, ' ');
		else
			buffer_add_octet(out, text.at[i]);
	}
}

/* End the text of the words before, so that a character cut there is not joined to what follows. */
static void
end_words(struct writer *writer)
{
	if (writer->words != NULL)
		mime_convert(writer->words, SPAN(""), true, writer->out);
}

static void
write_plain(struct writer *writer, struct span text)
{
	end_words(writer);
	mime_convert(writer->plain, text, true, writer->out);
}

static void
write_word(struct writer *writer, const struct word *word)
{
	if (writer->words == NULL || !span_equals_nocase(writer->words_charset, word->charset)) {
		end_words(writer);
		mime_converter_free(&writer->words);
		writer->words = mime_converter_new(word->charset);
		writer->words_charset = word->charset;
	}
	buffer_clear(&writer->octets);
	if (word->is_base64)
		mime_decode_all(MIME_BASE64, word->text, &writer->octets);
	else
		decode_escapes(word->text, '=', true, &writer->octets);
	mime_convert(writer->words, buffer_span(&writer->octets), false, writer->out);
}

static size_t
find_word(struct span line, size_t offset)
{
	struct span rest = span_from(line, offset);
	const uint8_t *found = rest.length == 0 ? NULL : memmem(rest.at, rest.length, "=?", 2);

	return found == NULL ? line.length : (size_t)(found - line.at);
}

static void
write_line(struct writer *writer, struct span line)
{
	size_t done = 0, at = 0;
	bool is_after_word = false;
	struct word word;
	struct span between;

	while ((at = find_word(line, at)) < line.length) {
		if (!word_read(line, at, &word)) {
			at += 2;
			continue;
		}
		between = span_slice(line, done, at - done);
		if (!is_after_word || span_trim(between).length > 0)	/* RFC 2047 section 6.2 */
			write_plain(writer, between);
		write_word(writer, &word);
		is_after_word = true;
		done = at = word.end;
	}
	write_plain(writer, span_from(line, done));
}

/* Many programs fold at a tab where the writer had typed a space. */
static void
spaces_from_tabs(struct buffer *line)
{
	for (size_t i = 0; i < line->length; i++) {
		if (line->at[i] == '\t')
			line->at[i] = ' ';
	}
}

static void
decode_line(struct span line, struct buffer *out)
{
	struct writer writer = { .out = out, .plain = mime_converter_new(SPAN("")) };

	write_line(&writer, line);
	mime_converter_free(&writer.plain);
	mime_converter_free(&writer.words);
	buffer_free(&writer.octets);
}

void
mime_header_decode(struct span value, struct buffer *out)
{
	struct buffer unfolded = { 0 };
	struct span line;

	mime_unfold(value, &unfolded);
	spaces_from_tabs(&unfolded);
	line = buffer_span(&unfolded);
	/* Most lines say what they say: no converter is made for them. */
	if (utf8_ascii_length(line) == line.length && find_word(line, 0) == line.length)
		buffer_add_span(out, line);
	else
		decode_line(line, out);
	buffer_free(&unfolded);
}

static const struct mime_parameter *
find_parameter(struct mime_parameters parameters, struct span name)
{
	for (size_t i = 0; i < parameters.count; i++)
		if (span_equals_nocase(parameters.at[i].name, name))
			return &parameters.at[i];
	return NULL;
}

/* Find name*: the extended form. */
static const struct mime_parameter *
find_extended(struct mime_parameters parameters, struct span name)
{
	const struct mime_parameter *found;
	struct buffer key = { 0 };

	buffer_add_span(&key, name);
	buffer_add_octet(&key, '*');
	found = find_parameter(parameters, buffer_span(&key));
	buffer_free(&key);
	return found;
}

/* Take charset'language' off the front of a value; without two apostrophes there is nothing to take. */
static struct span
take_charset(struct span *value)
{
	size_t first = span_find(*value, '\'');
	struct span rest = span_from(*value, first + 1), charset = span_slice(*value, 0, first);
	size_t second = span_find(rest, '\'');

	if (first == value->length || second == rest.length)
		return SPAN("");
	*value = span_from(rest, second + 1);
	return charset;
}

static void
convert_all(struct span charset, struct span octets, struct buffer *out)
{
	struct mime_converter *converter = mime_converter_new(charset);

	mime_convert(converter, octets, true, out);
	mime_converter_free(&converter);
}

bool
mime_parameter_decode(struct mime_parameters parameters, struct span name, struct buffer *out)
{
	const struct mime_parameter *found;
	struct span charset, value;
	struct buffer octets = { 0 };
	bool is_found = true;

	if ((found = find_extended(parameters, name)) != NULL) {
		value = found->value;
		charset = take_charset(&value);
		decode_escapes(value, '%', false, &octets);
		convert_all(charset, buffer_span(&octets), out);
	} else if ((found = find_parameter(parameters, name)) != NULL) {
		mime_header_decode(found->value, out);	/* not allowed, and common */
	} else {
		is_found = false;
	}
	buffer_free(&octets);
	return is_found;
}
