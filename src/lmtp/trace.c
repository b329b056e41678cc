/*
 * Trace fields in front of a message, and what must not stand behind them.  Nothing of what a client said can
 * end a line: addresses and the name of LHLO hold no control character.  Pure; any thread.
 */
#include "lmtp/trace.h"

#include <time.h>

#include "imap/mailbox_name.h"
#include "mime/header.h"

static bool
is_domain_octet(uint8_t octet)
{
	return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') ||
	    (octet >= 'a' && octet <= 'z') || octet >= 0x80 || (octet != '\0' && strchr("-._:[]", octet) != NULL);
}

/* A name of LHLO that no grammar knows could mean something else in the field. */
static struct span
domain_or_unknown(struct span name)
{
	for (size_t i = 0; i < name.length; i++)
		if (!is_domain_octet(name.at[i]))
			return SPAN("unknown");
	return name.length > 0 && imap_utf8_is_valid(name) ? name : SPAN("unknown");
}

/* TCP-info of RFC 5321 section 4.4; a Unix socket has none. */
static void
write_client_address(const char *address, struct buffer *out)
{
	int length = (int)strcspn(address, "%");	/* the zone of a link-local address */

	if (strchr(address, ':') != NULL)
		buffer_printf(out, " ([IPv6:%.*s])", length, address);
	else if (strchr(address, '.') != NULL)
		buffer_printf(out, " ([%.*s])", length, address);
}

/* RFC 5322 section 3.3. */
static void
write_date(int64_t unix_s, struct buffer *out)
{
	time_t seconds = (time_t)unix_s;
	struct tm parts;
	char text[64];

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &parts);	/* the locale is C */
	buffer_add_string(out, text);
}

void
lmtp_trace_write(const struct lmtp_trace *trace, struct span recipient, struct buffer *out)
{
	buffer_add_string(out, "Return-Path: <");
	buffer_add_span(out, trace->sender);
	buffer_add_string(out, ">\r\nDelivered-To: ");
	buffer_add_span(out, recipient);
	buffer_add_string(out, "\r\nReceived: from ");
	buffer_add_span(out, domain_or_unknown(trace->client_name));
	write_client_address(trace->client_address, out);
	buffer_add_string(out, "\r\n\tby ");
	buffer_add_span(out, trace->hostname);
	buffer_printf(out, " with %s id %s\r\n\tfor <", trace->is_utf8 ? "UTF8LMTP" : "LMTP", trace->sid);
	buffer_add_span(out, recipient);
	buffer_add_string(out, ">;\r\n\t");
	write_date(trace->received_s, out);
	buffer_add_string(out, "\r\n");
}

static bool
is_return_path(const struct mime_field *field)
{
	return span_equals_nocase(field->name, SPAN("return-path"));
}

/* Whether no field will be left: then what stands there is text, which must not end up in our header. */
static bool
lacks_header(struct span header)
{
	struct mime_field field;
	size_t offset = 0;
	bool has_line = false;

	while (mime_field_next(header, &offset, &field)) {
		if (is_return_path(&field))
			continue;
		if (field.name.length > 0)
			return false;
		has_line = true;
	}
	return has_line || offset == header.length;	/* not even the empty line */
}

struct span
lmtp_trace_message(struct span message, struct buffer *copy)
{
	struct span header = span_slice(message, 0, mime_header_length(message));
	struct mime_field field;
	size_t offset = 0, taken = 0;

	if (lacks_header(header))
		buffer_add_string(copy, "\r\n");
	while (mime_field_next(header, &offset, &field)) {
		if (!is_return_path(&field))
			continue;
		buffer_add_span(copy, span_slice(message, taken, (size_t)(field.whole.at - message.at) - taken));
		taken = offset;
	}
	if (copy->length == 0)
		return span_from(message, taken);
	buffer_add_span(copy, span_from(message, taken));
	return buffer_span(copy);
}
