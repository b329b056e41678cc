/*
 * One scan over a header block, line by line; field names compare without regard to ASCII case and
 * otherwise exactly (RFC 9051 section 6.4.5.1).  Any thread, one at a time.
 */
#include "fields.h"

#include "base/map.h"

#define NAME_MAX_OCTETS 1000	/* RFC 5322 section 2.1.1: no line is longer, so no name */

static struct span
lower(struct span name, uint8_t *out)
{
	for (size_t i = 0; i < name.length; i++)
		out[i] = ascii_lower(name.at[i]);
	return span_of(out, name.length);
}

static uint64_t
beginning(struct span name)
{
	return name.length == 0 ? 1 : UINT64_C(1) << ((ascii_lower(name.at[0]) + 7 * name.length) % 64);
}

void
fetch_fields_init(struct fetch_fields *fields, const struct span *names, size_t count)
{
	uint8_t name[NAME_MAX_OCTETS];

	fields->names = map_new();
	fields->beginnings = 0;
	fields->longest = 0;
	for (size_t i = 0; i < count; i++) {
		if (names[i].length > sizeof name)
			continue;
		map_put(fields->names, lower(names[i], name), fields);
		fields->beginnings |= beginning(names[i]);
		if (names[i].length > fields->longest)
			fields->longest = names[i].length;
	}
}

void
fetch_fields_fini(struct fetch_fields *fields)
{
	map_free(&fields->names);
}

/* Whether a line that begins a field begins one of those. */
static bool
is_named(const struct fetch_fields *fields, struct span line)
{
	uint8_t name[NAME_MAX_OCTETS];
	size_t colon = span_find(span_slice(line, 0, NAME_MAX_OCTETS), ':');
	size_t length = colon;

	if (colon == line.length || line.at[colon] != ':')
		return false;
	/* RFC 5322 section 4.5: old messages have white space in front of the colon. */
	while (length > 0 && (line.at[length - 1] == ' ' || line.at[length - 1] == '\t'))
		length--;
	line = span_slice(line, 0, length);
	return length <= fields->longest && (fields->beginnings & beginning(line)) != 0 &&
	    map_get(fields->names, lower(line, name)) != NULL;
}

static bool
is_empty_line(struct span line)
{
	return span_equals(line, SPAN("\r\n")) || span_equals(line, SPAN("\n"));
}

void
fetch_fields_cut(const struct fetch_fields *fields, struct span header, bool is_not, struct buffer *out)
{
	bool is_wanted = false;
	struct span line;

	while (header.length > 0) {
		line = span_slice(header, 0, span_find(header, '\n') + 1);
		header = span_from(header, line.length);
		if (is_empty_line(line))
			is_wanted = true;
		else if (line.at[0] != ' ' && line.at[0] != '\t')
			is_wanted = is_named(fields, line) != is_not;
		if (is_wanted)
			buffer_add_span(out, line);
	}
}
