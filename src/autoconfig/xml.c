#include "xml.h"

void
xml_add_text(struct buffer *out, struct span text)
{
	static const char *const references[] = { ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;",
		['\''] = "&apos;" };

	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = text.at[i];

		if (octet <= '>' && references[octet] != NULL)
			buffer_add_string(out, references[octet]);
		else
			buffer_add_octet(out, octet);
	}
}

static void
indent(struct buffer *out, unsigned depth)
{
	while (depth-- > 0)
		buffer_add_string(out, "  ");
}

void
xml_add_element(struct buffer *out, unsigned depth, const char *name, struct span text)
{
	indent(out, depth);
	buffer_printf(out, "<%s>", name);
	xml_add_text(out, text);
	buffer_printf(out, "</%s>\n", name);
}

void
xml_add_number(struct buffer *out, unsigned depth, const char *name, unsigned number)
{
	indent(out, depth);
	buffer_printf(out, "<%s>%u</%s>\n", name, number, name);
}

void
xml_add_tag(struct buffer *out, unsigned depth, const char *words)
{
	indent(out, depth);
	buffer_printf(out, "<%s>\n", words);
}
