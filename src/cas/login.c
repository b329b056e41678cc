/*
 * Who a client is.  LOGIN is PLAIN in other words, so there is one way:
 *
 *	sasl asks -> the directory is asked on its queue -> a worker checks the password, unless the same
 *	was right a short while ago -> the link is opened, or the failure is told after a delay
 *
 * A user that does not exist takes the same way and costs the same.  Passwords live in struct sasl, and
 * in a check while a worker has it; both wipe them.  Loop thread; the work() functions on workers.
 */
#include <stdlib.h>

#include "auth/password.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "client.h"

#define VERIFYING_MAX 256

/* One question to the directory and one to a password worker, in this order. */
struct check {
	struct job job;
	struct cas_client *client;		/* loop thread only */
	struct directory *directory;
	struct directory_name name;
	struct buffer password;			/* wiped by whoever has it last */
	struct {				/* filled by the workers */
		enum directory_status status;
		struct directory_user user;
		bool is_match;
	} out;
	bool is_verifier;			/* the directory checks passwords itself */
	struct arena *arena;			/* of out.user */
};

static void react(struct cas_client *client, enum sasl_event event);

static void
check_free(struct check *check)
{
	if (check->password.at != NULL)
		memory_wipe(check->password.at, check->password.capacity);
	buffer_free(&check->password);
	arena_free(&check->arena);
	free(check);
}

void
login_forget(struct cas_client *client)
{
	sasl_free(&client->sasl);
	buffer_clear(&client->tag);
}

/* Answer the command and read the next one. */
static void
answer(struct cas_client *client, enum imap_condition condition, const char *code, const char *text)
{
	client_reply(client, buffer_span(&client->tag), condition, code, text);
	login_forget(client);
	client_enter(client, GREETED);
}

static void
answer_malformed(struct cas_client *client, const char *text)
{
	answer(client, IMAP_BAD, NULL, text);
	client_is_one_too_many(client);
}

static void
answer_unavailable(struct cas_client *client, const char *why)
{
	log_warning("login-unavailable", log_text("sid", client->sid), log_text("reason", why));
	answer(client, IMAP_NO, "UNAVAILABLE", "Try again later");
}

void
login_on_delay_over(void *context)
{
	answer(context, IMAP_NO, "AUTHENTICATIONFAILED", "Authentication failed");
}

/* The same words and the same delay, whatever the cause. */
static void
fail(struct cas_client *client)
{
	struct cas *cas = client->cas;
	struct span user = sasl_user(client->sasl);
	uint32_t delay_ms = throttle_failed(cas->throttle, client->address, user, clock_monotonic_us());
	const char *why = client->user.length == 0 ? "unknown-user" : "password";

	if (client->is_denied)
		why = "deny-users";

	cas->status.failures++;
	log_info("auth-fail", log_text("sid", client->sid), log_span("user", user),
	    log_text("rip", client->address),
	    log_text("mech", sasl_mechanism_name(client->mechanism)),
	    log_text("reason", why));
	client_enter(client, DELAYED);
	timer_start_ms(&client->delay_timer, delay_ms);
}

static void
log_login(const struct cas_client *client)
{
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	log_info("login", log_text("sid", client->sid),
	    log_span("user", directory_name_span(&client->user)), log_text("rip", client->address),
	    log_text("mech", sasl_mechanism_name(client->mechanism)),
	    log_text("tls", tls.version),
	    log_number("ms", (int64_t)((clock_monotonic_us() - client->began_us) / 1000)));
}

/* The mailbox role's words go to the client as they are; the link has read them as one line. */
static void
answer_refused(struct cas_client *client, struct span text)
{
	struct buffer line = { 0 };

	buffer_add_span(&line, buffer_span(&client->tag));
	buffer_add_string(&line, " NO ");
	buffer_add_span(&line, text);
	buffer_add_string(&line, "\r\n");
	stream_write_buffer(client->stream, &line);
	buffer_free(&line);
	login_forget(client);
	client_enter(client, GREETED);
}

static void
leave_users(struct cas_client *client)
{
	struct cas *cas = client->cas;

	count_down(cas->by_user, directory_name_span(&client->user));
	cas->status.sessions--;
	client->is_logged_in = false;
}

/* A reload may have come since the user was looked up. */
static bool
has_been_denied(struct cas_client *client)
{
	client->is_denied = client->is_denied || denied_has(client->cas, &client->user);
	return client->is_denied;
}

static void
begin_session(struct cas_client *client, const struct link_result *result)
{
	struct buffer code = { 0 };

	buffer_add_string(&code, "CAPABILITY ");
	buffer_add_span(&code, result->capability);
	client_reply(client, buffer_span(&client->tag), IMAP_OK,
	    result->capability.length > 0 ? buffer_string(&code) : NULL, "Logged in");
	buffer_free(&code);
	client->mailbox = result->stream;
	client->cas->status.logins++;
	log_login(client);
	login_forget(client);
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
	leave_users(client);
	log_info("limit", log_text("sid", client->sid), log_span("user", user),
	    log_text("limit", "max-connections-per-user"));
	answer(client, IMAP_NO, "LIMIT", "Too many connections of this user");
	return false;
}

/* The session is open already, and nobody may have it. */
static void
refuse_linked(struct cas_client *client, const struct link_result *result)
{
	struct stream *stream = result->stream;

	stream_free(&stream);
	fail(client);
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
	leave_users(client);
	if (client->is_denied)
		refuse_linked(client, result);
	else if (result->status == LINK_REFUSED)
		answer_refused(client, result->text);
	else
		answer_unavailable(client, link_status_name(result->status));
}

/* The mailbox server has compared the password, too.  Only now is it sure that a session is the user's. */
static void
on_proved(const struct link_result *result, void *context)
{
	struct cas_client *client = context;
	struct stream *stream = result->stream;

	client->attempt = NULL;
	switch (result->status) {
	case LINK_OK:
		if (has_been_denied(client)) {
			refuse_linked(client, result);
			break;
		}
		throttle_succeeded(client->cas->throttle, sasl_user(client->sasl));
		if (join_users(client))
			begin_session(client, result);
		else
			stream_free(&stream);
		break;
	case LINK_DENIED:
		fail(client);
		break;
	case LINK_REFUSED:
		answer_refused(client, result->text);
		break;
	default:
		answer_unavailable(client, link_status_name(result->status));
	}
}

static struct span
optional(const char *text)
{
	return text == NULL ? (struct span){ NULL, 0 } : span_from_string(text);
}

static struct link_facts
facts_of(const struct cas_client *client)
{
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	return (struct link_facts){
		.session_id = span_from_string(client->sid),
		.address = span_from_string(client->address),
		.port = stream_peer_port(client->stream),
		.tls_version = optional(tls.version),
		.tls_cipher = optional(tls.cipher),
	};
}

static void
open_link(struct cas_client *client)
{
	struct link_facts facts = facts_of(client);

	client_enter(client, LINKING);
	client->attempt = link_connect(client->cas->parts.link, buffer_span(&client->home),
	    directory_name_span(&client->user), &facts, on_linked, client);
}

/* Let the mailbox server say whether the password fits.  A name that nobody can have is not asked for. */
static void
ask_home(struct cas_client *client)
{
	struct link_facts facts = facts_of(client);

	if (client->user.length == 0 || sasl_password(client->sasl).length == 0) {
		fail(client);
		return;
	}
	client_enter(client, LINKING);
	client->attempt = link_connect_with_password(client->cas->parts.link, buffer_span(&client->home),
	    directory_name_span(&client->user), sasl_password(client->sasl), &facts, on_proved, client);
}

static void
succeed(struct cas_client *client)
{
	if (has_been_denied(client)) {
		fail(client);
		return;
	}
	throttle_succeeded(client->cas->throttle, sasl_user(client->sasl));
	if (join_users(client))
		open_link(client);
}

static struct auth_proof
proof_of(struct cas_client *client, const struct check *check)
{
	return (struct auth_proof){
		.user = directory_name_span(&client->user),
		.credential_version = check->out.user.credential_version,
		.mechanism = client->mechanism,
		.password = sasl_password(client->sasl),
	};
}

static void
verify_work(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct span password = buffer_span(&check->password);
	struct span credential = check->out.user.credential;

	check->out.status = DIRECTORY_OK;
	if (check->is_verifier)
		check->out.status = directory_verify(check->directory, credential, password,
		    &check->out.is_match);
	else
		check->out.is_match = password_verify(password, credential);
}

/* The password was compared, or nobody could.  Borrows the check. */
static void
use_verdict(struct cas_client *client, const struct check *check)
{
	struct auth_proof proof = proof_of(client, check);

	if (check->out.status != DIRECTORY_OK) {
		answer_unavailable(client, directory_status_text(check->out.status));
		return;
	}
	if (check->out.is_match)
		auth_cache_add(client->cas->cache, &proof, clock_monotonic_us());
	react(client, sasl_verified(client->sasl, check->out.is_match));
}

static void
on_verified(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct cas_client *client = check->client;

	client->jobs--;
	client->cas->verifying--;
	if (client->state == VERIFYING)		/* it may have left meanwhile */
		use_verdict(client, check);
	client_wake(client);
	check_free(check);
}

/* Whether the password fits: remembered, or a matter for a worker.  Takes the check. */
static void
verify(struct cas_client *client, struct check *check)
{
	struct cas *cas = client->cas;
	struct auth_proof proof = proof_of(client, check);

	if (check->out.user.credential.length > 0 &&
	    auth_cache_has(cas->cache, &proof, clock_monotonic_us())) {
		check_free(check);
		react(client, sasl_verified(client->sasl, true));
		return;
	}
	if (cas->verifying == VERIFYING_MAX) {
		check_free(check);
		answer_unavailable(client, "too many passwords wait to be checked");
		return;
	}
	cas->verifying++;
	client->jobs++;
	buffer_add_span(&check->password, proof.password);
	check->job.work = verify_work;
	check->job.done = on_verified;
	check->is_verifier = directory_is_verifier(check->directory);
	workers_submit(check->is_verifier ? cas->parts.storage : cas->parts.compute, &check->job);
}

static void
look_up_work(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);

	check->out.status = directory_lookup(check->directory, directory_name_span(&check->name),
	    check->arena, &check->out.user);
	/* Who may not log in looks like nobody. */
	if (check->out.status != DIRECTORY_OK || !check->out.user.is_enabled)
		check->out.user = (struct directory_user){ .credential_version = 0 };
}

/* The directory has answered.  Takes the check. */
static void
use_answer(struct cas_client *client, struct check *check)
{
	enum directory_status status = check->out.status;

	if (status != DIRECTORY_OK && status != DIRECTORY_NOT_FOUND) {
		check_free(check);
		answer_unavailable(client, directory_status_text(status));
		return;
	}
	if (check->out.user.credential.length == 0)
		client->user.length = 0;
	else
		directory_prepare_name(check->out.user.name, &client->user);
	buffer_clear(&client->home);
	buffer_add_span(&client->home, check->out.user.home);
	if (directory_asks_home(client->cas->parts.directory)) {
		check_free(check);
		ask_home(client);
		return;
	}
	client->is_denied = denied_has(client->cas, &client->user);
	if (client->is_denied)
		check->out.user = (struct directory_user){ .credential_version = 0 };
	if (client->event == SASL_VERIFY) {
		verify(client, check);
		return;
	}
	react(client, sasl_credential(client->sasl, check->out.user.credential));
	check_free(check);
}

static void
on_looked_up(struct job *job)
{
	struct check *check = CONTAINER_OF(job, struct check, job);
	struct cas_client *client = check->client;

	client->jobs--;
	client_wake(client);
	if (client->state == VERIFYING)
		use_answer(client, check);
	else
		check_free(check);
}

/* A name that nobody can have is asked for all the same, so that it takes as long. */
static void
look_up(struct cas_client *client, enum sasl_event event)
{
	struct check *check = NEW(struct check);

	client->event = event;
	if (!directory_prepare_name(sasl_user(client->sasl), &client->user))
		client->user = (struct directory_name){ .length = 0 };
	check->client = client;
	check->directory = client->cas->parts.directory;
	check->name = client->user;
	check->arena = arena_new();
	check->job.work = look_up_work;
	check->job.done = on_looked_up;
	if (client->state != VERIFYING)
		client_enter(client, VERIFYING);
	if (job_queue_submit(client->cas->parts.directory_queue, &check->job)) {
		client->jobs++;
		return;
	}
	check_free(check);
	answer_unavailable(client, "too many logins wait for the directory");
}

/* RFC 9051 section 6.2.2: `+ ` and base64; the answer is a line of its own. */
static void
challenge(struct cas_client *client)
{
	struct buffer line = { 0 };

	buffer_add_string(&line, "+ ");
	buffer_add_span(&line, sasl_challenge(client->sasl));
	buffer_add_string(&line, "\r\n");
	stream_write_buffer(client->stream, &line);
	buffer_free(&line);
	imap_parser_expect_line(client->parser, SASL_LINE_MAX);
	client_enter(client, ANSWERING);
	client_wake(client);
}

static void
react(struct cas_client *client, enum sasl_event event)
{
	switch (event) {
	case SASL_CHALLENGE:
		challenge(client);
		break;
	case SASL_LOOK_UP:
	case SASL_VERIFY:
		look_up(client, event);
		break;
	case SASL_DONE:
		succeed(client);
		break;
	case SASL_FAILED:
		fail(client);
		break;
	case SASL_MALFORMED:
		answer_malformed(client, "Not what the mechanism expects");
		break;
	case SASL_CANCELLED:
		answer_malformed(client, "Cancelled");
		break;
	}
}

/* SCRAM needs the credential itself, which not every directory gives away. */
unsigned
login_mechanisms(const struct cas *cas)
{
	unsigned mechanisms = 1u << SASL_PLAIN | 1u << SASL_LOGIN;

	if (!directory_is_verifier(cas->parts.directory) && !directory_asks_home(cas->parts.directory))
		mechanisms |= 1u << SASL_SCRAM_SHA_256;
	return mechanisms;
}

static void
begin(struct cas_client *client, const struct imap_command_line *line, enum sasl_mechanism mechanism)
{
	login_forget(client);
	buffer_add_span(&client->tag, line->tag);
	client->mechanism = mechanism;
	client->is_denied = false;
	client->began_us = clock_monotonic_us();
	client->sasl = sasl_new(mechanism, span_of(client->cas->secret, sizeof client->cas->secret));
}

static void
wipe(struct buffer *secret)
{
	memory_wipe(secret->at, secret->capacity);
	buffer_free(secret);
}

/* LOGIN as the message of PLAIN: NUL, user, NUL, password (RFC 4616 section 2); neither holds NUL. */
void
login_with_password(struct cas_client *client, const struct imap_command_line *line)
{
	struct buffer message = { 0 }, encoded = { 0 };
	struct span initial;

	begin(client, line, SASL_PLAIN);
	buffer_reserve(&message, line->login.user.length + line->login.password.length + 2);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, line->login.user);
	buffer_add_octet(&message, 0);
	buffer_add_span(&message, line->login.password);
	buffer_reserve(&encoded, message.length * 2 + 4);
	base64_encode(buffer_span(&message), &encoded);
	initial = buffer_span(&encoded);
	react(client, sasl_start(client->sasl, &initial));
	wipe(&message);
	wipe(&encoded);
}

void
login_with_mechanism(struct cas_client *client, const struct imap_command_line *line)
{
	const struct imap_authenticate *wanted = &line->authenticate;
	enum sasl_mechanism mechanism;

	if (!sasl_find_mechanism(wanted->mechanism, login_mechanisms(client->cas), &mechanism)) {
		client_reply(client, line->tag, IMAP_NO, "CANNOT", "No such mechanism");
		return;
	}
	begin(client, line, mechanism);
	react(client, sasl_start(client->sasl, wanted->has_initial ? &wanted->initial : NULL));
}

void
login_answer(struct cas_client *client, struct span line)
{
	react(client, sasl_respond(client->sasl, line));
}
