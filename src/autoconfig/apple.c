/*
 * A configuration profile for Apple's programs: a property list, as "Configuration Profile Reference" has the payload
 * com.apple.mail.managed.  What is made of the domain alone stays the same, so that a profile that is installed again
 * replaces the one before.
 */
#include "autoconfig/autoconfig.h"
#include "base/base64.h"
#include "base/digest.h"
#include "xml.h"

static void
add_string(struct buffer *out, unsigned depth, const char *key, struct span text)
{
	xml_add_element(out, depth, "key", span_from_string(key));
	xml_add_element(out, depth, "string", text);
}

static void
add_number(struct buffer *out, unsigned depth, const char *key, unsigned number)
{
	xml_add_element(out, depth, "key", span_from_string(key));
	xml_add_number(out, depth, "integer", number);
}

static void
add_yes(struct buffer *out, unsigned depth, const char *key)
{
	xml_add_element(out, depth, "key", span_from_string(key));
	xml_add_tag(out, depth, "true/");
}

/* A UUID of version 8, RFC 9562 section 5.8: from a digest of what it is for. */
static void
add_uuid(struct buffer *out, unsigned depth, const char *what, struct span host, struct span domain)
{
	uint8_t digest[DIGEST_LENGTH];
	struct buffer text = { 0 }, hex = { 0 };

	buffer_printf(&text, "imapd %s %.*s %.*s", what, SPAN_ARGS(host), SPAN_ARGS(domain));
	digest_sha256(buffer_span(&text), digest);
	digest[6] = (digest[6] & 0x0f) | 0x80;
	digest[8] = (digest[8] & 0x3f) | 0x80;
	hex_encode(span_of(digest, 16), &hex);
	buffer_clear(&text);
	for (size_t i = 0; i < hex.length; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			buffer_add_octet(&text, '-');
		buffer_add_octet(&text, ascii_upper(hex.at[i]));
	}
	add_string(out, depth, "PayloadUUID", buffer_span(&text));
	buffer_free(&text);
	buffer_free(&hex);
}

/* Reversed, as Apple has it: "org.example.imapd". */
static void
add_identifier(struct buffer *out, unsigned depth, struct span domain, const char *suffix)
{
	struct buffer text = { 0 };

	for (size_t end = domain.length; end > 0;) {
		size_t begin = end;

		while (begin > 0 && domain.at[begin - 1] != '.')
			begin--;
		buffer_add_span(&text, span_slice(domain, begin, end - begin));
		buffer_add_octet(&text, '.');
		end = begin > 0 ? begin - 1 : 0;
	}
	buffer_add_string(&text, suffix);
	add_string(out, depth, "PayloadIdentifier", buffer_span(&text));
	buffer_free(&text);
}

static void
add_incoming(struct buffer *out, const struct autoconfig *autoconfig, struct span login)
{
	add_string(out, 3, "IncomingMailServerAuthentication", SPAN("EmailAuthPassword"));
	add_string(out, 3, "IncomingMailServerHostName", autoconfig->host);
	add_number(out, 3, "IncomingMailServerPortNumber",
	    autoconfig->imaps_port != 0 ? autoconfig->imaps_port : autoconfig->imap_port);
	add_yes(out, 3, "IncomingMailServerUseSSL");
	if (login.length > 0)
		add_string(out, 3, "IncomingMailServerUsername", login);
}

static void
add_outgoing(struct buffer *out, const struct autoconfig *autoconfig, struct span login)
{
	add_string(out, 3, "OutgoingMailServerAuthentication", SPAN("EmailAuthPassword"));
	add_string(out, 3, "OutgoingMailServerHostName", autoconfig->smtp_host);
	add_number(out, 3, "OutgoingMailServerPortNumber", autoconfig->smtp_port);
	add_yes(out, 3, "OutgoingMailServerUseSSL");
	add_yes(out, 3, "OutgoingPasswordSameAsIncomingPassword");
	if (login.length > 0)
		add_string(out, 3, "OutgoingMailServerUsername", login);
}

static void
add_account(struct buffer *out, const struct autoconfig *autoconfig, struct span domain,
    const struct autoconfig_address *address)
{
	struct span login = address != NULL ? autoconfig_login(autoconfig, address) : SPAN("");

	xml_add_tag(out, 2, "dict");
	add_string(out, 3, "PayloadType", SPAN("com.apple.mail.managed"));
	add_number(out, 3, "PayloadVersion", 1);
	add_identifier(out, 3, domain, "imapd.mail");
	add_uuid(out, 3, "mail", autoconfig->host, domain);
	add_string(out, 3, "PayloadDisplayName", domain);
	add_string(out, 3, "EmailAccountType", SPAN("EmailTypeIMAP"));
	add_string(out, 3, "EmailAccountDescription", domain);
	if (address != NULL)
		add_string(out, 3, "EmailAddress", address->whole);
	add_incoming(out, autoconfig, login);
	add_outgoing(out, autoconfig, login);
	xml_add_tag(out, 2, "/dict");
}

void
autoconfig_write_profile(const struct autoconfig *autoconfig, struct span domain,
    const struct autoconfig_address *address, struct buffer *out)
{
	buffer_add_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST "
	    "1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n");
	xml_add_tag(out, 0, "dict");
	xml_add_element(out, 1, "key", SPAN("PayloadContent"));
	xml_add_tag(out, 1, "array");
	add_account(out, autoconfig, domain, address);
	xml_add_tag(out, 1, "/array");
	add_string(out, 1, "PayloadType", SPAN("Configuration"));
	add_number(out, 1, "PayloadVersion", 1);
	add_identifier(out, 1, domain, "imapd");
	add_uuid(out, 1, "profile", autoconfig->host, domain);
	add_string(out, 1, "PayloadDisplayName", domain);
	add_string(out, 1, "PayloadOrganization", domain);
	xml_add_tag(out, 0, "/dict");
	buffer_add_string(out, "</plist>\n");
}
