/*
 * The client's side of SASL: PLAIN (RFC 4616), LOGIN, SCRAM (RFC 5802, RFC 7677), OAUTHBEARER (RFC 7628), XOAUTH2; and the
 * command LOGIN.  RFC 9051 sections 6.2.2 and 6.2.3.
 */
#include "authenticate.h"

#include <sysexits.h>

#include "auth/scram_prover.h"
#include "base/base64.h"
#include "base/memory.h"
#include "secret.h"

struct exchange {
	const struct login_settings *settings;
	const struct mechanism *mechanism;
	struct span user;		/* who proves the secret */
	struct span identity;		/* as whom is acted; empty: as the same */
	struct span end_point;
	bool could_bind;
	bool is_token;			/* what is proved is a token */
	struct scram_prover *prover;	/* of SCRAM */
	bool is_proved;			/* the server has proved what it must */
	struct buffer complaint;	/* what it says of a token */
};

/* Append the answer to a challenge, from turn 0 on; false: it makes no sense. */
typedef bool answer_turn(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out);

static answer_turn answer_plain, answer_login, answer_scram, answer_bearer, answer_xoauth2;

static const struct mechanism {
	const char *name;
	answer_turn *answer;
	bool is_bound;		/* to the channel */
	bool is_token;
	bool has_identity;	/* it can say as whom is acted */
	bool is_open;		/* it sends the secret */
} mechanisms[] = {		/* the best first */
	{ "SCRAM-SHA-256-PLUS", answer_scram, true, false, true, false },
	{ "SCRAM-SHA-256", answer_scram, false, false, true, false },
	{ "SCRAM-SHA-1-PLUS", answer_scram, true, false, true, false },
	{ "SCRAM-SHA-1", answer_scram, false, false, true, false },
	{ "PLAIN", answer_plain, false, false, true, true },
	{ "LOGIN", answer_login, false, false, false, true },
	{ "OAUTHBEARER", answer_bearer, false, true, true, true },
	{ "XOAUTH2", answer_xoauth2, false, true, false, true },
};

static bool
answer_plain(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	(void)challenge;
	buffer_add_span(out, exchange->identity);
	buffer_add_octet(out, '\0');
	buffer_add_span(out, exchange->user);
	buffer_add_octet(out, '\0');
	buffer_add_span(out, exchange->settings->secret);
	return turn == 0;
}

/* The challenges are "User Name" and "Password", or anything else. */
static bool
answer_login(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	(void)challenge;
	buffer_add_span(out, turn == 0 ? exchange->user : exchange->settings->secret);
	return turn < 2;
}

static bool
answer_scram(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	if (turn == 0)
		scram_prover_begin(exchange->prover, out);
	else if (turn == 1)
		return scram_prover_answer(exchange->prover, challenge, out);
	else
		exchange->is_proved = scram_prover_check(exchange->prover, challenge);
	return turn < 2 || exchange->is_proved;
}

/* RFC 7628 section 3.1; a challenge says what is wrong with the token, and is answered by an octet (section 3.2.3). */
static bool
answer_bearer(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	const struct url *url = exchange->settings->url;
	struct span identity = exchange->identity.length > 0 ? exchange->identity : exchange->user;

	if (turn > 0) {
		buffer_add_span(&exchange->complaint, challenge);
		buffer_add_octet(out, '\1');
		return turn == 1;
	}
	buffer_add_string(out, "n,a=");
	for (size_t i = 0; i < identity.length; i++) {
		if (identity.at[i] == ',' || identity.at[i] == '=')
			buffer_add_string(out, identity.at[i] == ',' ? "=2C" : "=3D");
		else
			buffer_add_octet(out, identity.at[i]);
	}
	buffer_printf(out, ",\1host=%s\1port=%u\1auth=Bearer ", url->host, url->port);
	buffer_add_span(out, exchange->settings->secret);
	buffer_add_string(out, "\1\1");
	return true;
}

/* As Google and Microsoft document it; a challenge is answered by an empty line. */
static bool
answer_xoauth2(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	if (turn > 0) {
		buffer_add_span(&exchange->complaint, challenge);
		return turn == 1;
	}
	buffer_add_string(out, "user=");
	buffer_add_span(out, exchange->user);
	buffer_add_string(out, "\1auth=Bearer ");
	buffer_add_span(out, exchange->settings->secret);
	buffer_add_string(out, "\1\1");
	return true;
}

/* Append the answer to a turn in base64; false: there is none, and the exchange is to be cancelled. */
static bool
add_turn(struct exchange *exchange, unsigned turn, struct span challenge, struct buffer *out)
{
	struct buffer message = { 0 }, decoded = { 0 };
	bool is_good = (challenge.length == 0 || base64_decode(challenge, &decoded) || turn == 0) &&
	    exchange->mechanism->answer(exchange, turn, buffer_span(&decoded), &message);

	if (is_good)
		base64_encode(buffer_span(&message), out);
	buffer_wipe(&message);
	buffer_free(&decoded);
	return is_good;
}

static bool
is_client_first(const struct mechanism *mechanism)
{
	return mechanism->answer != answer_login;
}

/* AUTHENTICATE from the command to its answer; false when the connection is lost. */
static bool
run(struct remote *remote, struct exchange *exchange, struct remote_answer *answer_out)
{
	struct dialog *dialog = remote_dialog(remote);
	bool is_early = is_client_first(exchange->mechanism) && remote_can(remote, "SASL-IR");
	uint32_t number = remote_begin(remote, "AUTHENTICATE ");
	enum remote_turn turn;
	struct span challenge;
	unsigned turns = 0;

	buffer_add_string(remote_out(remote), exchange->mechanism->name);
	if (is_early) {
		buffer_add_octet(remote_out(remote), ' ');
		add_turn(exchange, turns++, (struct span){ NULL, 0 }, remote_out(remote));
	}
	remote_end(remote);
	while ((turn = remote_await_turn(remote, number, &challenge)) == REMOTE_CONTINUES) {
		dialog_wipe_out(dialog);
		if (!add_turn(exchange, turns++, challenge, remote_out(remote)))
			buffer_add_octet(remote_out(remote), '*');
		buffer_add_string(remote_out(remote), "\r\n");
	}
	dialog_wipe_out(dialog);
	return turn == REMOTE_ANSWERED && remote_wait(remote, number, answer_out);
}

/* The command LOGIN, for servers that have nothing else; false when the connection is lost. */
static bool
run_command(struct remote *remote, const struct exchange *exchange, struct remote_answer *answer_out)
{
	uint32_t number = remote_begin(remote, "LOGIN ");
	bool is_alive;

	if (remote_add_string(remote, exchange->user)) {
		buffer_add_octet(remote_out(remote), ' ');
		if (remote_add_string(remote, exchange->settings->secret))
			remote_end(remote);
	}
	is_alive = remote_wait(remote, number, answer_out);
	dialog_wipe_out(remote_dialog(remote));
	return is_alive;
}

/* Octets of the server's in a sentence of ours: nothing that moves a cursor. */
static void
add_printable(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.length && i < 400; i++)
		buffer_add_octet(out, text.at[i] < ' ' || text.at[i] == 127 ? ' ' : text.at[i]);
}

static bool
is_code(const struct remote_answer *answer, struct span name)
{
	return span_equals_nocase(answer->code.name, name);
}

/* What the answer means; an exit code. */
static int
judge(const struct exchange *exchange, const struct remote_answer *answer, struct buffer *trouble_out)
{
	bool is_scram = exchange->mechanism != NULL && exchange->mechanism->answer == answer_scram;

	if (answer->condition == IMAP_REPLY_OK && (!is_scram || exchange->is_proved))
		return EX_OK;
	buffer_clear(trouble_out);
	if (answer->condition == IMAP_REPLY_OK) {
		buffer_add_string(trouble_out, "the server has not proved that it knows the password: it may be another one");
		return EX_PROTOCOL;
	}
	if (is_code(answer, SPAN("REFERRAL"))) {	/* RFC 2221 section 4.1 */
		buffer_add_string(trouble_out, "this user's mail is elsewhere: ");
		add_printable(trouble_out, answer->code.arguments);
		return EX_NOPERM;
	}
	buffer_add_string(trouble_out, "the login is refused: ");
	add_printable(trouble_out, answer->text);
	if (exchange->complaint.length > 0) {
		buffer_add_string(trouble_out, " ");
		add_printable(trouble_out, buffer_span(&exchange->complaint));
	}
	return is_code(answer, SPAN("UNAVAILABLE")) || is_code(answer, SPAN("INUSE")) ||
	    is_code(answer, SPAN("LIMIT")) ? EX_TEMPFAIL : EX_NOPERM;
}

/* Log in by one mechanism, or by the command LOGIN: NULL. */
static int
try(struct remote *remote, struct exchange *exchange, const struct mechanism *mechanism, struct buffer *trouble_out)
{
	struct scram_proof proof = { .user = exchange->user, .identity = exchange->identity,
		.password = exchange->settings->secret, .could_bind = exchange->could_bind };
	struct remote_answer answer;
	bool is_alive;

	exchange->mechanism = mechanism;
	if (mechanism != NULL && mechanism->answer == answer_scram) {
		proof.is_sha256 = strstr(mechanism->name, "256") != NULL;
		if (mechanism->is_bound)
			proof.end_point = exchange->end_point;
		exchange->prover = scram_prover_new(&proof);
	}
	is_alive = mechanism != NULL ? run(remote, exchange, &answer) : run_command(remote, exchange, &answer);
	scram_prover_free(&exchange->prover);
	if (is_alive)
		return judge(exchange, &answer, trouble_out);
	buffer_clear(trouble_out);
	buffer_add_string(trouble_out, dialog_trouble(remote_dialog(remote)));
	return EX_TEMPFAIL;
}

/* Whether a mechanism can be used here, as the settings want it. */
static bool
fits(struct remote *remote, const struct exchange *exchange, const struct mechanism *mechanism)
{
	return mechanism->is_token == exchange->is_token &&
	    (exchange->identity.length == 0 || mechanism->has_identity) &&
	    (!mechanism->is_bound || exchange->end_point.length > 0) && remote_can_authenticate(remote, mechanism->name);
}

/*
 * The best, from a place in the table on; NULL: there is none.  None that binds: a server does not tell to what it can bind, and
 * cyrus-sasl, which offers SCRAM-SHA-1-PLUS, takes tls-unique alone.  A failed login costs some seconds there, and may lock a user
 * out.
 */
static const struct mechanism *
choose(struct remote *remote, const struct exchange *exchange, size_t from)
{
	for (size_t i = from; i < COUNT_OF(mechanisms); i++)
		if (!mechanisms[i].is_bound && fits(remote, exchange, &mechanisms[i]))
			return &mechanisms[i];
	return NULL;
}

static bool
may_use_command(struct remote *remote, const struct exchange *exchange)
{
	return exchange->identity.length == 0 && !remote_can(remote, "LOGINDISABLED");
}

static int
complain_of_none(struct remote *remote, const struct exchange *exchange, struct buffer *trouble_out)
{
	if (exchange->identity.length > 0)
		buffer_add_string(trouble_out, "the server offers neither PLAIN nor SCRAM, in which one user can act as another");
	else if (remote_can(remote, "LOGINDISABLED"))
		buffer_add_string(trouble_out, "the server takes no passwords on this connection");
	else
		buffer_add_string(trouble_out, "the server offers no way to log in that is known here");
	return EX_PROTOCOL;
}

/* None was asked for. */
static int
use_best(struct remote *remote, struct exchange *exchange, struct buffer *trouble_out)
{
	const struct mechanism *mechanism = choose(remote, exchange, 0), *open;
	int code;

	if (mechanism == NULL && !may_use_command(remote, exchange))
		return complain_of_none(remote, exchange, trouble_out);
	code = try(remote, exchange, mechanism, trouble_out);
	if (code != EX_NOPERM || mechanism == NULL || mechanism->is_open ||
	    !connection_is_tls(dialog_connection(remote_dialog(remote))))
		return code;
	open = mechanism;
	while (open != NULL && !open->is_open)
		open = choose(remote, exchange, (size_t)(open + 1 - mechanisms));
	return open == NULL ? code : try(remote, exchange, open, trouble_out);
}

static int
use_named(struct remote *remote, struct exchange *exchange, struct span name, struct buffer *trouble_out)
{
	for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
		if (!span_equals_nocase(name, span_from_string(mechanisms[i].name)))
			continue;
		exchange->is_token = mechanisms[i].is_token;
		if (fits(remote, exchange, &mechanisms[i]))
			return try(remote, exchange, &mechanisms[i], trouble_out);
		if (mechanisms[i].answer == answer_login && may_use_command(remote, exchange))
			return try(remote, exchange, NULL, trouble_out);
		buffer_printf(trouble_out, "%s cannot be used here: %s", mechanisms[i].name,
		    !remote_can_authenticate(remote, mechanisms[i].name) ? "the server does not offer it" :
		    mechanisms[i].is_bound ? "there is no TLS to bind to" : "in it nobody can act as another");
		return EX_PROTOCOL;
	}
	buffer_printf(trouble_out, "no such mechanism: %.*s; there are", SPAN_ARGS(name));
	for (size_t i = 0; i < COUNT_OF(mechanisms); i++)
		buffer_printf(trouble_out, "%s %s", i == 0 ? "" : ",", mechanisms[i].name);
	return EX_USAGE;
}

int
authenticate(struct remote *remote, const struct login_settings *settings, struct buffer *trouble_out)
{
	struct exchange exchange = { .settings = settings, .user = buffer_span(&settings->url->user) };
	struct span name = buffer_span(&settings->url->mechanism);
	int code;

	if (settings->mechanism != NULL)
		name = span_from_string(settings->mechanism);
	if (settings->login != NULL) {
		exchange.identity = exchange.user;
		exchange.user = span_from_string(settings->login);
	}
	exchange.end_point = connection_end_point(dialog_connection(remote_dialog(remote)));
	exchange.could_bind = exchange.end_point.length > 0 && !remote_can_authenticate(remote, "SCRAM-SHA-256-PLUS") &&
	    !remote_can_authenticate(remote, "SCRAM-SHA-1-PLUS");
	if (name.length == 0 || span_equals(name, SPAN("*")))
		code = use_best(remote, &exchange, trouble_out);
	else
		code = use_named(remote, &exchange, name, trouble_out);
	buffer_free(&exchange.complaint);
	return code;
}
