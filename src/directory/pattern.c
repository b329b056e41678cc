/*
 * Filters and distinguished names made from the operator's pattern and a client's user name.  Whatever
 * the name holds, it is escaped, always.  Pure, but for names that are drawn.
 */
#include "pattern.h"

#include "base/random.h"

/*
 * What stays as it is.  Both grammars take a backslash and two hexadecimal digits for any octet (RFC
 * 4515 section 3, RFC 4514 section 2.4), so one list of harmless octets does for both.
 */
static bool
is_harmless(uint8_t octet)
{
	return ascii_is_digit(octet) || (ascii_lower(octet) >= 'a' && ascii_lower(octet) <= 'z') ||
	    octet == '.' || octet == '-' || octet == '_' || octet == '@';
}

void
pattern_escape(struct span value, struct buffer *out)
{
	for (size_t i = 0; i < value.length; i++) {
		if (is_harmless(value.at[i]))
			buffer_add_octet(out, value.at[i]);
		else
			buffer_printf(out, "\\%02x", (unsigned)value.at[i]);
	}
}

/* Offset of the last @, or the length. */
struct span
pattern_draw_name(char text[DIRECTORY_ID_LENGTH + 1])
{
	random_hex(text, DIRECTORY_ID_LENGTH);
	return span_of(text, DIRECTORY_ID_LENGTH);
}

static size_t
find_domain(struct span name)
{
	size_t at = name.length;

	while (at > 0 && name.at[at - 1] != '@')
		at--;
	return at == 0 ? name.length : at - 1;
}

void
pattern_expand_entry(const char *pattern, struct span name, struct span dn, struct buffer *out)
{
	size_t domain = find_domain(name);

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%' || pattern[1] == '\0') {
			buffer_add_octet(out, (uint8_t)*pattern);
			continue;
		}
		switch (*++pattern) {
		case 'u':
			pattern_escape(name, out);
			break;
		case 'n':
			pattern_escape(span_slice(name, 0, domain), out);
			break;
		case 'd':
			pattern_escape(span_from(name, domain + 1), out);
			break;
		case 'D':
			pattern_escape(dn, out);
			break;
		default:
			buffer_add_octet(out, (uint8_t)*pattern);
			break;
		}
	}
}

void
pattern_expand(const char *pattern, struct span name, struct buffer *out)
{
	pattern_expand_entry(pattern, name, SPAN(""), out);
}
