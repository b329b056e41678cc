/*
 * config-v1.1.xml, which Thunderbird, K-9, Evolution and others ask for: draft-ietf-mailmaint-autoconfig.
 */
#include <stdio.h>
#include <string.h>

#include "autoconfig/autoconfig.h"
#include "xml.h"

/* The password is sent as it is: TLS is around it. */
static void
add_server(struct buffer *out, const struct autoconfig *autoconfig, const char *tag, struct span host, unsigned port,
    bool is_starttls)
{
	char end[32];

	xml_add_tag(out, 2, tag);
	xml_add_element(out, 3, "hostname", host);
	xml_add_number(out, 3, "port", port);
	xml_add_element(out, 3, "socketType", is_starttls ? SPAN("STARTTLS") : SPAN("SSL"));
	xml_add_element(out, 3, "authentication", SPAN("password-cleartext"));
	xml_add_element(out, 3, "username", autoconfig->is_local_part ? SPAN("%EMAILLOCALPART%") : SPAN("%EMAILADDRESS%"));
	snprintf(end, sizeof end, "/%.*s", (int)strcspn(tag, " "), tag);
	xml_add_tag(out, 2, end);
}

void
autoconfig_write_xml(const struct autoconfig *autoconfig, struct span domain, struct buffer *out)
{
	buffer_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n"
	    "  <emailProvider id=\"%.*s\">\n", SPAN_ARGS(domain));
	xml_add_element(out, 2, "domain", domain);
	xml_add_element(out, 2, "displayName", domain);
	xml_add_element(out, 2, "displayShortName", domain);
	if (autoconfig->imaps_port != 0)
		add_server(out, autoconfig, "incomingServer type=\"imap\"", autoconfig->host, autoconfig->imaps_port, false);
	if (autoconfig->imap_port != 0)
		add_server(out, autoconfig, "incomingServer type=\"imap\"", autoconfig->host, autoconfig->imap_port, true);
	add_server(out, autoconfig, "outgoingServer type=\"smtp\"", autoconfig->smtp_host, autoconfig->smtp_port,
	    autoconfig->is_smtp_starttls);
	buffer_add_string(out, "  </emailProvider>\n</clientConfig>\n");
}
