/*
 * Autodiscover as Outlook asks for it, "POX": MS-OXDSCLI.  The request is looked through for two elements, and not parsed:
 * what else is in it means nothing to us.
 */
#include <stdlib.h>

#include "autoconfig/autoconfig.h"
#include "base/memory.h"
#include "xml.h"

#define HEAD	 "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define ANSWER	 "Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\""
#define SETTINGS "Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\""

static bool
has(struct span text, const char *words)
{
	return text.length > 0 && memmem(text.at, text.length, words, strlen(words)) != NULL;
}

/*
 * The text of the first element of a name, whatever prefix it has: what stands between its tags.  False: there is none, or
 * it has elements in it.
 */
static bool
find_element(struct span text, struct span name, struct span *inner_out)
{
	while (text.length > 0) {
		struct span tag;
		size_t end, close;

		text = span_from(text, span_find(text, '<') + 1);
		end = span_find(text, '>');
		tag = span_slice(text, 0, end);
		tag = span_slice(tag, 0, span_find(tag, ' '));
		if (span_find(tag, ':') < tag.length)
			tag = span_from(tag, span_find(tag, ':') + 1);
		if (end == text.length || !span_equals(span_trim(tag), name))
			continue;
		text = span_from(text, end + 1);
		close = span_find(text, '<');
		*inner_out = span_slice(text, 0, close);
		return close + 1 < text.length && text.at[close + 1] == '/';
	}
	return false;
}

/* One of the five references of XML (XML 1.0 section 4.6), behind the ampersand; 0: another one. */
static uint8_t
read_reference(struct span text, size_t *length_out)
{
	static const struct {
		struct span words;
		char octet;
	} references[] = { { SPAN("amp;"), '&' }, { SPAN("lt;"), '<' }, { SPAN("gt;"), '>' }, { SPAN("quot;"), '"' },
		{ SPAN("apos;"), '\'' } };

	for (size_t i = 0; i < COUNT_OF(references); i++) {
		*length_out = references[i].words.length;
		if (span_starts_with(text, references[i].words))
			return (uint8_t)references[i].octet;
	}
	return 0;
}

static bool
decode(struct span text, struct buffer *out)
{
	for (size_t i = 0; i < text.length; i++) {
		size_t length = 0;
		uint8_t octet = text.at[i] != '&' ? text.at[i] : read_reference(span_from(text, i + 1), &length);

		if (octet == 0)
			return false;
		buffer_add_octet(out, octet);
		i += length;
	}
	return true;
}

bool
autoconfig_read_outlook(struct span body, struct buffer *address_out, bool *is_mobile_out)
{
	struct span address, schema;

	if (has(body, "<!") || !find_element(body, SPAN("EMailAddress"), &address))
		return false;
	*is_mobile_out = find_element(body, SPAN("AcceptableResponseSchema"), &schema) && has(schema, "/mobilesync/");
	while (address.length > 0 && address.at[0] <= ' ')
		address = span_from(address, 1);
	while (address.length > 0 && address.at[address.length - 1] <= ' ')
		address.length--;
	return decode(address, address_out);
}

static void
add_protocol(struct buffer *out, const char *type, struct span host, unsigned port, bool is_starttls, struct span login)
{
	xml_add_tag(out, 3, "Protocol");
	xml_add_element(out, 4, "Type", span_from_string(type));
	xml_add_element(out, 4, "Server", host);
	xml_add_number(out, 4, "Port", port);
	xml_add_element(out, 4, "DomainRequired", SPAN("off"));
	if (login.length > 0)
		xml_add_element(out, 4, "LoginName", login);
	xml_add_element(out, 4, "SPA", SPAN("off"));
	xml_add_element(out, 4, "SSL", SPAN("on"));
	if (is_starttls)
		xml_add_element(out, 4, "Encryption", SPAN("TLS"));
	xml_add_element(out, 4, "AuthRequired", SPAN("on"));
	xml_add_tag(out, 3, "/Protocol");
}

void
autoconfig_write_outlook(const struct autoconfig *autoconfig, struct span login, struct buffer *out)
{
	bool has_imaps = autoconfig->imaps_port != 0;

	buffer_add_string(out, HEAD);
	xml_add_tag(out, 0, ANSWER);
	xml_add_tag(out, 1, SETTINGS);
	xml_add_tag(out, 2, "Account");
	xml_add_element(out, 3, "AccountType", SPAN("email"));
	xml_add_element(out, 3, "Action", SPAN("settings"));
	add_protocol(out, "IMAP", autoconfig->host, has_imaps ? autoconfig->imaps_port : autoconfig->imap_port, !has_imaps,
	    login);
	add_protocol(out, "SMTP", autoconfig->smtp_host, autoconfig->smtp_port, autoconfig->is_smtp_starttls, login);
	xml_add_tag(out, 2, "/Account");
	xml_add_tag(out, 1, "/Response");
	xml_add_tag(out, 0, "/Autodiscover");
}

void
autoconfig_write_outlook_error(unsigned code, const char *message, struct buffer *out)
{
	buffer_add_string(out, HEAD);
	xml_add_tag(out, 0, ANSWER);
	xml_add_tag(out, 1, "Response");
	xml_add_tag(out, 2, "Error Time=\"00:00:00.0000000\" Id=\"0\"");
	xml_add_number(out, 3, "ErrorCode", code);
	xml_add_element(out, 3, "Message", span_from_string(message));
	xml_add_element(out, 3, "DebugData", SPAN(""));
	xml_add_tag(out, 2, "/Error");
	xml_add_tag(out, 1, "/Response");
	xml_add_tag(out, 0, "/Autodiscover");
}
