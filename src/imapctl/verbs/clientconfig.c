/*
 * The verb clientconfig: what mail programs ask a domain for, as files for a web server.  Needs no running server.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "autoconfig/autoconfig.h"
#include "base/memory.h"
#include "config/config.h"
#include "verbs.h"

struct site {
	const struct order *order;
	struct span domain;
	const char *folder;
	struct autoconfig autoconfig;
	struct buffer files;		/* for the JSON object */
	int code;
};

static void
fail(struct site *site, const char *path)
{
	complain("%s: %s", path, strerror(errno));
	site->code = EX_CANTCREAT;
}

/* The folders above a file below the site's own, and that one, too. */
static bool
make_folders(struct site *site, const char *path)
{
	struct buffer folder = { 0 };
	bool is_good = true;

	for (const char *slash = path + strlen(site->folder); slash != NULL && is_good; slash = strchr(slash + 1, '/')) {
		buffer_clear(&folder);
		buffer_add(&folder, path, (size_t)(slash - path));
		is_good = mkdir(buffer_string(&folder), 0755) == 0 || errno == EEXIST;
	}
	if (!is_good)
		fail(site, buffer_string(&folder));
	buffer_free(&folder);
	return is_good;
}

/* Takes the text. */
static void
put(struct site *site, const char *name, struct buffer *text)
{
	struct buffer path = { 0 };
	FILE *file = NULL;
	bool is_good;

	buffer_printf(&path, "%s/%s", site->folder, name);
	if (site->code == EX_OK && make_folders(site, buffer_string(&path))) {
		file = fopen(buffer_string(&path), "we");
		is_good = file != NULL && fwrite(text->at, 1, text->length, file) == text->length;
		is_good = file != NULL && fclose(file) == 0 && is_good;
		if (is_good) {
			order_say(site->order, "%s", buffer_string(&path));
			buffer_add_string(&site->files, site->files.length > 0 ? "," : "");
			json_add_string(&site->files, buffer_span(&path));
		} else {
			fail(site, buffer_string(&path));
		}
	}
	buffer_free(&path);
	buffer_free(text);
}

static void
write_documents(struct site *site)
{
	struct buffer text = { 0 };

	autoconfig_write_xml(&site->autoconfig, site->domain, &text);
	put(site, "mail/config-v1.1.xml", &text);
	autoconfig_write_xml(&site->autoconfig, site->domain, &text);
	put(site, ".well-known/autoconfig/mail/config-v1.1.xml", &text);
	autoconfig_write_outlook(&site->autoconfig, SPAN(""), &text);
	put(site, "autodiscover/autodiscover.xml", &text);
	autoconfig_write_profile(&site->autoconfig, site->domain, NULL, &text);
	put(site, "email.mobileconfig", &text);
}

/* Outlook sends a POST, in whatever case: answered with the file. */
static void
write_nginx(struct site *site)
{
	char *root = realpath(site->folder, NULL);
	struct buffer text = { 0 };

	buffer_printf(&text,
	    "# For nginx: include this in the http block.  Certificates for these names are yours to add.\n"
	    "server {\n"
	    "    listen 80;\n"
	    "    listen [::]:80;\n"
	    "    server_name autoconfig.%.*s autodiscover.%.*s;\n"
	    "    root %s;\n"
	    "    location ~* ^/autodiscover/autodiscover\\.xml$ {\n"
	    "        default_type text/xml;\n"
	    "        try_files /autodiscover/autodiscover.xml =404;\n"
	    "        error_page 405 =200 /autodiscover/autodiscover.xml;\n"
	    "    }\n"
	    "    location = /email.mobileconfig {\n"
	    "        default_type application/x-apple-aspen-config;\n"
	    "    }\n"
	    "    location / {\n"
	    "        default_type text/xml;\n"
	    "    }\n"
	    "}\n",
	    SPAN_ARGS(site->domain), SPAN_ARGS(site->domain), root == NULL ? site->folder : root);
	free(root);
	put(site, "nginx.conf", &text);
}

static void
write_caddy(struct site *site)
{
	char *root = realpath(site->folder, NULL);
	struct buffer text = { 0 };

	buffer_printf(&text,
	    "# For Caddy, which gets the certificates itself; http:// stays for programs that begin with it.\n"
	    "http://autoconfig.%.*s, autoconfig.%.*s, autodiscover.%.*s {\n"
	    "	root * %s\n"
	    "	@outlook path /autodiscover/autodiscover.xml\n"
	    "	rewrite @outlook /autodiscover/autodiscover.xml\n"
	    "	header @outlook Content-Type text/xml\n"
	    "	header /email.mobileconfig Content-Type application/x-apple-aspen-config\n"
	    "	method @outlook GET\n"
	    "	file_server\n"
	    "}\n",
	    SPAN_ARGS(site->domain), SPAN_ARGS(site->domain), SPAN_ARGS(site->domain), root == NULL ? site->folder : root);
	free(root);
	put(site, "Caddyfile", &text);
}

/* RFC 6186 section 3.4, RFC 8314 section 5.1; a service that is not offered has the target ".". */
static void
write_zone(struct site *site)
{
	const struct autoconfig *autoconfig = &site->autoconfig;
	struct buffer text = { 0 };

	buffer_printf(&text, "; For the zone of %.*s\n", SPAN_ARGS(site->domain));
	if (autoconfig->imaps_port != 0)
		buffer_printf(&text, "_imaps._tcp.%.*s. IN SRV 0 1 %u %.*s.\n", SPAN_ARGS(site->domain),
		    autoconfig->imaps_port, SPAN_ARGS(autoconfig->host));
	if (autoconfig->imap_port != 0)
		buffer_printf(&text, "_imap._tcp.%.*s. IN SRV 10 1 %u %.*s.\n", SPAN_ARGS(site->domain),
		    autoconfig->imap_port, SPAN_ARGS(autoconfig->host));
	buffer_printf(&text, "_%s._tcp.%.*s. IN SRV 0 1 %u %.*s.\n",
	    autoconfig->is_smtp_starttls ? "submission" : "submissions", SPAN_ARGS(site->domain), autoconfig->smtp_port,
	    SPAN_ARGS(autoconfig->smtp_host));
	buffer_printf(&text, "_pop3._tcp.%.*s. IN SRV 0 0 0 .\n_pop3s._tcp.%.*s. IN SRV 0 0 0 .\n", SPAN_ARGS(site->domain),
	    SPAN_ARGS(site->domain));
	buffer_printf(&text, "autoconfig.%.*s. IN CNAME %.*s.\nautodiscover.%.*s. IN CNAME %.*s.\n", SPAN_ARGS(site->domain),
	    SPAN_ARGS(autoconfig->host), SPAN_ARGS(site->domain), SPAN_ARGS(autoconfig->host));
	put(site, "zone", &text);
}

/* What was typed as the configuration would take it. */
static bool
is_server(const char *text)
{
	struct span smtp = span_from_string(text);
	size_t colon = span_find(smtp, ':');
	uint64_t port;

	return autoconfig_is_domain(span_slice(smtp, 0, colon)) &&
	    (colon == smtp.length || (span_to_number(span_from(smtp, colon + 1), UINT16_MAX, &port) && port > 0));
}

static int
write_site(struct site *site, const struct config *config)
{
	const char *smtp = order_value(site->order, OPTION_SMTP);

	if (smtp == NULL)
		smtp = config->autoconfig_smtp;
	if (smtp == NULL) {
		complain("say by --smtp=HOST, or by autoconfig-smtp in %s, who takes mail from the users: programs take no settings "
		    "without", site->order->config_path);
		return EX_USAGE;
	}
	if (!is_server(smtp)) {
		complain("\"%s\" is not HOST or HOST:PORT", smtp);
		return EX_USAGE;
	}
	autoconfig_init(&site->autoconfig, config, span_from_string(smtp));
	write_documents(site);
	write_nginx(site);
	write_caddy(site);
	write_zone(site);
	return site->code;
}

int
run_clientconfig(const struct order *order)
{
	struct site site = { .order = order, .domain = span_from_string(order->words[0]),
		.folder = order_value(order, OPTION_OUT) };
	struct config *config;
	int code;

	if (site.folder == NULL || site.folder[0] == '\0') {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if (!autoconfig_is_domain(site.domain)) {
		complain("\"%s\" is not the name of a domain", order->words[0]);
		return EX_USAGE;
	}
	if ((config = order_config(order)) == NULL)
		return EX_CONFIG;
	code = write_site(&site, config);
	if (order->json != NULL)
		buffer_printf(order->json, ",\"file\":[%.*s]", SPAN_ARGS(buffer_span(&site.files)));
	buffer_free(&site.files);
	config_free(&config);
	return code;
}
