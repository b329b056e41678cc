/*
 * Reading records, and writing them as JSON.  Pure.
 */
#include "control/record.h"

#include "base/json.h"
#include "base/memory.h"
#include "control/words.h"

/* One of JSON (RFC 8259 section 6) without an exponent, "12" or "-1.50": a record of a file may say anything. */
static bool
is_number(struct span text)
{
	size_t point = span_find(text, '.');
	struct span whole = span_slice(text, 0, point), fraction = span_from(text, point + 1);
	uint64_t number;

	if (whole.length > 0 && whole.at[0] == '-')
		whole = span_from(whole, 1);
	return span_to_number(whole, INT64_MAX, &number) && (whole.length == 1 || whole.at[0] != '0') &&
	    (point == text.length || span_to_number(fraction, UINT64_MAX, &number));
}

/* key=value, or key:=number */
static struct record_member
parse_field(struct span word)
{
	size_t equals = span_find(word, '=');
	bool has_colon = equals > 0 && equals < word.length && word.at[equals - 1] == ':';
	struct span value = span_from(word, equals + 1);

	return (struct record_member){
		.key = span_slice(word, 0, has_colon ? equals - 1 : equals),
		.value = value,
		.is_number = has_colon && is_number(value),
	};
}

bool
record_parse(struct span line, struct arena *arena, struct record *record_out)
{
	struct span words[RECORD_FIELDS_MAX + 1];
	size_t count;

	if (!control_split_words(line, arena, words, COUNT_OF(words), &count) || count == 0)
		return false;
	record_out->kind = words[0];
	record_out->count = count - 1;
	record_out->fields = arena_alloc_array(arena, count, sizeof *record_out->fields);
	for (size_t i = 1; i < count; i++)
		record_out->fields[i - 1] = parse_field(words[i]);
	return true;
}

void
record_add_json(const struct record *record, struct buffer *out)
{
	buffer_add_octet(out, '{');
	for (size_t i = 0; i < record->count; i++) {
		const struct record_member *field = &record->fields[i];

		if (i > 0)
			buffer_add_octet(out, ',');
		json_add_string(out, field->key);
		buffer_add_octet(out, ':');
		if (field->is_number)
			buffer_add_span(out, field->value);
		else
			json_add_string(out, field->value);
	}
	buffer_add_octet(out, '}');
}
