/*
 * The commands of LMTP: one row each in the table, with the states in which it is legal.  RFC 2033 section 4,
 * RFC 5321 section 4.1.1, RFC 1870, RFC 3030, RFC 2034 with the codes of RFC 3463.  Loop thread.
 */
#include "base/crash.h"
#include "session.h"

typedef void command_handler(struct lmtp_session *session, struct span argument);

static command_handler cmd_lhlo, cmd_mail, cmd_rcpt, cmd_data, cmd_bdat, cmd_rset, cmd_noop, cmd_vrfy, cmd_help,
    cmd_quit, cmd_helo;

#define ANYWHERE UINT32_MAX
#define BETWEEN_MESSAGES                                                                                     \
	(LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_MAIL) | LMTP_BIT(LMTP_RECIPIENTS) | LMTP_BIT(LMTP_CHUNKED))

static const struct command {
	const char *name;
	unsigned states;	/* where it is legal */
	command_handler *handler;
} commands[] = {
	{ "LHLO", ANYWHERE,				      cmd_lhlo },
	{ "MAIL", LMTP_BIT(LMTP_READY),			      cmd_mail },
	{ "RCPT", LMTP_BIT(LMTP_MAIL) | LMTP_BIT(LMTP_LOOKING_UP) | LMTP_BIT(LMTP_RECIPIENTS), cmd_rcpt },
	{ "DATA", LMTP_BIT(LMTP_RECIPIENTS),		      cmd_data },
	{ "BDAT", ANYWHERE,				      cmd_bdat },	/* its octets come in any case */
	{ "RSET", ANYWHERE,				      cmd_rset },
	{ "NOOP", ANYWHERE,				      cmd_noop },
	{ "VRFY", BETWEEN_MESSAGES,			      cmd_vrfy },
	{ "HELP", ANYWHERE,				      cmd_help },
	{ "QUIT", ANYWHERE,				      cmd_quit },
	{ "HELO", ANYWHERE,				      cmd_helo },
	{ "EHLO", ANYWHERE,				      cmd_helo },
};

/* A transaction that is there ends; RFC 5321 section 4.1.4 for LHLO. */
static void
start_anew(struct lmtp_session *session)
{
	lmtp_transaction_reset(session);
	if (session->state != LMTP_GREETED)
		lmtp_enter(session, LMTP_READY);
}

static void
cmd_lhlo(struct lmtp_session *session, struct span argument)
{
	struct buffer text = { 0 };

	if (argument.length == 0) {
		lmtp_reply_error(session, "501 5.5.4 Say LHLO and your name");
		return;
	}
	lmtp_transaction_reset(session);
	lmtp_enter(session, LMTP_READY);
	session->client_name_length = argument.length <= sizeof session->client_name ? argument.length : 0;
	memcpy(session->client_name, argument.at, session->client_name_length);
	buffer_printf(&text, "250-%s\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
	    "250-SMTPUTF8\r\n250-CHUNKING\r\n250 SIZE ", session->settings->hostname);
	buffer_add_number(&text, session->settings->message_octets_max);
	lmtp_reply(session, buffer_string(&text));
	buffer_free(&text);
}

/* RFC 2033 section 4.1: so that each side notices which protocol it speaks. */
static void
cmd_helo(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	lmtp_reply_error(session, "500 5.5.1 This is LMTP, say LHLO");
}

static bool
has_good_octets(struct span line)
{
	return span_find(line, '\0') == line.length && span_find(line, '\r') == line.length;
}

/* "FROM:" or "TO:" and a path; argument is moved behind them, to the parameters. */
static bool
read_path(struct span *argument, struct span keyword, struct lmtp_path *path)
{
	if (!span_starts_with_nocase(*argument, keyword))
		return false;
	*argument = span_trim(span_from(*argument, keyword.length));
	return lmtp_path_parse(argument, path) && (argument->length == 0 || argument->at[0] == ' ');
}

/* The next parameter of MAIL or RCPT; false when there is none. */
static bool
next_parameter(struct span *rest, struct span *name, struct span *value)
{
	size_t end, equals;

	*rest = span_trim(*rest);
	if (rest->length == 0)
		return false;
	end = span_find(*rest, ' ');
	*name = span_slice(*rest, 0, end);
	*rest = span_from(*rest, end);
	equals = span_find(*name, '=');
	*value = span_from(*name, equals + 1);
	*name = span_slice(*name, 0, equals);
	return true;
}

/* What is wrong with a parameter of MAIL, or NULL. */
static const char *
mail_parameter(struct lmtp_session *session, struct span name, struct span value)
{
	uint64_t size;

	if (span_equals_nocase(name, SPAN("SIZE"))) {
		if (!span_to_number(value, UINT64_MAX, &size))
			return "501 5.5.4 SIZE is a number";
		if (size > session->settings->message_octets_max)
			return "552 5.3.4 Message too big";
		session->transaction.size_octets = size;
		return NULL;
	}
	if (span_equals_nocase(name, SPAN("BODY")))
		return span_equals_nocase(value, SPAN("7BIT")) || span_equals_nocase(value, SPAN("8BITMIME")) ?
		    NULL : "501 5.5.4 BODY is 7BIT or 8BITMIME";
	if (span_equals_nocase(name, SPAN("SMTPUTF8")) && value.length == 0) {
		session->transaction.is_utf8 = true;
		return NULL;
	}
	return "555 5.5.4 Unknown parameter";
}

static void
cmd_mail(struct lmtp_session *session, struct span argument)
{
	struct lmtp_transaction *transaction = &session->transaction;
	struct span name, value;
	struct lmtp_path path;
	const char *wrong;

	if (!read_path(&argument, SPAN("FROM:"), &path)) {
		lmtp_reply_error(session, "501 5.1.7 Say MAIL FROM:<address>");
		return;
	}
	transaction->is_utf8 = false;
	transaction->size_octets = 0;
	while (next_parameter(&argument, &name, &value))
		if ((wrong = mail_parameter(session, name, value)) != NULL) {
			lmtp_reply_error(session, wrong);
			return;
		}
	transaction->arena = arena_new();
	transaction->sender = arena_copy(transaction->arena, path.text);
	lmtp_enter(session, LMTP_MAIL);
	lmtp_reply(session, "250 2.1.0 Sender accepted");
}

/* What is wrong with the argument of RCPT, or NULL. */
static const char *
read_recipient(struct span argument, struct lmtp_path *path)
{
	if (!read_path(&argument, SPAN("TO:"), path) || path->local_length == 0)
		return "501 5.1.3 Say RCPT TO:<address>";
	return span_trim(argument).length > 0 ? "555 5.5.4 Unknown parameter" : NULL;
}

static void
cmd_rcpt(struct lmtp_session *session, struct span argument)
{
	struct lmtp_path path;
	const char *wrong = read_recipient(argument, &path);

	if (wrong != NULL)
		lmtp_reply_error(session, wrong);
	else if (session->transaction.recipient_count == LMTP_RECIPIENTS_MAX)
		lmtp_reply(session, "452 4.5.3 Too many recipients");
	else
		lmtp_recipient_ask(session, &path);
}

bool
lmtp_recipient_follows(const struct lmtp_session *session, struct span line)
{
	struct span name = SPAN("RCPT ");
	struct lmtp_path path;

	return session->asked_count < LMTP_ASKED_MAX &&
	    session->transaction.recipient_count + session->asked_count < LMTP_RECIPIENTS_MAX &&
	    span_starts_with_nocase(line, name) && has_good_octets(line) &&
	    read_recipient(span_trim(span_from(line, name.length)), &path) == NULL;
}

static void
cmd_data(struct lmtp_session *session, struct span argument)
{
	if (argument.length > 0) {
		lmtp_reply_error(session, "501 5.5.4 DATA takes no argument");
		return;
	}
	lmtp_reply(session, "354 Send the message, end it with <CRLF>.<CRLF>");
	lmtp_message_begin_data(session);
}

/* Why a BDAT cannot be obeyed here, or NULL. */
static const char *
chunk_refusal(const struct lmtp_session *session, bool is_last)
{
	switch (session->state) {
	case LMTP_RECIPIENTS:
	case LMTP_CHUNKED:
		return NULL;
	case LMTP_MAIL:		/* RFC 2033 section 4.3: one reply for each recipient, and there are none */
		return is_last ? "" : "503 5.5.1 No valid recipients";
	default:
		return "503 5.5.1 Say MAIL first";
	}
}

static void
cmd_bdat(struct lmtp_session *session, struct span argument)
{
	size_t space = span_find(argument, ' ');
	struct span last = span_trim(span_from(argument, space));
	bool is_last = last.length > 0;
	uint64_t octets;

	if (!span_to_number(span_slice(argument, 0, space), INT64_MAX, &octets) ||
	    (is_last && !span_equals_nocase(last, SPAN("LAST")))) {
		/* Where the octets end nobody can tell: what follows cannot be understood. */
		lmtp_reply(session, "501 5.5.4 Say BDAT octets [LAST]");
		lmtp_end(session, METRIC_BAD_COMMANDS);
		return;
	}
	lmtp_message_begin_chunk(session, octets, is_last, chunk_refusal(session, is_last));
}

static void
cmd_rset(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	start_anew(session);
	lmtp_reply(session, "250 2.0.0 Forgotten");
}

static void
cmd_noop(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	lmtp_reply(session, "250 2.0.0 OK");
}

static void
cmd_vrfy(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	lmtp_reply(session, "252 2.5.2 Say RCPT to find out");
}

static void
cmd_help(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	lmtp_reply(session, "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; RFC 2033");
}

static void
cmd_quit(struct lmtp_session *session, struct span argument)
{
	(void)argument;
	lmtp_reply(session, "221 2.0.0 Bye");
	lmtp_end(session, METRIC_LOGOUT);
}

static void
run(struct lmtp_session *session, const struct command *command, struct span argument)
{
	crash_note(command->name, session->sid);
	command->handler(session, argument);
	crash_note_end();
}

static const struct command *
find_command(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (span_equals_nocase(name, span_from_string(commands[i].name)))
			return &commands[i];
	return NULL;
}

void
lmtp_command(struct lmtp_session *session, struct span line)
{
	size_t space = span_find(line, ' ');
	const struct command *command = find_command(span_slice(line, 0, space));

	if (command == NULL)
		lmtp_reply_error(session, "500 5.5.1 Unknown command");
	else if (!has_good_octets(line))
		lmtp_reply_error(session, "501 5.5.2 A line holds no NUL and no bare CR");
	else if (!(command->states & LMTP_BIT(session->state)))
		lmtp_reply_error(session, session->state == LMTP_GREETED ? "503 5.5.1 Say LHLO first" :
		    "503 5.5.1 Not now");
	else
		run(session, command, span_trim(span_from(line, space)));
}
