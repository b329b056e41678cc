/*
 * What the sources share about one message: line ends, whole files, dates, keywords.
 */
#include <errno.h>

#include "base/memory.h"
#include "expand.h"
#include "imap/flags.h"
#include "mime/date.h"
#include "mime/header.h"
#include "source.h"

void
message_clear(struct message *message)
{
	buffer_clear(&message->octets);
	buffer_clear(&message->origin);
	buffer_clear(&message->mailbox);
	buffer_clear(&message->copies);
	buffer_clear(&message->keywords);
	buffer_clear(&message->reason);
	message->flags = 0;
	message->is_too_large = false;
	message->has_date = false;
	message->date_s = 0;
	message->uid = 0;
	message->uidvalidity = 0;
	message->is_exact = false;
	message->is_unsubscribed = message->is_no_mailbox = false;
	buffer_clear(&message->use);
	message->number = 0;
}

void
message_free(struct message *message)
{
	buffer_free(&message->octets);
	buffer_free(&message->origin);
	buffer_free(&message->mailbox);
	buffer_free(&message->copies);
	buffer_free(&message->keywords);
	buffer_free(&message->reason);
	buffer_free(&message->use);
}

static bool
has_keyword(const struct message *message, struct span name)
{
	struct span rest = buffer_span(&message->keywords);

	while (rest.length > 0) {
		size_t end = span_find(rest, ' ');

		if (span_equals_nocase(span_slice(rest, 0, end), name))
			return true;
		rest = span_from(rest, end + 1);
	}
	return false;
}

bool
message_add_keyword(struct message *message, struct span name)
{
	if (!imap_keyword_is_valid(name))
		return false;
	if (span_equals_nocase(name, SPAN("$Forwarded"))) {
		message->flags |= FLAG_FORWARDED;
		return true;
	}
	if (has_keyword(message, name))
		return true;
	if (message->keywords.length > 0)
		buffer_add_octet(&message->keywords, ' ');
	buffer_add_span(&message->keywords, name);
	return true;
}

void
add_with_crlf(struct buffer *out, struct span octets)
{
	while (octets.length > 0) {
		size_t lf = span_find(octets, '\n');
		bool has_cr = lf > 0 ? octets.at[lf - 1] == '\r'
				     : out->length > 0 && out->at[out->length - 1] == '\r';

		buffer_add_span(out, span_slice(octets, 0, lf));
		if (lf == octets.length)
			return;
		buffer_add_string(out, has_cr ? "\n" : "\r\n");
		octets = span_from(octets, lf + 1);
	}
}

void
message_add(struct message *message, struct span octets)
{
	if (octets.length > message->octets_max || message->octets.length > message->octets_max - octets.length)
		message->is_too_large = true;
	if (!message->is_too_large)
		add_with_crlf(&message->octets, octets);
}

void
message_add_octets(struct message *message, struct span octets)
{
	if (octets.length > message->octets_max || message->octets.length > message->octets_max - octets.length)
		message->is_too_large = true;
	if (!message->is_too_large)
		buffer_add_span(&message->octets, octets);
}

enum source_result
message_refuse(struct message *message, const char *reason)
{
	buffer_clear(&message->reason);
	buffer_add_string(&message->reason, reason);
	return SOURCE_REFUSED;
}

enum source_result
message_refuse_size(struct message *message)
{
	buffer_clear(&message->reason);
	buffer_printf(&message->reason, "it is larger than %zu octets, the server's message-size-limit",
	    message->octets_max);
	return SOURCE_REFUSED;
}

enum source_result
message_fail(struct message *message, int error)
{
	const char *reason = expand_error_text(error);

	if (error == EFBIG)
		return message_refuse_size(message);
	if (reason != NULL)
		return message_refuse(message, reason);
	errno = error;
	return SOURCE_UNREADABLE;
}

/* RFC 5322 sections 3.3 and 4.3.  A date before 1970 comes from a clock that was never set. */
void
message_use_date_field(struct message *message)
{
	struct mime_field field;
	struct mime_date date;

	if (!mime_field_find(buffer_span(&message->octets), SPAN("date"), &field) ||
	    !mime_date_parse(field.value, &date) || date.unix_s < 0)
		return;
	message->date_s = date.unix_s;
	message->has_date = true;
}
