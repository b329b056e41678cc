/*
 * The sections of a parameter are found by their numbers, in whatever order they stand (RFC 2231 section
 * 3).  In a list of MIME_PARAMETERS_MAX, looking through all for each is cheap.  Any thread.
 */
#include "continuation.h"

#include "base/buffer.h"

#define SECTIONS_MAX MIME_PARAMETERS_MAX

/* What a parameter's name says; a name without a number is no section. */
struct section {
	struct span name;
	unsigned number;
	bool is_section, is_extended, is_joined;
};

/* The digits at the end and the star before them; too large a number fits no list. */
static void
read_section(struct span name, struct section *section_out)
{
	struct section section = { .name = name };
	size_t digits;

	if (name.length > 0 && name.at[name.length - 1] == '*') {
		section.is_extended = true;
		name.length--;
	}
	for (digits = 0; digits < name.length; digits++) {
		uint8_t octet = name.at[name.length - 1 - digits];

		if (octet < '0' || octet > '9')
			break;
	}
	if (digits > 0 && digits <= 3 && digits + 1 < name.length && name.at[name.length - 1 - digits] == '*') {
		section.is_section = true;
		section.name = span_slice(name, 0, name.length - 1 - digits);
		for (size_t i = name.length - digits; i < name.length; i++)
			section.number = section.number * 10 + (unsigned)(name.at[i] - '0');
	}
	*section_out = section;
}

/* The index of a section, or count. */
static size_t
find_section(const struct section *sections, size_t count, struct span name, unsigned number)
{
	for (size_t i = 0; i < count; i++) {
		if (sections[i].is_section && !sections[i].is_joined && sections[i].number == number &&
		    span_equals_nocase(sections[i].name, name))
			return i;
	}
	return count;
}

/* What may stand in an extended value: attribute-char of RFC 2231 section 7. */
static bool
is_attribute_char(uint8_t octet)
{
	return octet > ' ' && octet < 0x7f && memchr("*'%()<>@,;:\\\"/[]?=", octet, 18) == NULL;
}

static void
add_escaped(struct buffer *out, struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		if (is_attribute_char(value.at[i]))
			buffer_add_octet(out, value.at[i]);
		else
			buffer_printf(out, "%%%02X", value.at[i]);
	}
}

/* Whether any section of the name is extended: then the whole must be, and plain sections be escaped. */
static bool
is_any_extended(const struct section *sections, size_t count, struct span name)
{
	for (unsigned number = 0;; number++) {
		size_t i = find_section(sections, count, name, number);

		if (i == count)
			return false;
		if (sections[i].is_extended)
			return true;
	}
}

static struct mime_parameter
join(const struct mime_parameter *parameters, struct section *sections, size_t count, struct span name,
    struct arena *arena)
{
	bool is_extended = is_any_extended(sections, count, name);
	struct buffer value = { 0 }, whole = { 0 };
	struct mime_parameter joined;

	for (unsigned number = 0;; number++) {
		size_t i = find_section(sections, count, name, number);

		if (i == count)
			break;
		if (number == 0 && is_extended && !sections[i].is_extended)
			buffer_add_string(&value, "''");	/* no charset is said, and no language */
		if (is_extended && !sections[i].is_extended)
			add_escaped(&value, parameters[i].value);
		else
			buffer_add_span(&value, parameters[i].value);
		sections[i].is_joined = true;
	}
	buffer_add_span(&whole, name);
	if (is_extended)
		buffer_add_octet(&whole, '*');
	joined.name = arena_copy(arena, buffer_span(&whole));
	joined.value = arena_copy(arena, buffer_span(&value));
	buffer_free(&value);
	buffer_free(&whole);
	return joined;
}

size_t
continuation_join(struct mime_parameter *parameters, size_t count, struct arena *arena)
{
	struct section sections[SECTIONS_MAX];
	struct mime_parameter out[SECTIONS_MAX];
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		read_section(parameters[i].name, &sections[i]);
	for (size_t i = 0; i < count; i++) {
		if (sections[i].is_joined)
			continue;
		if (sections[i].is_section && find_section(sections, count, sections[i].name, 0) < count)
			out[left++] = join(parameters, sections, count, sections[i].name, arena);
		else
			out[left++] = parameters[i];
	}
	if (left > 0)
		memcpy(parameters, out, left * sizeof *out);
	return left;
}
