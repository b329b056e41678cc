/*
 * The steps up to the login are those of login.c, which says when each has ended; the others are commands here.
 */
#include "trial.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/random.h"
#include "store/trial_letter.h"

struct trial {
	struct login_settings settings;
	trial_told *told;
	void *context;
	struct remote *remote;
	uint64_t since_us;
	struct buffer trouble;
	char mailbox[32];
	struct buffer letter;
	bool is_made;			/* the mailbox is there */
	bool is_fetched;
};

static const char *const login_scenarios[LOGIN_STEP_COUNT] = {
	[LOGIN_CONNECT] = "Connect",
	[LOGIN_TLS] = "TLS",
	[LOGIN_GREETING] = "Greeting",
	[LOGIN_CAPABILITY] = "Capability",
	[LOGIN_PROOF] = "Login",
};

static int
tell(struct trial *trial, const char *scenario, int code)
{
	uint64_t now_us = clock_monotonic_us();

	trial->told(scenario, code, now_us - trial->since_us, code == EX_OK ? "" : buffer_string(&trial->trouble),
	    trial->context);
	trial->since_us = clock_monotonic_us();
	return code;
}

static void
on_login_step(enum login_step step, int code, void *context)
{
	tell(context, login_scenarios[step], code);
}

/* So that a name server that is slow can be told from a server that is. */
static int
resolve(struct trial *trial)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int error = getaddrinfo(trial->settings.url->host, NULL, &hints, &found);

	if (error == 0) {
		freeaddrinfo(found);
		return EX_OK;
	}
	buffer_printf(&trial->trouble, "%s: %s", trial->settings.url->host, gai_strerror(error));
	return error == EAI_AGAIN ? EX_TEMPFAIL : EX_NOHOST;
}

/* A command, and what is wrong with its answer. */
static int
judge(struct trial *trial, bool is_alive, const struct remote_answer *answer, const char *command)
{
	if (!is_alive) {
		buffer_printf(&trial->trouble, "%s: %s", command, dialog_trouble(remote_dialog(trial->remote)));
		return EX_TEMPFAIL;
	}
	if (answer->condition == IMAP_REPLY_OK)
		return EX_OK;
	buffer_printf(&trial->trouble, "%s was answered %.*s", command, SPAN_ARGS(answer->line));
	return span_equals_nocase(answer->code.name, SPAN("OVERQUOTA")) ? EX_CANTCREAT : EX_PROTOCOL;
}

static int
call(struct trial *trial, const char *command)
{
	struct remote_answer answer = { .condition = IMAP_REPLY_BAD };

	return judge(trial, remote_call(trial->remote, command, &answer), &answer, command);
}

static int
call_on_mailbox(struct trial *trial, const char *command)
{
	char line[64];

	snprintf(line, sizeof line, "%s %s", command, trial->mailbox);
	return call(trial, line);
}

static int
look_at_inbox(struct trial *trial)
{
	return call(trial, "EXAMINE INBOX");
}

static int
append(struct trial *trial)
{
	struct remote_answer answer = { .condition = IMAP_REPLY_BAD };
	uint32_t number;
	int code = call_on_mailbox(trial, "CREATE");

	if (code != EX_OK)
		return code;
	trial->is_made = true;
	number = remote_begin(trial->remote, "APPEND ");
	buffer_add_string(remote_out(trial->remote), trial->mailbox);
	buffer_add_octet(remote_out(trial->remote), ' ');
	if (remote_add_literal(trial->remote, buffer_span(&trial->letter)))
		remote_end(trial->remote);
	return judge(trial, remote_wait(trial->remote, number, &answer), &answer, "APPEND");
}

static bool
on_reply(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct trial *trial = context;

	for (size_t i = 0; !is_malformed && reply->kind == IMAP_REPLY_FETCH && i < reply->fetch.body_count; i++) {
		if (span_equals(reply->fetch.bodies[i].octets, buffer_span(&trial->letter)))
			trial->is_fetched = true;
	}
	return true;
}

static int
fetch(struct trial *trial)
{
	int code = call_on_mailbox(trial, "SELECT");

	remote_listen(trial->remote, on_reply, trial);
	if (code == EX_OK)
		code = call(trial, "FETCH 1 BODY.PEEK[]");
	remote_listen(trial->remote, NULL, NULL);
	if (code == EX_OK && !trial->is_fetched) {
		buffer_add_string(&trial->trouble, "what FETCH gives is not what was appended");
		code = EX_PROTOCOL;
	}
	return code;
}

static int
delete(struct trial *trial)
{
	int code = call(trial, "STORE 1 +FLAGS.SILENT (\\Deleted)");

	if (code == EX_OK)
		code = call(trial, "CLOSE");
	if (code == EX_OK)
		code = call_on_mailbox(trial, "DELETE");
	trial->is_made = code != EX_OK;
	return code;
}

/* What is left after a step that failed; whatever comes of it. */
static void
clean_up(struct trial *trial)
{
	size_t length = trial->trouble.length;

	if (trial->is_made && dialog_trouble(remote_dialog(trial->remote))[0] == '\0') {
		call(trial, "EXAMINE INBOX");		/* leave the mailbox, with or without UNSELECT */
		call_on_mailbox(trial, "DELETE");
	}
	trial->trouble.length = length;
}

static const struct {
	const char *scenario;
	enum trial_depth least;
	int (*run)(struct trial *trial);
} steps[] = {
	{ "Select", TRIAL_LOGIN, look_at_inbox },
	{ "Append", TRIAL_ALL, append },
	{ "Fetch", TRIAL_ALL, fetch },
	{ "Delete", TRIAL_ALL, delete },
};

static void
write_letter(struct trial *trial)
{
	char word[TRIAL_LETTER_WORD + 1];

	random_hex(word, TRIAL_LETTER_WORD);
	snprintf(trial->mailbox, sizeof trial->mailbox, "imapd-test-%s", word);
	buffer_printf(&trial->letter, TRIAL_LETTER_HEAD "%s" TRIAL_LETTER_TAIL, word);
}

static int
go_through(struct trial *trial, enum trial_depth depth)
{
	int code = tell(trial, "DNS", resolve(trial));

	if (code == EX_OK)
		code = login_open(&trial->settings, &trial->remote, &trial->trouble);
	for (size_t i = 0; code == EX_OK && i < sizeof steps / sizeof steps[0]; i++) {
		if (depth >= steps[i].least)
			code = tell(trial, steps[i].scenario, steps[i].run(trial));
	}
	if (trial->remote == NULL)
		return code;
	clean_up(trial);
	trial->since_us = clock_monotonic_us();
	login_close(&trial->remote);
	if (code == EX_OK)
		tell(trial, "Logout", EX_OK);
	return code;
}

int
trial_run(const struct login_settings *settings, enum trial_depth depth, trial_told *told, void *context)
{
	struct trial trial = { .settings = *settings, .told = told, .context = context,
		.since_us = clock_monotonic_us() };
	int code;

	trial.settings.on_step = on_login_step;
	trial.settings.step_context = &trial;
	trial.settings.only_greets = depth == TRIAL_GREETING;
	write_letter(&trial);
	code = go_through(&trial, depth);
	buffer_free(&trial.letter);
	buffer_free(&trial.trouble);
	return code;
}

const char *
trial_scenario(size_t index)
{
	static const char *const all[] = { "DNS", "Connect", "TLS", "Greeting", "Capability", "Login", "Select", "Append",
		"Fetch", "Delete", "Logout" };

	return index < sizeof all / sizeof all[0] ? all[index] : NULL;
}
