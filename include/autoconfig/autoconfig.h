/*
 * What mail programs ask to set themselves up, and what they are told: Thunderbird's and others' autoconfig, Outlook's
 * Autodiscover, and a profile for Apple's programs.  The answer is the same for every address of a domain, whether there is
 * such a user or not: nobody is looked up.  Octets in, octets out; any thread.
 */
#ifndef AUTOCONFIG_AUTOCONFIG_H
#define AUTOCONFIG_AUTOCONFIG_H

#include "base/buffer.h"
#include "base/span.h"

struct config;

#define AUTOCONFIG_ADDRESS_MAX 254	/* RFC 5321 section 4.5.3.1.3, without brackets */

/* The servers that programs are told of.  Texts are borrowed. */
struct autoconfig {
	struct span host;		/* of IMAP */
	uint16_t imaps_port, imap_port;	/* 0: none */
	struct span smtp_host;		/* who takes mail from the users */
	uint16_t smtp_port;
	bool is_smtp_starttls;		/* else TLS from the first octet */
	bool is_local_part;		/* users log in by what stands before the @ */
};

/*
 * Of a configuration.
 *
 *	smtp	HOST or HOST:PORT; 465 if no port is said, and TLS from the first octet but for 587 and 25
 */
void autoconfig_init(struct autoconfig *autoconfig, const struct config *config, struct span smtp);

struct autoconfig_address {
	struct span whole, local, domain;	/* "me@example.org"; borrowed */
};

/*
 * Read a mail address that somebody asks about: a local part without space, control character or any of `"<>&'`, and a
 * name of a domain.  False: it is none.
 */
bool autoconfig_read_address(struct span text, struct autoconfig_address *address_out);

/* Whether a text is the name of a domain: labels of letters, digits and hyphens, two or more. */
bool autoconfig_is_domain(struct span text);

/* Append config-v1.1.xml for a domain, as draft-ietf-mailmaint-autoconfig has it. */
void autoconfig_write_xml(const struct autoconfig *autoconfig, struct span domain, struct buffer *out);

/*
 * Find the address in a POST of Autodiscover (MS-OXDSCLI section 2.2.3).  Nothing in it is followed or expanded: no
 * entities but the five of XML, and with a DOCTYPE it is none.
 *
 *	address_out	the text, decoded, appended
 *	is_mobile_out	it wants settings of ActiveSync, which we have not
 *
 * False: it is no such request.
 */
bool autoconfig_read_outlook(struct span body, struct buffer *address_out, bool *is_mobile_out);

/*
 * Append the answer to it (section 2.2.4).
 *
 *	login	what the user logs in by; empty: the address, as programs take it then
 */
void autoconfig_write_outlook(const struct autoconfig *autoconfig, struct span login, struct buffer *out);

/* ... or why not: 600 is a wrong request, 601 that there is no such provider. */
void autoconfig_write_outlook_error(unsigned code, const char *message, struct buffer *out);

/*
 * Append a profile, which Apple's programs install and replace: its identifiers are always the same for a domain.
 *
 *	address	of the user; NULL: the device asks for it
 */
void autoconfig_write_profile(const struct autoconfig *autoconfig, struct span domain,
    const struct autoconfig_address *address, struct buffer *out);

/* What the owner of an address logs in by. */
struct span autoconfig_login(const struct autoconfig *autoconfig, const struct autoconfig_address *address);

#endif
