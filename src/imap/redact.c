/*
 * Commands and replies without what nobody else may see.  Pure.
 */
#include "imap/redact.h"

#include <string.h>

#include "base/memory.h"

/* Names that say nothing of who uses them: what stands in their place may be a password that was mistyped. */
static const char *const mechanisms[] = { "PLAIN", "LOGIN", "EXTERNAL", "ANONYMOUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS",
	"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS", "OAUTHBEARER", "XOAUTH2", "CRAM-MD5",
	"DIGEST-MD5", "NTLM", "GSSAPI", "GSS-SPNEGO" };

static void
add_octet(struct buffer *out, uint8_t octet)
{
	if (octet >= ' ' && octet <= '~')
		buffer_add_octet(out, octet);
	else
		buffer_printf(out, "\\x%02x", octet);
}

void
imap_redact_octets(uint64_t count, struct buffer *out)
{
	buffer_printf(out, "{%llu octet%s}", (unsigned long long)count, count == 1 ? "" : "s");
}

static void
add_left_out(uint64_t count, struct buffer *out)
{
	if (count == 0)
		return;
	buffer_add_string(out, " ... ");
	imap_redact_octets(count, out);
}

void
imap_redact_text(struct span text, struct buffer *out)
{
	struct span shown = span_slice(text, 0, IMAP_REDACT_MAX);

	for (size_t i = 0; i < shown.length; i++)
		add_octet(out, shown.at[i]);
	add_left_out(text.length - shown.length, out);
}

/* The number of "{12}", "{12+}" or "~{12+}" at the end; the announcement is taken off the text. */
static uint64_t
take_announcement(struct span *text)
{
	size_t open = text->length;
	uint64_t number = 0, unit = 1;

	while (open > 0 && text->at[open - 1] != '{') {
		if (ascii_is_digit(text->at[open - 1])) {
			number += unit * (uint64_t)(text->at[open - 1] - '0');
			unit *= 10;
		}
		open--;
	}
	text->length = open > 0 ? open - 1 : 0;
	return number;
}

/* The parser leaves a line feed behind what announces a literal, and has none elsewhere but in literals. */
static void
add_arguments(struct span raw, struct buffer *out)
{
	while (raw.length > 0) {
		size_t end = span_find(raw, '\n');
		struct span text = span_slice(raw, 0, end);
		uint64_t literal;

		if (end == raw.length) {
			imap_redact_text(text, out);
			return;
		}
		raw = span_from(raw, end + 1);
		literal = take_announcement(&text);
		imap_redact_text(text, out);
		imap_redact_octets(literal, out);
		raw = span_from(raw, literal < raw.length ? (size_t)literal : raw.length);
	}
}

static void
add_start(const struct imap_command_line *line, struct buffer *out)
{
	imap_redact_text(line->tag, out);
	buffer_printf(out, " %s", imap_commands[line->verb].name);
}

static bool
is_mechanism(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
		if (span_equals_nocase(name, span_from_string(mechanisms[i])))
			return true;
	}
	return false;
}

static void
add_authenticate(const struct imap_authenticate *authenticate, struct buffer *out)
{
	buffer_add_octet(out, ' ');
	if (is_mechanism(authenticate->mechanism))
		buffer_add_span(out, authenticate->mechanism);
	else
		imap_redact_octets(authenticate->mechanism.length, out);
	if (!authenticate->has_initial)
		return;
	buffer_add_octet(out, ' ');
	imap_redact_octets(authenticate->initial.length, out);
}

void
imap_redact_command(const struct imap_command_line *line, struct buffer *out)
{
	struct buffer whole = { 0 };

	if (line->verb == IMAP_LOGIN) {
		add_start(line, out);
		buffer_add_octet(out, ' ');
		imap_redact_octets(line->login.user.length + line->login.password.length, out);
	} else if (line->verb == IMAP_AUTHENTICATE) {
		add_start(line, out);
		add_authenticate(&line->authenticate, out);
	} else {
		add_arguments(line->raw, &whole);
		imap_redact_text(buffer_span(&whole), out);
		buffer_free(&whole);
	}
}

void
imap_redact_stranger(const struct imap_command_line *line, struct buffer *out)
{
	size_t start = line->tag.length + 1 + strlen(imap_commands[line->verb].name);

	if (line->verb == IMAP_ID || line->verb == IMAP_LOGIN || line->verb == IMAP_AUTHENTICATE) {
		imap_redact_command(line, out);
		return;
	}
	add_start(line, out);
	if (line->raw.length <= start)
		return;
	buffer_add_octet(out, ' ');
	imap_redact_octets(line->raw.length - start - 1, out);
}

void
imap_redact_message(const struct imap_append_message *message, struct buffer *out)
{
	if (message->index == 0) {
		imap_redact_text(message->tag, out);
		buffer_add_string(out, message->replaces == IMAP_REPLACES_NOTHING ? " APPEND \"" : " REPLACE ... \"");
		imap_redact_text(message->mailbox, out);
		buffer_add_octet(out, '"');
	} else {
		buffer_add_string(out, "...");
	}
	buffer_add_octet(out, ' ');
	imap_redact_octets(message->size_octets, out);
}

/* Replies. */

static void
show(struct imap_redactor *redactor, uint8_t octet)
{
	if (redactor->line.length < IMAP_REDACT_MAX)
		add_octet(&redactor->line, octet);
	else
		redactor->left_out++;
}

static void
show_octets(struct imap_redactor *redactor, uint64_t count)
{
	if (redactor->line.length < IMAP_REDACT_MAX)
		imap_redact_octets(count, &redactor->line);
	else
		redactor->left_out += count;
}

/* "* 12 FETCH " or, with UIDONLY (RFC 9586), "* 12 UIDFETCH " */
static bool
is_fetch(struct span line)
{
	size_t at = 2;

	if (!span_starts_with(line, SPAN("* ")))
		return false;
	while (at < line.length && ascii_is_digit(line.at[at]))
		at++;
	return at > 2 && (span_equals(span_from(line, at), SPAN(" FETCH ")) ||
	    span_equals(span_from(line, at), SPAN(" UIDFETCH ")));
}

/* Look whether what ends here announces a literal. */
static void
note_announcement(struct imap_redactor *redactor, uint8_t octet)
{
	if (octet == '{') {
		redactor->announcement = LITERAL_OPEN;
		redactor->announced = 0;
	} else if (redactor->announcement == LITERAL_OPEN && ascii_is_digit(octet)) {
		redactor->announced = redactor->announced * 10 + (uint64_t)(octet - '0');
	} else if (redactor->announcement == LITERAL_OPEN && octet == '}') {
		redactor->announcement = LITERAL_CLOSED;
	} else if (octet != '\r') {
		redactor->announcement = NO_LITERAL;
	}
}

/* The line goes on behind the literal: "{12}" becomes "{12 octets}". */
static void
begin_literal(struct imap_redactor *redactor)
{
	redactor->literal = redactor->announced;
	if (redactor->left_out > 0) {
		redactor->left_out += redactor->announced;
		return;
	}
	while (redactor->line.at[redactor->line.length - 1] != '{')
		redactor->line.length--;
	redactor->line.length--;
	imap_redact_octets(redactor->announced, &redactor->line);
}

static void
end_line(struct imap_redactor *redactor, imap_redacted *each, void *context)
{
	add_left_out(redactor->left_out, &redactor->line);
	each(buffer_span(&redactor->line), context);
	buffer_clear(&redactor->line);
	redactor->left_out = 0;
	redactor->has_list = redactor->is_fetch = false;
	redactor->state = REDACT_TEXT;
}

static void
take_text(struct imap_redactor *redactor, uint8_t octet)
{
	note_announcement(redactor, octet);
	if (octet == '(' && !redactor->has_list) {
		redactor->has_list = true;
		redactor->is_fetch = is_fetch(buffer_span(&redactor->line));
	}
	if (octet != '\r')
		show(redactor, octet);
	if (octet == '"' && redactor->is_fetch) {
		redactor->state = REDACT_QUOTED;
		redactor->quoted = 0;
	}
}

static void
take_quoted(struct imap_redactor *redactor, uint8_t octet)
{
	if (redactor->state == REDACT_TEXT) {
		take_text(redactor, octet);
	} else if (redactor->state == REDACT_QUOTED && octet == '"') {
		if (redactor->quoted > 0)
			show_octets(redactor, redactor->quoted);
		show(redactor, '"');
		redactor->state = REDACT_TEXT;
	} else if (redactor->state == REDACT_QUOTED && octet == '\\') {
		redactor->state = REDACT_ESCAPED;
	} else {
		redactor->quoted++;
		redactor->state = REDACT_QUOTED;
	}
}

void
imap_redactor_feed(struct imap_redactor *redactor, struct span octets, imap_redacted *each, void *context)
{
	while (octets.length > 0) {
		size_t skipped = redactor->literal < octets.length ? (size_t)redactor->literal : octets.length;

		redactor->literal -= skipped;
		octets = span_from(octets, skipped);
		if (octets.length == 0)
			return;
		if (octets.at[0] != '\n')
			take_quoted(redactor, octets.at[0]);
		else if (redactor->announcement == LITERAL_CLOSED)
			begin_literal(redactor);
		else
			end_line(redactor, each, context);
		if (octets.at[0] == '\n')
			redactor->announcement = NO_LITERAL;
		octets = span_from(octets, 1);
	}
}

void
imap_redactor_fini(struct imap_redactor *redactor)
{
	buffer_free(&redactor->line);
	*redactor = (struct imap_redactor){ .left_out = 0 };
}
