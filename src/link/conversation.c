/*
 * The opening of a link as text: src/link/README.
 */
#include "conversation.h"

#include "base/base64.h"
#include "base/memory.h"

void
conversation_add_quoted(struct buffer *out, struct span text)
{
	buffer_add_octet(out, '"');
	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = text.at[i];

		if (octet < ' ' || octet > '~')
			continue;
		if (octet == '"' || octet == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, octet);
	}
	buffer_add_octet(out, '"');
}

static void
add_fact(struct buffer *out, const char *name, struct span value)
{
	if (value.length == 0)
		return;
	if (out->at[out->length - 1] != '(')
		buffer_add_octet(out, ' ');
	buffer_printf(out, "\"%s\" ", name);
	conversation_add_quoted(out, value);
}

static void
add_id(struct buffer *out, const struct link_facts *facts)
{
	struct buffer port = { 0 }, prover = { 0 };

	buffer_add_number(&port, facts->port);
	base64_encode(facts->prover, &prover);
	buffer_add_string(out, "L1 ID (");
	add_fact(out, "x-session-id", facts->session_id);
	add_fact(out, "x-originating-ip", facts->address);
	add_fact(out, "x-originating-port", buffer_span(&port));
	add_fact(out, "x-tls", facts->tls_version);
	add_fact(out, "x-tls-cipher", facts->tls_cipher);
	add_fact(out, "x-client-id", facts->client_id);
	add_fact(out, "x-prover", buffer_span(&prover));
	add_fact(out, "x-master", facts->is_master ? SPAN("yes") : SPAN(""));
	add_fact(out, "x-return", facts->return_word);
	add_fact(out, "x-return-capability", facts->return_capability);
	add_fact(out, "x-carry", facts->may_carry ? SPAN("yes") : SPAN(""));
	buffer_add_string(out, ")\r\n");
	buffer_free(&port);
	buffer_free(&prover);
}

void
conversation_open(struct buffer *out, struct span user, const struct link_facts *facts)
{
	add_id(out, facts);
	buffer_add_string(out, "L2 AUTHENTICATE EXTERNAL ");
	base64_encode(user, out);
	buffer_add_string(out, "\r\n");
}

/* The user, NUL, the state. */
void
conversation_open_carried(struct buffer *out, struct span user, struct span state, const struct link_facts *facts)
{
	struct buffer message = { 0 };

	buffer_add_span(&message, user);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, state);
	add_id(out, facts);
	buffer_add_string(out, "L2 AUTHENTICATE " LINK_CARRY_MECHANISM " ");
	base64_encode(buffer_span(&message), out);
	buffer_add_string(out, "\r\n");
	buffer_free(&message);
}

/* RFC 4616 section 2: the authorization identity, mostly empty, the user, the password. */
void
conversation_open_with_password(struct buffer *out, struct span user, struct span password,
    const struct link_facts *facts)
{
	struct buffer message = { 0 };

	buffer_reserve(&message, facts->identity.length + user.length + password.length + 2);
	buffer_add_span(&message, facts->identity);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, user);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, password);
	add_id(out, facts);
	/* No piece of the secret stays behind in memory that was outgrown. */
	buffer_reserve(out, 2 * message.length + 64);
	buffer_add_string(out, "L2 AUTHENTICATE PLAIN ");
	base64_encode(buffer_span(&message), out);
	buffer_add_string(out, "\r\n");
	buffer_wipe(&message);
}

static bool
end(struct link_result *result, enum link_status status)
{
	result->status = status;
	return true;
}

/* `[CAPABILITY IMAP4rev1 ...] text` */
static struct span
capability_of(struct span text)
{
	struct span code = SPAN("[CAPABILITY ");
	struct span list;

	if (!span_starts_with_nocase(text, code))
		return (struct span){ NULL, 0 };
	list = span_from(text, code.length);
	return span_slice(list, 0, span_find(list, ']'));
}

static bool
read_untagged(struct span text, bool is_greeting, struct link_result *result)
{
	if (span_starts_with_nocase(text, SPAN("BYE")))
		return end(result, LINK_UNREACHABLE);
	if (is_greeting && !span_starts_with_nocase(text, SPAN("OK")))
		return end(result, LINK_PROTOCOL);
	return false;
}

static bool
read_authenticated(struct span text, struct link_result *result)
{
	if (span_starts_with_nocase(text, SPAN("OK "))) {
		result->text = span_from(text, 3);
		result->capability = capability_of(result->text);
		return end(result, LINK_OK);
	}
	if (span_starts_with_nocase(text, SPAN("NO "))) {
		result->text = span_from(text, 3);
		return end(result, span_starts_with_nocase(result->text, SPAN("[AUTHENTICATIONFAILED]")) ?
			LINK_DENIED : LINK_REFUSED);
	}
	return end(result, LINK_PROTOCOL);
}

bool
conversation_read(struct span line, bool is_greeting, struct link_result *result_out)
{
	*result_out = (struct link_result){ .status = LINK_PROTOCOL };
	if (span_starts_with(line, SPAN("* ")))
		return read_untagged(span_from(line, 2), is_greeting, result_out);
	if (is_greeting)
		return true;
	if (span_starts_with(line, SPAN("L1 ")))
		return false;
	if (span_starts_with(line, SPAN("L2 ")))
		return read_authenticated(span_from(line, 3), result_out);
	return true;
}
