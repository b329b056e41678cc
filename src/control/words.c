/*
 * Splitting and joining the words of a control line.
 */
#include "control/words.h"

static bool
needs_quotes(struct span word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == ' ' || word.at[i] == '"' || word.at[i] == '\\' ||
		    word.at[i] == '{')
			return true;
	}
	return word.length == 0;
}

static void
add_quoted(struct buffer *line, struct span word)
{
	buffer_add_octet(line, '"');
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '"' || word.at[i] == '\\')
			buffer_add_octet(line, '\\');
		/* A control character would end the line or the terminal's manners. */
		buffer_add_octet(line, word.at[i] < ' ' || word.at[i] == 0x7f ? ' ' : word.at[i]);
	}
	buffer_add_octet(line, '"');
}

static bool
has_control(struct span word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] < ' ' || word.at[i] == 0x7f)
			return true;
	}
	return false;
}

static void
add_value(struct buffer *line, struct span word)
{
	if (needs_quotes(word) || has_control(word))
		add_quoted(line, word);
	else
		buffer_add_span(line, word);
}

void
control_add_word(struct buffer *line, struct span word)
{
	if (line->length > 0)
		buffer_add_octet(line, ' ');
	add_value(line, word);
}

void
control_add_field(struct buffer *line, const char *key, struct span value)
{
	if (line->length > 0)
		buffer_add_octet(line, ' ');
	buffer_add_string(line, key);
	buffer_add_octet(line, '=');
	add_value(line, value);
}

void
control_add_number(struct buffer *line, const char *key, int64_t value)
{
	if (line->length > 0)
		buffer_add_octet(line, ' ');
	buffer_printf(line, "%s:=%lld", key, (long long)value);
}

/* Copy one word to out without its quotes and return what follows it; at is NULL for a bad word. */
static struct span
take_word(struct span line, uint8_t *out, size_t *length_out)
{
	bool is_quoted = false;
	size_t length = 0, i;

	for (i = 0; i < line.length && (is_quoted || line.at[i] != ' '); i++) {
		uint8_t octet = line.at[i];

		if (octet == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (octet == '\\' && is_quoted && i + 1 < line.length)
			octet = line.at[++i];
		out[length++] = octet;
	}
	*length_out = length;
	return is_quoted ? (struct span){ NULL, 0 } : span_from(line, i);
}

bool
control_split_words(struct span line, struct arena *arena, struct span *words_out, size_t limit,
    size_t *count_out)
{
	uint8_t *out = arena_alloc(arena, line.length + 1);
	size_t count = 0, length;

	if (has_control(line))
		return false;
	for (line = span_trim(line); line.length > 0; line = span_trim(line)) {
		if (count == limit)
			return false;
		line = take_word(line, out, &length);
		if (line.at == NULL)
			return false;
		words_out[count++] = span_of(out, length);
		out += length;
	}
	*count_out = count;
	return true;
}
