/*
 * Names of entries and attributes, as they are written in LDAP.  Pure.
 */
#include "options.h"

/* RFC 4512 section 1.4, and "_", which some servers allow. */
bool
ldap_is_attribute(struct span text)
{
	static const struct span letters = SPAN("abcdefghijklmnopqrstuvwxyz0123456789-_;"), digits = SPAN("0123456789.");
	bool is_number = text.length > 0 && ascii_is_digit(text.at[0]);
	struct span allowed = is_number ? digits : letters;

	for (size_t i = 0; i < text.length; i++)
		if (span_find(allowed, ascii_lower(text.at[i])) == allowed.length)
			return false;
	return text.length > 0;
}

/* The length of an attribute and its value: up to a comma or plus sign that is neither escaped nor quoted. */
static size_t
pair_length(struct span text)
{
	bool is_quoted = false;
	size_t at = 0;

	for (; at < text.length && (is_quoted || (text.at[at] != ',' && text.at[at] != '+')); at++) {
		if (text.at[at] == '\\')
			at++;
		else if (text.at[at] == '"')
			is_quoted = !is_quoted;
	}
	return at < text.length ? at : text.length;
}

/* RFC 4514 section 3, and the spaces of RFC 2253 section 4. */
bool
ldap_is_dn(struct span text)
{
	for (;;) {
		struct span pair = span_slice(text, 0, pair_length(text));
		size_t equals = span_find(pair, '=');

		if (equals == pair.length || !ldap_is_attribute(span_trim(span_slice(pair, 0, equals))))
			return false;
		if (pair.length == text.length)
			return true;
		text = span_from(text, pair.length + 1);
	}
}
