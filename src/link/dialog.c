/*
 * An IMAP client until it is logged in: RFC 9051 sections 6.1 and 6.2, and as servers had it long before.
 */
#include "dialog.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "conversation.h"

#define UNTAGGED_MAX 4096	/* of alerts; what is more is left out */
#define OFFER_MAX    4096

/* As Dovecot's proxy says it, and believes it from those in its login_trusted_networks. */
static void
add_id(struct buffer *out, const struct link_facts *facts, unsigned ttl)
{
	buffer_add_string(out, "ID (\"name\" \"imapd\" \"x-session-id\" ");
	conversation_add_quoted(out, facts->session_id);
	buffer_add_string(out, " \"x-originating-ip\" ");
	conversation_add_quoted(out, facts->address);
	buffer_printf(out, " \"x-originating-port\" \"%u\" \"x-proxy-ttl\" \"%u\")\r\n", facts->port, ttl);
}

void
dialog_init(struct dialog *dialog, const struct link_relay_wish *wish)
{
	*dialog = (struct dialog){ .is_secure = wish->home->is_tls_first, .is_insecure = wish->is_insecure };
	add_id(&dialog->id, wish->facts, wish->ttl);
	if (wish->home->user[0] != '\0')
		buffer_add_string(&dialog->user, wish->home->user);
	else
		buffer_add_span(&dialog->user, wish->user);
	buffer_reserve(&dialog->password, wish->password.length + 1);
	buffer_add_span(&dialog->password, wish->password);
}

static void
forget_parts(struct dialog *dialog)
{
	for (unsigned i = 0; i < COUNT_OF(dialog->parts); i++)
		buffer_wipe(&dialog->parts[i]);
	dialog->part = dialog->part_count = 0;
}

void
dialog_fini(struct dialog *dialog)
{
	forget_parts(dialog);
	buffer_wipe(&dialog->password);
	buffer_wipe(&dialog->out);
	buffer_free(&dialog->id);
	buffer_free(&dialog->user);
	buffer_free(&dialog->capability);
	buffer_free(&dialog->untagged);
	buffer_free(&dialog->text);
	buffer_free(&dialog->reason);
}

void
dialog_sent(struct dialog *dialog)
{
	buffer_wipe(&dialog->out);
}

static enum dialog_event
end(struct dialog *dialog, enum link_status status)
{
	dialog->status = status;
	return DIALOG_OVER;
}

/* NUL stands in no name and no password, so PLAIN has one form: RFC 4616 section 2. */
static void
add_plain(const struct dialog *dialog, struct buffer *out)
{
	struct buffer message = { 0 };

	buffer_reserve(&message, dialog->user.length + dialog->password.length + 2);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, buffer_span(&dialog->user));
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, buffer_span(&dialog->password));
	buffer_reserve(out, 2 * message.length + 8);
	base64_encode(buffer_span(&message), out);
	buffer_wipe(&message);
}

static bool
holds(struct span words, struct span part)
{
	return part.length > 0 && memmem(words.at, words.length, part.at, part.length) != NULL;
}

/* Some servers repeat the command that they do not understand: as it was said, and here that is with the password. */
static bool
says_secret(const struct dialog *dialog, struct span words)
{
	struct span password = buffer_span(&dialog->password);
	struct buffer encoded = { 0 }, quoted = { 0 };
	bool is_said;

	if (words.length == 0 || password.length == 0)
		return false;
	add_plain(dialog, &encoded);
	buffer_reserve(&quoted, 2 * password.length + 2);
	conversation_add_quoted(&quoted, password);
	is_said = holds(words, password) || holds(words, buffer_span(&encoded)) || holds(words, buffer_span(&quoted));
	buffer_wipe(&encoded);
	buffer_wipe(&quoted);
	return is_said;
}

/* It cannot go on, because of what the server has said or not; the server's words are for the log. */
static enum dialog_event
give_up(struct dialog *dialog, enum link_status status, const char *why, struct span words)
{
	buffer_clear(&dialog->reason);
	buffer_add_string(&dialog->reason, why);
	if (says_secret(dialog, words))
		buffer_printf(&dialog->reason, ": and repeats the password");
	else if (words.length > 0)
		buffer_printf(&dialog->reason, ": %.*s", (int)(words.length < 200 ? words.length : 200),
		    (const char *)words.at);
	return end(dialog, status);
}

static enum dialog_event
say(struct dialog *dialog, enum dialog_step step, struct span command)
{
	dialog->step = step;
	buffer_reserve(&dialog->out, command.length + 16);
	buffer_printf(&dialog->out, "R%u ", ++dialog->commands);
	buffer_add_span(&dialog->out, command);
	return DIALOG_MORE;
}

/* Walk words that spaces part.  False: none is left. */
static bool
next_word(struct span *list, struct span *word_out)
{
	*list = span_trim(*list);
	*word_out = span_slice(*list, 0, span_find(*list, ' '));
	*list = span_from(*list, word_out->length);
	return word_out->length > 0;
}

static bool
has(const struct dialog *dialog, const char *name)
{
	struct span list = buffer_span(&dialog->capability), word;

	while (next_word(&list, &word))
		if (span_equals_nocase(word, span_from_string(name)))
			return true;
	return false;
}

static enum dialog_event
log_in_by_plain(struct dialog *dialog)
{
	struct buffer command = { 0 }, encoded = { 0 };
	enum dialog_event event;

	add_plain(dialog, &encoded);
	buffer_add_string(&encoded, "\r\n");
	buffer_reserve(&command, encoded.length + 32);
	buffer_add_string(&command, "AUTHENTICATE PLAIN");
	if (has(dialog, "SASL-IR")) {		/* RFC 4959 */
		buffer_add_octet(&command, ' ');
		buffer_add_span(&command, buffer_span(&encoded));
	} else {
		buffer_add_string(&command, "\r\n");
		dialog->parts[dialog->part_count++] = encoded;
		encoded = (struct buffer){ 0 };
	}
	event = say(dialog, DIALOG_LOGIN, buffer_span(&command));
	buffer_wipe(&encoded);
	buffer_wipe(&command);
	return event;
}

static bool
fits_quotes(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return true;
}

/* A string behind the last part; a literal is a part of its own, for which the server must say +. */
static void
add_string(struct dialog *dialog, struct buffer *first, struct span text)
{
	struct buffer *part = dialog->part_count == 0 ? first : &dialog->parts[dialog->part_count - 1];

	buffer_reserve(part, part->length + 2 * text.length + 16);
	buffer_add_octet(part, ' ');
	if (fits_quotes(text)) {
		conversation_add_quoted(part, text);
		return;
	}
	buffer_printf(part, "{%zu}\r\n", text.length);
	part = &dialog->parts[dialog->part_count++];
	buffer_reserve(part, text.length + 16);
	buffer_add_span(part, text);
}

/* RFC 9051 section 6.2.3. */
static enum dialog_event
log_in_by_command(struct dialog *dialog)
{
	struct buffer first = { 0 };
	enum dialog_event event;

	buffer_add_string(&first, "LOGIN");
	add_string(dialog, &first, buffer_span(&dialog->user));
	add_string(dialog, &first, buffer_span(&dialog->password));
	buffer_add_string(dialog->part_count == 0 ? &first : &dialog->parts[dialog->part_count - 1], "\r\n");
	event = say(dialog, DIALOG_LOGIN, buffer_span(&first));
	buffer_wipe(&first);
	return event;
}

/* What it offers before login says nothing of what it offers then. */
static enum dialog_event
log_in(struct dialog *dialog)
{
	bool has_plain = has(dialog, "AUTH=PLAIN");

	if (!has_plain && has(dialog, "LOGINDISABLED"))
		return give_up(dialog, LINK_PROTOCOL, "it takes neither LOGIN nor AUTHENTICATE PLAIN", SPAN(""));
	dialog->has_capability = false;
	return has_plain ? log_in_by_plain(dialog) : log_in_by_command(dialog);
}

static enum dialog_event
go_on(struct dialog *dialog)
{
	if (!dialog->has_capability)
		return say(dialog, DIALOG_CAPABILITY, SPAN("CAPABILITY\r\n"));
	if (!dialog->is_secure && has(dialog, "STARTTLS"))
		return say(dialog, DIALOG_STARTTLS, SPAN("STARTTLS\r\n"));
	if (!dialog->is_secure && !dialog->is_insecure)
		return give_up(dialog, LINK_PROTOCOL, "it offers no STARTTLS", SPAN(""));
	if (has(dialog, "ID") && !dialog->has_said_id) {
		dialog->has_said_id = true;
		return say(dialog, DIALOG_ID, buffer_span(&dialog->id));
	}
	return log_in(dialog);
}

/* What was said in plaintext may be anybody's: RFC 9051 section 6.2.1. */
enum dialog_event
dialog_secured(struct dialog *dialog)
{
	dialog->is_secure = true;
	dialog->has_capability = false;
	buffer_clear(&dialog->capability);
	buffer_clear(&dialog->untagged);
	return go_on(dialog);
}

static void
take_capability(struct dialog *dialog, struct span list)
{
	buffer_clear(&dialog->capability);
	buffer_add_span(&dialog->capability, list);
	dialog->has_capability = true;
}

/* The response code of a text, without its brackets; empty: there is none. */
static struct span
code_of(struct span text)
{
	size_t end = span_find(text, ']');

	if (text.length == 0 || text.at[0] != '[' || end == text.length)
		return (struct span){ NULL, 0 };
	return span_slice(text, 1, end - 1);
}

static void
read_code(struct dialog *dialog, struct span text)
{
	static const struct span capability = SPAN("CAPABILITY ");
	struct span code = code_of(text);

	if (span_starts_with_nocase(code, capability))
		take_capability(dialog, span_from(code, capability.length));
}

/* A server's words as a client may have them: nothing in them ends the line early, and no literal follows. */
static void
add_words(struct buffer *out, struct span words)
{
	for (size_t i = 0; i < words.length; i++)
		if (words.at[i] >= ' ')
			buffer_add_octet(out, words.at[i]);
	if (words.length > 0 && words.at[words.length - 1] == '}')
		buffer_add_octet(out, '.');
}

/* RFC 9051 section 7.1: an alert must be shown to the user. */
static void
keep_alert(struct dialog *dialog, struct span line, struct span text)
{
	if (!span_starts_with_nocase(text, SPAN("[ALERT]")) || dialog->untagged.length + line.length > UNTAGGED_MAX)
		return;
	add_words(&dialog->untagged, line);
	buffer_add_string(&dialog->untagged, "\r\n");
}

static bool
has_kind(struct span text, const char *kind, struct span *rest_out)
{
	struct span word = span_slice(text, 0, span_find(text, ' '));

	*rest_out = span_from(text, word.length + 1);
	return span_equals_nocase(word, span_from_string(kind));
}

static enum dialog_event
read_greeting(struct dialog *dialog, struct span text)
{
	struct span rest;

	if (!has_kind(text, "OK", &rest))
		return give_up(dialog, LINK_PROTOCOL, "its greeting is not that of an IMAP server", text);
	read_code(dialog, rest);
	return go_on(dialog);
}

static enum dialog_event
read_untagged(struct dialog *dialog, struct span line)
{
	struct span text = span_from(line, 2), rest;

	if (has_kind(text, "BYE", &rest))
		return give_up(dialog, LINK_UNREACHABLE, "it says BYE", rest);
	if (has_kind(text, "CAPABILITY", &rest))
		take_capability(dialog, rest);
	if (has_kind(text, "OK", &rest) || has_kind(text, "NO", &rest) || has_kind(text, "BAD", &rest)) {
		keep_alert(dialog, line, rest);
		read_code(dialog, rest);
	}
	return dialog->step == DIALOG_GREETING ? read_greeting(dialog, text) : DIALOG_MORE;
}

/*
 * Whether the server refuses for a reason that is not the password's (RFC 5530 section 3, RFC 2221 section 4.1).  Of the
 * others, those that it gives a code are for the user: Gmail has [ALERT] and a page to visit.
 */
static enum dialog_event
read_refusal(struct dialog *dialog, struct span text)
{
	static const char *const others[] = { "UNAVAILABLE", "AUTHORIZATIONFAILED", "EXPIRED", "INUSE", "LIMIT", "SERVERBUG",
		"CONTACTADMIN", "CANNOT", "NOPERM", "CORRUPTION", "OVERQUOTA", "REFERRAL" };
	struct span code = code_of(text);
	struct span name = span_slice(code, 0, span_find(code, ' '));

	if (span_equals_nocase(name, SPAN("PRIVACYREQUIRED")))
		return give_up(dialog, LINK_PROTOCOL, "it wants more privacy", text);
	if (name.length > 0 && !span_equals_nocase(name, SPAN("AUTHENTICATIONFAILED")))
		add_words(&dialog->text, says_secret(dialog, text) ? span_slice(text, 0, code.length + 2) : text);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (span_equals_nocase(name, span_from_string(others[i])))
			return end(dialog, LINK_REFUSED);
	return end(dialog, LINK_DENIED);
}

static enum dialog_event
read_outcome(struct dialog *dialog, struct span text)
{
	struct span rest;

	if (has_kind(text, "NO", &rest))
		return read_refusal(dialog, rest);
	if (!has_kind(text, "OK", &rest))
		return give_up(dialog, LINK_PROTOCOL, "it does not understand the login", text);
	read_code(dialog, rest);
	if (dialog->has_capability)
		return end(dialog, LINK_OK);
	return say(dialog, DIALOG_OFFER, SPAN("CAPABILITY\r\n"));
}

static enum dialog_event
read_login(struct dialog *dialog, struct span text)
{
	enum dialog_event event = read_outcome(dialog, text);

	forget_parts(dialog);
	buffer_wipe(&dialog->password);
	return event;
}

static enum dialog_event
read_tagged(struct dialog *dialog, struct span text)
{
	struct span rest;
	bool is_ok = has_kind(text, "OK", &rest);

	switch (dialog->step) {
	case DIALOG_STARTTLS:
		return is_ok ? DIALOG_START_TLS : give_up(dialog, LINK_PROTOCOL, "it refuses STARTTLS", text);
	case DIALOG_LOGIN:
		return read_login(dialog, text);
	case DIALOG_OFFER:
		return end(dialog, LINK_OK);
	case DIALOG_CAPABILITY:
		if (is_ok)
			read_code(dialog, rest);
		dialog->has_capability = true;		/* which may be none */
		return go_on(dialog);
	default:
		return go_on(dialog);
	}
}

static enum dialog_event
read_continuation(struct dialog *dialog)
{
	if (dialog->step != DIALOG_LOGIN || dialog->part == dialog->part_count)
		return give_up(dialog, LINK_PROTOCOL, "it asks for what was not announced", SPAN(""));
	dialog->out = dialog->parts[dialog->part];
	dialog->parts[dialog->part++] = (struct buffer){ 0 };
	return DIALOG_MORE;
}

enum dialog_event
dialog_read(struct dialog *dialog, struct span line)
{
	struct buffer tag = { 0 };
	size_t length;
	bool is_ours;

	if (span_starts_with(line, SPAN("* ")))
		return read_untagged(dialog, line);
	if (dialog->step == DIALOG_GREETING)
		return give_up(dialog, LINK_PROTOCOL, "its greeting is not that of an IMAP server", line);
	if (span_starts_with(line, SPAN("+")))
		return read_continuation(dialog);
	buffer_printf(&tag, "R%u ", dialog->commands);
	is_ours = span_starts_with(line, buffer_span(&tag));
	length = tag.length;
	buffer_free(&tag);
	return is_ours ? read_tagged(dialog, span_from(line, length)) :
	    give_up(dialog, LINK_PROTOCOL, "its answer is none", line);
}

/* RFC 9051 section 9: a capability is an atom. */
static bool
is_atom(struct span word)
{
	static const struct span specials = SPAN("(){%*\"\\]");

	for (size_t i = 0; i < word.length; i++)
		if (span_find(specials, word.at[i]) < specials.length)
			return false;
	return fits_quotes(word);
}

static bool
is_offered(struct span word)
{
	static const char *const others[] = { "SASL-IR", "STARTTLS", "LOGINDISABLED", "LOGIN-REFERRALS", "UNAUTHENTICATE" };

	if (span_starts_with_nocase(word, SPAN("AUTH=")) || !is_atom(word))
		return false;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (span_equals_nocase(word, span_from_string(others[i])))
			return false;
	return true;
}

void
dialog_write_offer(struct span capability, struct buffer *out)
{
	struct span word;

	while (next_word(&capability, &word)) {
		if (!is_offered(word) || out->length + word.length > OFFER_MAX)
			continue;
		if (out->length > 0)
			buffer_add_octet(out, ' ');
		buffer_add_span(out, word);
	}
}
