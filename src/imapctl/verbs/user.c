/*
 * The verbs about users.  A password goes to the server as a body, never as a word.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/options.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "verbs.h"

/* A verb's words to the server: the user, and the settings as they were typed, "home=mbx1", "shared". */
struct request {
	struct span words[1 + OPTION_COUNT];
	size_t count;
	struct buffer settings[OPTION_COUNT];
};

static const enum order_option settings[] = {
	OPTION_IF_MISSING, OPTION_NO_PASSWORD, OPTION_SHARED, OPTION_HOME, OPTION_IMAP, OPTION_MASTER, OPTION_DELEGATE,
	OPTION_QUOTA_STORAGE, OPTION_QUOTA_MESSAGES, OPTION_QUOTA_MAILBOXES, OPTION_ENTRY,
};

static void
request_init(struct request *request, const struct order *order)
{
	*request = (struct request){ .words = { span_from_string(order->words[0]) }, .count = 1 };
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		struct buffer *text = &request->settings[i];
		const char *value = order_value(order, settings[i]);

		if (!order_has(order, settings[i]))
			continue;
		buffer_printf(text, "%s%s%s", order_options[settings[i]].name, value == NULL ? "" : "=", value == NULL ? "" : value);
		request->words[request->count++] = buffer_span(text);
	}
}

static int
ask(const struct order *order, const char *verb, struct span password)
{
	struct request request;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	request_init(&request, order);
	code = ctl_report(ctl_call(ctl, verb, request.words, request.count, password));
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		buffer_free(&request.settings[i]);
	ctl_close(&ctl);
	return code;
}

static int
ask_with_password(const struct order *order, const char *verb)
{
	struct buffer password = { 0 };
	int code;

	if (order_has(order, OPTION_NO_PASSWORD) || order_has(order, OPTION_SHARED))
		return ask(order, verb, (struct span){ NULL, 0 });
	if ((code = ctl_may(order, verb)) != EX_OK)
		return code;
	code = EX_DATAERR;
	if (terminal_password(order->words[0], &password))
		code = ask(order, verb, buffer_span(&password));
	buffer_wipe(&password);
	return code;
}

int
run_user_add(const struct order *order)
{
	return ask_with_password(order, "user add");
}

int
run_user_passwd(const struct order *order)
{
	return ask_with_password(order, "user passwd");
}

static int
say_usage(const struct order *order)
{
	complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
	return EX_USAGE;
}

/* Whether an option is one of two words, if it is given. */
static bool
is_one_of(const struct order *order, enum order_option option, const char *one, const char *other)
{
	const char *value = order_value(order, option);

	return value == NULL || strcmp(value, one) == 0 || strcmp(value, other) == 0;
}

int
run_user_set(const struct order *order)
{
	if ((order->given & order->verb->options) == 0 || !is_one_of(order, OPTION_ENTRY, "any", "any") ||
	    !is_one_of(order, OPTION_IMAP, "on", "off") || !is_one_of(order, OPTION_MASTER, "on", "off"))
		return say_usage(order);
	return ask(order, "user set", (struct span){ NULL, 0 });
}

static int
ask_about_delegate(const struct order *order, const char *verb)
{
	return order_has(order, OPTION_DELEGATE) ? ask(order, verb, (struct span){ NULL, 0 }) : say_usage(order);
}

int
run_user_allow(const struct order *order)
{
	return ask_about_delegate(order, "user allow");
}

int
run_user_deny(const struct order *order)
{
	return ask_about_delegate(order, "user deny");
}

int
run_user_show(const struct order *order)
{
	const struct span name = span_from_string(order->words[0]);

	return ctl_print(order, "user show", &name, 1);
}

static int make_sure(const struct order *order, const char *verb, const char *format) __attribute__((format(printf, 3, 0)));

/* EX_OK, or the order is not carried out, and why was said. */
static int
make_sure(const struct order *order, const char *verb, const char *format)
{
	char question[400];

	snprintf(question, sizeof question, format, order->words[0]);
	return ctl_confirm(order, verb, question);
}

/* What became of mail, in a sentence. */
static void
say_mail(const struct order *order, struct span line, struct arena *arena)
{
	struct span state, path, size;

	if (record_field(line, arena, "alias", "name", &state)) {
		order_say(order, "What is sent to %.*s, which was an alias of %s, is refused from now on.", SPAN_ARGS(state),
		    order->words[0]);
		return;
	}
	if (!record_field(line, arena, "mail", "state", &state) || !record_field(line, arena, "mail", "path", &path) ||
	    !record_field(line, arena, "mail", "size", &size))
		return;
	if (span_equals(state, SPAN("gone"))) {
		order_say(order, "There was no mail of %s in %.*s.", order->words[0], SPAN_ARGS(path));
	} else if (span_equals(state, SPAN("removed"))) {
		order_say(order, "The mail of %s in %.*s, %.*s octets, is removed.", order->words[0], SPAN_ARGS(path),
		    SPAN_ARGS(size));
	} else {
		order_say(order, "The mail of %s, %.*s octets, stays in %.*s.", order->words[0], SPAN_ARGS(size),
		    SPAN_ARGS(path));
	}
}

static int
ask_about_mail(const struct order *order, const char *verb)
{
	const struct span words[] = { span_from_string(order->words[0]), SPAN("purge") };
	struct arena *arena = arena_new();
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) != NULL) {
		answer = ctl_call(ctl, verb, words, order_has(order, OPTION_PURGE) ? 2 : 1,
		    (struct span){ NULL, 0 });
		code = ctl_report(answer);
		for (size_t i = 0; i < answer->line_count; i++)
			say_mail(order, answer->lines[i], arena);
		if (order->json != NULL)
			records_print(order, answer);
	}
	ctl_close(&ctl);
	arena_free(&arena);
	return code;
}

int
run_user_del(const struct order *order)
{
	bool is_purging = order_has(order, OPTION_PURGE);
	int code = make_sure(order, "user del", is_purging ? "Remove the user %s, and all mail of this user, for good?"
	    : "Remove the user %s?  The mail stays in the data directory, until `imapctl user purge`.");

	return code == EX_OK ? ask_about_mail(order, "user del") : code;
}

int
run_user_purge(const struct order *order)
{
	int code = make_sure(order, "user purge", "Remove the mail of %s, who is no user any more, for good?");

	return code == EX_OK ? ask_about_mail(order, "user purge") : code;
}

int
run_user_renew(const struct order *order)
{
	int code = make_sure(order, "user renew", "Give %s a new, empty mailbox?  The file with the mail is gone.");

	return code == EX_OK ? ask(order, "user renew", (struct span){ NULL, 0 }) : code;
}

int
run_user_list(const struct order *order)
{
	return ctl_print(order, order_has(order, OPTION_ORPHANS) ? "user orphans" : "user list", NULL, 0);
}
