/*
 * The first user: by the server that runs, or else by imapd itself, which makes the user and ends.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/order.h"
#include "../ctl/terminal.h"
#include "../host/program.h"
#include "base/base64.h"
#include "base/memory.h"
#include "base/random.h"
#include "step.h"

#define GENERATED_LENGTH 12	/* octets: 96 bits, 16 characters */
#define PASSWORD_MAX	 1024	/* as auth/password.h */

/* EX_OK: the user is there now; EX_NOINPUT: not, and no password was given. */
static int
ask_imapd(struct setup *setup, struct span password)
{
	const char *const words[] = { setup_text(setup, "--config=%s", setup->path),
		setup_text(setup, "--add-user=%s", setup->user), NULL };
	struct buffer said = { 0 };
	int code = program_run_imapd(words, password, &said);
	struct span text = span_without_line_end(buffer_span(&said));

	if (code != EX_OK && (code != EX_NOINPUT || password.length > 0))
		complain("%.*s", SPAN_ARGS(text));
	buffer_free(&said);
	return code < 0 ? EX_SOFTWARE : code;
}

/* The same, where a server runs, which alone may change its users. */
static int
ask_server(struct setup *setup, struct ctl *ctl, struct span password)
{
	const struct span name[] = { span_from_string(setup->user), SPAN("if-missing") };
	const struct answer *answer;

	if (password.length == 0) {
		answer = ctl_call(ctl, "user show", name, 1, (struct span){ NULL, 0 });
		return answer->code == EX_NOUSER ? EX_NOINPUT : ctl_report(answer);
	}
	return ctl_report(ctl_call(ctl, "user add", name, 2, span_without_line_end(password)));
}

static int
ask(struct setup *setup, struct span password)
{
	struct ctl *ctl;
	int code;

	if (!ctl_is_there(setup->order))
		return ask_imapd(setup, password);
	if ((ctl = ctl_open(setup->order, &code)) == NULL)
		return code;
	code = ask_server(setup, ctl, password);
	ctl_close(&ctl);
	return code;
}

/* From standard input, with a line end; empty: there is none. */
static bool
read_password(struct buffer *password_out)
{
	if (isatty(STDIN_FILENO))
		return true;
	if (!terminal_read_line(STDIN_FILENO, PASSWORD_MAX, password_out)) {
		complain("a password has at most %d octets", PASSWORD_MAX);
		return false;
	}
	if (password_out->length > 0)
		buffer_add_octet(password_out, '\n');
	return true;
}

/* It is shown before it is set: so that no interruption leaves a user whose password nobody knows. */
static void
generate(struct setup *setup, struct buffer *password_out)
{
	uint8_t octets[GENERATED_LENGTH];

	random_fill(octets, sizeof octets);
	base64_encode(span_of(octets, sizeof octets), password_out);
	for (size_t i = 0; i < password_out->length; i++)	/* easy to type */
		if (password_out->at[i] == '+' || password_out->at[i] == '/')
			password_out->at[i] = password_out->at[i] == '+' ? 'p' : 's';
	memory_wipe(octets, sizeof octets);
	setup_show_password(setup, buffer_span(password_out));
	buffer_add_octet(password_out, '\n');
}

static int
add(struct setup *setup)
{
	struct buffer password = { 0 };
	int code = EX_DATAERR;

	buffer_reserve(&password, PASSWORD_MAX + 2);	/* once, so that no copy stays behind */
	if (read_password(&password)) {
		if (password.length == 0)
			generate(setup, &password);
		code = ask(setup, buffer_span(&password));
	}
	buffer_wipe(&password);
	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "the user %s", setup->user);
	return code;
}

/* Without a server only imapd itself can look, and it would touch the folder. */
static int
foretell(struct setup *setup)
{
	bool is_running = ctl_is_there(setup->order), is_known = is_running || access(setup->data, F_OK) != 0;
	int code = is_running ? ask(setup, SPAN("")) : EX_NOINPUT;

	if (code == EX_OK)
		setup_tell(setup, SETUP_KEPT, "the user %s, and the password", setup->user);
	else if (code == EX_NOINPUT)
		setup_tell(setup, SETUP_MADE, "the user %s%s", setup->user, is_known ? "" : ", unless there is one");
	return code == EX_NOINPUT ? EX_OK : code;
}

int
setup_first_user(struct setup *setup)
{
	int code;

	if (setup->user == NULL)
		return EX_OK;
	if (setup->is_dry)
		return foretell(setup);
	code = ask(setup, SPAN(""));
	if (code == EX_OK)
		setup_tell(setup, SETUP_KEPT, "the user %s, and the password", setup->user);
	return code == EX_NOINPUT ? add(setup) : code;
}
