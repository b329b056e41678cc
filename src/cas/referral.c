/*
 * Sending a client to the host where its user's mail is: RFC 2221.  Only who has proved to be the user is told where
 * that is (section 6).  Loop thread.
 */
#include "imap/capability.h"
#include "login.h"

/* Whether a name means the server that the client's user is relayed to. */
static bool
is_relayed_to(const struct cas_client *client, const char *name)
{
	struct buffer canonical = { 0 };
	struct link_home home;
	bool is_same;

	if (client->server == NULL || link_home_read(span_from_string(name), &home) != NULL)
		return false;
	link_home_write(&home, &canonical);
	is_same = strcmp(buffer_string(&canonical), client->server->name) == 0;
	buffer_free(&canonical);
	return is_same;
}

/* The public address of the host; NULL: the user is served here. */
static const char *
address_for(const struct cas_client *client)
{
	const struct config_servers *referrals = &client->cas->parts.config->login_referral;
	struct span server = link_server_of(client->cas->parts.link, buffer_span(&client->home));

	for (size_t i = 0; i < referrals->count; i++) {
		const char *name = referrals->at[i].name;

		if (span_equals(server, span_from_string(name)) || is_relayed_to(client, name))
			return referrals->at[i].address;
	}
	return NULL;
}

/* What the user is called there. */
static struct span
name_there(const struct cas_client *client, struct link_home *home)
{
	if (client->server != NULL && link_home_read(buffer_span(&client->home), home) == NULL && home->user[0] != '\0')
		return span_from_string(home->user);
	return directory_name_span(&client->user);
}

/* RFC 5092 section 3.2: octets that are not unreserved (RFC 3986 section 2.3) in hexadecimal. */
static void
write_user(struct buffer *out, struct span user)
{
	static const struct span unreserved = SPAN("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

	for (size_t i = 0; i < user.length; i++) {
		uint8_t octet = user.at[i];

		if (span_find(unreserved, octet) < unreserved.length)
			buffer_add_octet(out, octet);
		else
			buffer_printf(out, "%%%02X", octet);
	}
}

bool
referral_give(struct cas_client *client)
{
	struct span user = directory_name_span(&client->user);
	const char *address = address_for(client);
	struct link_home home;
	struct buffer code = { 0 };

	if (address == NULL || imap_capabilities_have(&client->masked, IMAP_CAN_LOGIN_REFERRALS))
		return false;
	log_info("referral", log_text("sid", client->sid), log_span("user", user), log_text("rip", client->address),
	    log_text("server", address));
	client_note_login(client, METRIC_LOGIN_REFUSED);
	buffer_add_string(&code, "REFERRAL imap://");
	write_user(&code, name_there(client, &home));
	buffer_printf(&code, ";AUTH=*@%s/", address);	/* so that nobody tries as anonymous: RFC 2221 section 3 */
	verdict_tell(client, IMAP_NO, buffer_string(&code), "Your mail is on another server");
	buffer_free(&code);
	return true;
}
