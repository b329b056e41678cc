/*
 * From a user who is proved to an open session: limits, the link to the mailbox server, the log.  With a directory
 * that asks the home, the proof itself comes with the link.  Loop thread.
 */
#include "base/clock.h"
#include "base/random.h"
#include "login.h"

static void
log_login(const struct cas_client *client)
{
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	log_info("login", log_text("sid", client->sid),
	    log_span("user", directory_name_span(&client->user)), log_span("by", client_acting(client)),
	    log_text("kind", client->is_master ? "master" : client->is_acting ? "delegate" : NULL),
	    log_text("rip", client->address),
	    log_text("mech", sasl_mechanism_name(client->mechanism)),
	    log_text("tls", tls.version),
	    log_text("relay", client->server == NULL ? NULL : client->server->name),
	    log_number("ms", (int64_t)((clock_monotonic_us() - client->began_us) / 1000)));
}

/* A server's words go to the client as they are; the link has read them as one line. */
void
admission_refuse(struct cas_client *client, struct span text)
{
	struct buffer line = { 0 };

	buffer_add_span(&line, buffer_span(&client->tag));
	buffer_add_string(&line, " NO ");
	buffer_add_span(&line, text);
	buffer_add_string(&line, "\r\n");
	client_note_answer(client, IMAP_NO);
	client_note_login(client, METRIC_LOGIN_REFUSED);
	client_write(client, &line);
	buffer_free(&line);
	verdict_forget(client);
	client_enter(client, GREETED);
}

static void
answer_refused(struct cas_client *client, struct span text)
{
	if (!span_starts_with_nocase(text, SPAN("[UNAVAILABLE]")))	/* it is stopping, or starts */
		outage_note_server(client->cas, buffer_span(&client->home), "refused");
	admission_refuse(client, text);
}

static void
answer_no_server(struct cas_client *client, enum link_status status)
{
	outage_note_server(client->cas, buffer_span(&client->home), link_status_name(status));
	verdict_unavailable(client, link_status_name(status));
}

/* A reload may have come since the user was looked up. */
static bool
has_been_denied(struct cas_client *client)
{
	client->is_denied = client->is_denied || denied_client(client);
	return client->is_denied;
}

static void
begin_session(struct cas_client *client, const struct link_result *result)
{
	struct buffer code = { 0 };

	client_write_untagged(client, result->untagged);
	buffer_add_string(&code, "CAPABILITY ");
	buffer_add_span(&code, result->capability);
	client_reply(client, buffer_span(&client->tag), IMAP_OK,
	    result->capability.length > 0 ? buffer_string(&code) : NULL, "Logged in");
	buffer_free(&code);
	client->mailbox = result->stream;
	client->cas->status.logins++;
	client_note_login(client, METRIC_LOGIN_OK);
	if (client->server == NULL)
		outage_end(client->cas, CAS_OUTAGE_MAILBOX_SERVER);
	else
		relays_note_login(client->server);
	log_login(client);
	verdict_forget(client);
	pipe_open(client);
}

/* Count the session, unless the user has too many: then that is said. */
static bool
join_users(struct cas_client *client)
{
	struct cas *cas = client->cas;
	struct span user = directory_name_span(&client->user);

	client->is_logged_in = true;
	cas->status.sessions++;
	if (count_up(cas->by_user, user) <= cas->parts.config->max_connections_per_user)
		return true;
	client_leave_users(client);
	log_info("limit", log_text("sid", client->sid), log_span("user", user),
	    log_text("limit", "max-connections-per-user"));
	metric_count(METRIC_LIMIT_HITS, METRIC_MAX_CONNECTIONS_PER_USER, 0);
	client_note_login(client, METRIC_LOGIN_REFUSED);
	verdict_tell(client, IMAP_NO, "LIMIT", "Too many connections of this user");
	return false;
}

/* The session is open already, and nobody may have it. */
static void
refuse_linked(struct cas_client *client, const struct link_result *result)
{
	struct stream *stream = result->stream;

	stream_free(&stream);
	verdict_failed(client);
}

static void
on_linked(const struct link_result *result, void *context)
{
	struct cas_client *client = context;

	client->attempt = NULL;
	if (result->status == LINK_OK && !has_been_denied(client)) {
		begin_session(client, result);
		return;
	}
	client_leave_users(client);
	if (client->is_denied)
		refuse_linked(client, result);
	else if (result->status == LINK_REFUSED)
		answer_refused(client, result->text);
	else
		answer_no_server(client, result->status);
}

/* The other end has compared the password, too.  Only now is it sure that a session is the user's. */
void
admission_take(struct cas_client *client, const struct link_result *result)
{
	struct stream *stream = result->stream;

	if (has_been_denied(client)) {
		refuse_linked(client, result);
		return;
	}
	login_succeeded(client);
	if (!referral_give(client) && join_users(client))
		begin_session(client, result);
	else
		stream_free(&stream);
}

static void
on_proved(const struct link_result *result, void *context)
{
	struct cas_client *client = context;

	client->attempt = NULL;
	switch (result->status) {
	case LINK_OK:
		admission_take(client, result);
		break;
	case LINK_DENIED:
		verdict_failed(client);
		break;
	case LINK_REFUSED:
		answer_refused(client, result->text);
		break;
	default:
		answer_no_server(client, result->status);
	}
}

static struct span
optional(const char *text)
{
	return text == NULL ? (struct span){ NULL, 0 } : span_from_string(text);
}

struct link_facts
admission_facts(struct cas_client *client, struct buffer *capability_out)
{
	struct tls_facts tls;

	random_hex(client->return_word, RETURN_WORD_LENGTH);
	capability_write(client, capability_out);
	stream_tls_facts(client->stream, &tls);
	return (struct link_facts){
		.session_id = span_from_string(client->sid),
		.address = span_from_string(client->address),
		.port = stream_peer_port(client->stream),
		.tls_version = optional(tls.version),
		.tls_cipher = optional(tls.cipher),
		.client_id = buffer_span(&client->id),
		.prover = client_acting(client),
		.is_master = client->is_master,
		.return_word = span_from_string(client->return_word),
		.return_capability = buffer_span(capability_out),
		.may_carry = true,
	};
}

static void
open_link(struct cas_client *client)
{
	struct buffer capability = { 0 };
	struct link_facts facts = admission_facts(client, &capability);

	client_enter(client, LINKING);
	client->attempt = link_connect(client->cas->parts.link, buffer_span(&client->home),
	    directory_name_span(&client->user), &facts, on_linked, client);
	buffer_free(&capability);
}

/* Let the mailbox server say whether the password fits.  A name that nobody can have is not asked for. */
void
admission_ask_home(struct cas_client *client)
{
	struct buffer capability = { 0 };
	struct link_facts facts;

	if (client->user.length == 0 || client->prover.length == 0 || sasl_password(client->sasl).length == 0) {
		verdict_failed(client);
		return;
	}
	facts = admission_facts(client, &capability);
	facts.prover.length = 0;	/* it is to be found out */
	facts.identity = client->is_acting ? directory_name_span(&client->user) : SPAN("");
	client_enter(client, LINKING);
	client->attempt = link_connect_with_password(client->cas->parts.link, buffer_span(&client->home),
	    directory_name_span(&client->prover), sasl_password(client->sasl), &facts, on_proved, client);
	buffer_free(&capability);
}

void
admission_open(struct cas_client *client)
{
	if (has_been_denied(client)) {
		verdict_failed(client);
		return;
	}
	login_succeeded(client);
	if (!referral_give(client) && join_users(client))
		open_link(client);
}
